-- Keywords onto photos: one write gate, one undo step. Everything is read and planned before the gate; inside it only
-- handles are used, since what a gate makes cannot be read until it ends.

local LrApplication = import("LrApplication")
local LrTasks = import("LrTasks")

local Keywords = require("Keywords")
local Task = require("Task")

local Writer = {}

local TIMEOUT = 10 -- seconds for one try to get write access
local TRIES = 3

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

local function distinct(wanted, field)
  local found, seen = {}, {}
  for _, one in ipairs(wanted) do
    if not seen[one[field]] then
      seen[one[field]] = true
      found[#found + 1] = one[field]
    end
  end
  return found
end

local function carried_by(catalog, photos)
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

-- Inside the gate: a keyword made below what is there. The gate's own cache, because making it twice gives false; and
-- where it gives false all the same, that path is given up rather than begun at the top.
local function make(catalog, create, handles, cache)
  local parent = create.parent and handles[create.parent] or nil
  local place = tostring(create.parent or 0)
  if create.parent and not parent then
    return nil
  end
  for _, name in ipairs(create.names) do
    place = place .. "|" .. Keywords.folded(name)
    local made = cache[place]
    if made == nil then
      made = catalog:createKeyword(name, {}, true, parent, true)
      cache[place] = made or false
    end
    if not made then
      return nil
    end
    parent = made
  end
  return parent
end

--- Do `fn` in a write gate that is one undo step; tried again while another task writes. Gives true, or false where the
-- catalog stayed busy and nothing was written.
function Writer.gate(name, fn)
  local catalog = LrApplication.activeCatalog()
  for _ = 1, TRIES do
    local done, lost, problem = false, false, nil
    local result = catalog:withWriteAccessDo(name, function()
      local ok, why = LrTasks.pcall(fn)
      if not ok then
        problem = why
        error(why, 0) -- the gate rolls back only when the error leaves it
      end
      done = true
    end, {
      timeout = TIMEOUT,
      callback = function()
        lost = true
      end,
    })
    -- Queued: it will be done, or the callback says that it will not. Never try again before one of them.
    while result == "queued" and not (done or lost or problem) do
      LrTasks.sleep(0.1)
    end
    if problem then
      error(problem, 0)
    elseif done then
      return true
    end
  end
  return false
end

local function too_busy()
  Task.fail(
    LOC("$$$/Keywright/Busy=The catalog is busy."),
    LOC(
      "$$$/Keywright/BusyInfo=Another task is writing to it. Nothing was written; choose Library > Plug-in Extras > Apply accepted keywords when it has ended."
    )
  )
end

--- Write `wanted`, a list of {photo = LrPhoto, keyword = text, id = the keyword's as the bridge read it, or nil}. Gives {written, there, failed} of such entries (failed
-- ones with `why`), `written` with the keyword's id.
function Writer.write(title, wanted, new_tops, progress)
  local catalog = LrApplication.activeCatalog()
  local path = catalog:getPath()
  known_ids[path] = known_ids[path] or {}
  local ids = known_ids[path]
  for _, one in ipairs(wanted) do
    ids[one.keyword] = one.id or ids[one.keyword]
  end
  local texts, unknown, needed = distinct(wanted, "keyword"), {}, {}
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
      -- Renamed, moved or gone: looked for by name again.
      ids[text] = nil
      local more, new = read_levels(catalog, { text })
      for _, row in ipairs(more) do
        if not handles[row.id] then
          rows[#rows + 1] = row
          handles[row.id] = new[row.id]
        end
      end
    end
  end
  index = Keywords.index(rows)
  for _, one in ipairs(wanted) do
    one.id = ids[one.keyword]
  end
  local plan = Keywords.plan(index, wanted, carried_by(catalog, distinct(wanted, "photo")), new_tops)
  local written, failed = {}, plan.skipped
  if #plan.links > 0 then
    local found
    local done = Writer.gate(title, function()
      local cache
      found, cache, written, failed = {}, {}, {}, {}
      for i, one in ipairs(plan.skipped) do
        failed[i] = one
      end
      for text, id in pairs(plan.ids) do
        found[text] = handles[id]
      end
      for _, create in ipairs(plan.creates) do
        found[create.keyword] = make(catalog, create, handles, cache)
      end
      for i, link in ipairs(plan.links) do
        local keyword = found[link.keyword]
        if keyword then
          link.photo:addKeyword(keyword)
          written[#written + 1] = { photo = link.photo, keyword = link.keyword, id = keyword.localIdentifier }
        else
          failed[#failed + 1] = { photo = link.photo, keyword = link.keyword, why = "not made" }
        end
        if i % 50 == 0 then
          progress:setPortionComplete(i, #plan.links)
          Task.check(progress)
          LrTasks.yield()
        end
      end
    end)
    if not done then
      too_busy()
    end
  end
  for text, id in pairs(plan.ids) do
    ids[text] = id
  end
  for _, one in ipairs(written) do
    ids[one.keyword] = one.id
  end
  return { written = written, there = plan.there, failed = failed }
end

--- Take keywords off: `links` of {photo = LrPhoto, id = keyword id}. Gives how many were there and are off now.
function Writer.take_off(title, links, progress)
  local catalog = LrApplication.activeCatalog()
  local carried = carried_by(catalog, distinct(links, "photo"))
  local handles, taken = {}, {}
  for _, keyword in ipairs(catalog:getKeywordsByLocalId(distinct(links, "id"))) do
    handles[keyword.localIdentifier] = keyword
  end
  local done = Writer.gate(title, function()
    taken = {}
    for i, link in ipairs(links) do
      if handles[link.id] and carried[link.photo] and carried[link.photo][link.id] then
        link.photo:removeKeyword(handles[link.id])
        taken[#taken + 1] = link
      end
      if i % 50 == 0 then
        progress:setPortionComplete(i, #links)
        Task.check(progress)
        LrTasks.yield()
      end
    end
  end)
  if not done then
    too_busy()
  end
  return taken
end

return Writer
