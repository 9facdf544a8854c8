-- What a person called wrong on photos that carry it, told before it is taken off: keyword by keyword. Pure.

local Wrong = {}

Wrong.NAMED = 8 -- keywords named in a message; more would not be read

--- The keywords of `off` (a list of {photo, keyword}) as {keyword, count}, those of the most photos first, and how many
-- more there are than are named.
function Wrong.summary(off)
  local found, by = {}, {}
  for _, one in ipairs(off) do
    if not by[one.keyword] then
      by[one.keyword] = { keyword = one.keyword, count = 0 }
      found[#found + 1] = by[one.keyword]
    end
    by[one.keyword].count = by[one.keyword].count + 1
  end
  table.sort(found, function(a, b)
    if a.count ~= b.count then
      return a.count > b.count
    end
    return a.keyword < b.keyword
  end)
  local more = math.max(0, #found - Wrong.NAMED)
  for i = #found, Wrong.NAMED + 1, -1 do
    found[i] = nil
  end
  return found, more
end

return Wrong
