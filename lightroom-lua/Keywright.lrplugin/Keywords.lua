-- Keywords as the bridge spells them, and which of the catalog's keywords they are: found by id first, by name along
-- the path second, made only below a keyword that is there. Pure: knows keywords as plain tables {id, name, parent}.

local Keywords = {}

--- The levels of a keyword's text form: `Animals|Dog` with `\|` and `\\` for the characters themselves.
function Keywords.levels(text)
  local levels, current, at = {}, {}, 1
  while at <= #text do
    local c = string.sub(text, at, at)
    local following = string.sub(text, at + 1, at + 1)
    if c == "\\" and (following == "|" or following == "\\") then
      current[#current + 1] = following
      at = at + 2
    elseif c == "|" then
      levels[#levels + 1] = table.concat(current)
      current = {}
      at = at + 1
    else
      current[#current + 1] = c
      at = at + 1
    end
  end
  levels[#levels + 1] = table.concat(current)
  return levels
end

--- The text form of levels.
function Keywords.text(levels)
  local parts = {}
  for i, name in ipairs(levels) do
    parts[i] = string.gsub(string.gsub(name, "\\", "\\\\"), "|", "\\|")
  end
  return table.concat(parts, "|")
end

-- Lower case as far as Lightroom's sibling rule is known to need it: ASCII, Latin-1, Greek and Cyrillic capitals.
local PAIRS = {}
local function pair(lead, from, to, lead_small, shift)
  for byte = from, to do
    PAIRS[string.char(lead, byte)] = string.char(lead_small, byte + shift)
  end
end
pair(0xC3, 0x80, 0x96, 0xC3, 0x20)
pair(0xC3, 0x98, 0x9E, 0xC3, 0x20)
pair(0xCE, 0x91, 0x9F, 0xCE, 0x20)
pair(0xCE, 0xA0, 0xA9, 0xCF, -0x20)
pair(0xD0, 0x90, 0x9F, 0xD0, 0x20)
pair(0xD0, 0xA0, 0xAF, 0xD1, -0x20)
pair(0xD0, 0x80, 0x8F, 0xD1, 0x10)
for byte = 0x80, 0xBE, 2 do -- Latin Extended-A: capital and small letter stand in pairs
  if byte < 0xB8 then
    PAIRS[string.char(0xC4, byte)] = string.char(0xC4, byte + 1)
  end
end

--- A name with case folded away, for comparing siblings.
function Keywords.folded(name)
  local low = string.lower(name)
  return (string.gsub(low, "[\195\196\206\208][\128-\191]", PAIRS))
end

--- An index over the catalog's keywords: a list of {id, name, parent (id or nil)}.
function Keywords.index(rows)
  local index = { by_id = {}, children = {} }
  for _, row in ipairs(rows) do
    index.by_id[row.id] = row
    local parent = row.parent or 0
    index.children[parent] = index.children[parent] or {}
    local key = Keywords.folded(row.name)
    if not index.children[parent][key] then
      index.children[parent][key] = row
    end
  end
  return index
end

--- The text form of a catalog's keyword.
function Keywords.path_of(index, id)
  local levels = {}
  local row = index.by_id[id]
  while row do
    table.insert(levels, 1, row.name)
    row = index.by_id[row.parent or 0]
  end
  return Keywords.text(levels)
end

local function same_path(index, id, levels)
  local row = index.by_id[id]
  for i = #levels, 1, -1 do
    if not row or Keywords.folded(row.name) ~= Keywords.folded(levels[i]) then
      return false
    end
    row = index.by_id[row.parent or 0]
  end
  return row == nil
end

local IMPOSSIBLE = "[,;|%c]"

--- What to do to have a keyword: {id = known} or {parent = id or nil, create = {names}}, or nil and why not.
-- `known_id` is tried first, and taken where it still is that keyword. A keyword that would begin a new top level is
-- made only with `new_tops`: a missing parent must never put a stray keyword at the top.
function Keywords.find(index, text, known_id, new_tops)
  local levels = Keywords.levels(text)
  if known_id and same_path(index, known_id, levels) then
    return { id = known_id }
  end
  local parent
  for i, name in ipairs(levels) do
    local row = (index.children[parent or 0] or {})[Keywords.folded(name)]
    if not row then
      if not parent and not new_tops then
        return nil, "no top"
      end
      local create = {}
      for j = i, #levels do
        if levels[j] == "" or string.find(levels[j], IMPOSSIBLE) or not string.find(levels[j], "%S") then
          return nil, "bad name"
        end
        create[#create + 1] = levels[j]
      end
      return { parent = parent, create = create }
    end
    parent = row.id
  end
  return { id = parent }
end

--- What a field holds over a list, each value once, in order.
function Keywords.distinct(wanted, field)
  local found, seen = {}, {}
  for _, one in ipairs(wanted) do
    if not seen[one[field]] then
      seen[one[field]] = true
      found[#found + 1] = one[field]
    end
  end
  return found
end

--- The plan of a write: `wanted` is a list of {photo, keyword, id = known id or nil}; `carried[photo][keyword id]` is
-- what is there already; `off`, a list like `wanted`, is to be taken off. Gives {links = {{photo, keyword}}, creates =
-- {text = find's answer}, skipped = {{photo, keyword, why}}, off = {{photo, keyword, id}}}, each link once; `off` holds
-- what is on the photos, and nothing is made for it.
function Keywords.plan(index, wanted, carried, new_tops, off)
  local plan = { links = {}, creates = {}, ids = {}, skipped = {}, there = {}, off = {} }
  local seen, found_of = {}, {}
  for _, one in ipairs(wanted) do
    local found = found_of[one.keyword]
    if found == nil then
      local answer, why = Keywords.find(index, one.keyword, one.id, new_tops)
      found = answer or { why = why }
      found_of[one.keyword] = found
      if found.create then
        plan.creates[#plan.creates + 1] = { keyword = one.keyword, parent = found.parent, names = found.create }
      elseif found.id then
        plan.ids[one.keyword] = found.id
      end
    end
    local key = tostring(one.photo) .. "\n" .. one.keyword
    if found.why then
      plan.skipped[#plan.skipped + 1] = { photo = one.photo, keyword = one.keyword, why = found.why }
    elseif found.id and carried[one.photo] and carried[one.photo][found.id] then
      plan.there[#plan.there + 1] = { photo = one.photo, keyword = one.keyword }
    elseif not seen[key] then
      seen[key] = true
      plan.links[#plan.links + 1] = { photo = one.photo, keyword = one.keyword }
    end
  end
  local taken = {}
  for _, one in ipairs(off or {}) do
    local found = Keywords.find(index, one.keyword, one.id, false)
    local id = found and found.id
    local key = tostring(one.photo) .. "\n" .. tostring(id)
    if id and not taken[key] and carried[one.photo] and carried[one.photo][id] then
      taken[key] = true
      plan.off[#plan.off + 1] = { photo = one.photo, keyword = one.keyword, id = id }
    end
  end
  return plan
end

return Keywords
