-- From the bridge's keywords to Lightroom's handles: by id first, by name along the path second. Reads only, before the
-- gate; reads no more of the keyword tree than the wanted paths lie on.

local Keywords = require("Keywords")

local Handles = {}

local known_ids = {} -- of each catalog: keyword text to id, from earlier writes of this session

-- The part of the keyword tree that the wanted paths lie on: names are read before anything is sorted or compared.
local function read_levels(catalog, wanted)
  local rows, handles, opened = {}, {}, {}
  local function open(parent)
    local id = parent and parent.localIdentifier or 0
    if opened[id] then
      return opened[id]
    end
    local found = {}
    for _, keyword in ipairs(parent and parent:getChildren() or catalog:getKeywords()) do
      local row = { id = keyword.localIdentifier, name = keyword:getName(), parent = parent and id or nil }
      rows[#rows + 1] = row
      handles[row.id] = keyword
      local folded = Keywords.folded(row.name)
      found[folded] = found[folded] or keyword
    end
    opened[id] = found
    return found
  end
  for _, text in ipairs(wanted) do
    local parent
    for _, name in ipairs(Keywords.levels(text)) do
      local keyword = open(parent)[Keywords.folded(name)]
      if not keyword then
        break
      end
      parent = keyword
    end
  end
  return rows, handles
end

-- Keywords known by id, with what stands above them: their names may have changed since.
local function read_known(catalog, ids, rows, handles)
  local list = {}
  for _, id in pairs(ids) do
    if not handles[id] then
      list[#list + 1] = id
    end
  end
  for _, keyword in ipairs(#list > 0 and catalog:getKeywordsByLocalId(list) or {}) do
    local above = keyword
    while above and not handles[above.localIdentifier] do
      local parent = above:getParent()
      rows[#rows + 1] =
        { id = above.localIdentifier, name = above:getName(), parent = parent and parent.localIdentifier or nil }
      handles[above.localIdentifier] = above
      above = parent
    end
  end
end

--- The keywords photos carry, as `carried[photo][keyword id]`: one call for all of them.
function Handles.carried_by(catalog, photos)
  local carried = {}
  if #photos == 0 then
    return carried
  end
  for photo, row in pairs(catalog:batchGetRawMetadata(photos, { "keywords" })) do
    carried[photo] = {}
    for _, keyword in ipairs(row.keywords) do
      carried[photo][keyword.localIdentifier] = true
    end
  end
  return carried
end

-- Renamed, moved or gone since: looked for by name again.
local function read_again(catalog, text, rows, handles)
  local more, new = read_levels(catalog, { text })
  for _, row in ipairs(more) do
    if not handles[row.id] then
      rows[#rows + 1] = row
      handles[row.id] = new[row.id]
    end
  end
end

local function known_in(catalog)
  local path = catalog:getPath()
  known_ids[path] = known_ids[path] or {}
  return known_ids[path]
end

--- An index of the catalog's keywords (see Keywords) that the texts of `entries` lie on, and their handles by id. Each
-- entry's `id` becomes the keyword's as it is known now, or nil.
function Handles.resolve(catalog, entries)
  local ids = known_in(catalog)
  for _, one in ipairs(entries) do
    ids[one.keyword] = one.id or ids[one.keyword]
  end
  local texts, unknown, needed = Keywords.distinct(entries, "keyword"), {}, {}
  for _, text in ipairs(texts) do
    if ids[text] then
      needed[#needed + 1] = ids[text]
    else
      unknown[#unknown + 1] = text
    end
  end
  local rows, handles = read_levels(catalog, unknown)
  read_known(catalog, needed, rows, handles)
  local index = Keywords.index(rows)
  for _, text in ipairs(texts) do
    local id = ids[text]
    local found = id and index.by_id[id] and Keywords.find(index, text, id)
    if id and not (found and found.id == id) then
      ids[text] = nil
      read_again(catalog, text, rows, handles)
    end
  end
  for _, one in ipairs(entries) do
    one.id = ids[one.keyword]
  end
  return Keywords.index(rows), handles
end

--- Keep which ids keywords have, for the next write: of `ids` (text to id) and of what was `written`.
function Handles.remember(catalog, ids, written)
  local known = known_in(catalog)
  for text, id in pairs(ids) do
    known[text] = id
  end
  for _, one in ipairs(written) do
    known[one.keyword] = one.id
  end
end

return Handles
