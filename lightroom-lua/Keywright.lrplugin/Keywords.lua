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

local function utf8(code)
  local last = string.char(0x80 + code % 0x40)
  local rest = math.floor(code / 0x40)
  if rest < 0x20 then
    return string.char(0xC0 + rest) .. last
  end
  return string.char(0xE0 + math.floor(rest / 0x40), 0x80 + rest % 0x40) .. last
end

-- The small letter of each Latin, Greek, Cyrillic and Armenian capital. The Turkish dotted and dotless i stay
-- what they are: whose they are nobody can tell from a name.
local SMALL = {}
local function capitals(first, last, step, shift)
  for code = first, last, step do
    SMALL[utf8(code)] = utf8(code + shift)
  end
end
capitals(0xC0, 0xD6, 1, 32) -- À to Ö
capitals(0xD8, 0xDE, 1, 32) -- Ø to Þ
capitals(0x100, 0x12E, 2, 1) -- Ā to Į, each before its small letter
capitals(0x132, 0x136, 2, 1)
capitals(0x139, 0x147, 2, 1) -- Ĺ to Ň
capitals(0x14A, 0x176, 2, 1) -- Ŋ to Ŷ
capitals(0x178, 0x178, 1, 0xFF - 0x178) -- Ÿ
capitals(0x179, 0x17D, 2, 1) -- Ź to Ž
capitals(0x1A0, 0x1A0, 1, 1) -- Ơ
capitals(0x1AF, 0x1AF, 1, 1) -- Ư
capitals(0x1CD, 0x1DB, 2, 1)
capitals(0x1DE, 0x1EE, 2, 1)
capitals(0x1F4, 0x1F4, 1, 1)
capitals(0x1F8, 0x21E, 2, 1) -- with Ș and Ț
capitals(0x386, 0x386, 1, 38) -- Ά
capitals(0x388, 0x38A, 1, 37) -- Έ to Ί
capitals(0x38C, 0x38C, 1, 64) -- Ό
capitals(0x38E, 0x38F, 1, 63) -- Ύ and Ώ
capitals(0x391, 0x3A1, 1, 32) -- Α to Ρ
capitals(0x3A3, 0x3AB, 1, 32) -- Σ to Ϋ
capitals(0x3C2, 0x3C2, 1, 1) -- ς, the σ at the end of a word
capitals(0x400, 0x40F, 1, 80) -- Ѐ to Џ
capitals(0x410, 0x42F, 1, 32) -- А to Я
capitals(0x460, 0x480, 2, 1)
capitals(0x48A, 0x4BE, 2, 1) -- with Ґ
capitals(0x4C0, 0x4C0, 1, 15)
capitals(0x4C1, 0x4CD, 2, 1)
capitals(0x4D0, 0x52E, 2, 1)
capitals(0x531, 0x556, 1, 48) -- Armenian
capitals(0x1E00, 0x1E94, 2, 1)
capitals(0x1EA0, 0x1EFE, 2, 1) -- Vietnamese

--- A name with case folded away, for comparing siblings. Bytes outside ASCII are never given to string.lower, which
-- would take them for letters of the system's code page.
function Keywords.folded(name)
  local low = string.gsub(name, "[A-Z]+", string.lower)
  return (string.gsub(low, "[\195-\225][\128-\191]+", SMALL))
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
