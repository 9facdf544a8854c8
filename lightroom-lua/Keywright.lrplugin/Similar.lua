-- The answers for several photos put into one list: the best similarity of each photo, the asked ones left out. Pure.

local Similar = {}

--- `lists` of lists of {photo, host_id, path, similarity}; `own` are the photos that were asked about, by number.
function Similar.merged(lists, own, most)
  local best, found = {}, {}
  for _, list in ipairs(lists) do
    for _, one in ipairs(list) do
      if not own[one.photo] then
        local known = best[one.photo]
        if not known then
          known = { photo = one.photo, host_id = one.host_id, path = one.path, similarity = one.similarity }
          best[one.photo] = known
          found[#found + 1] = known
        end
        known.similarity = math.max(known.similarity, one.similarity)
      end
    end
  end
  table.sort(found, function(a, b)
    if a.similarity ~= b.similarity then
      return a.similarity > b.similarity
    end
    return a.photo < b.photo
  end)
  for i = #found, most + 1, -1 do
    found[i] = nil
  end
  return found
end

return Similar
