-- Keywords onto photos and off them: one write gate, one undo step. Everything is read and planned before the gate;
-- inside it only handles are used, since what a gate makes cannot be read until it ends.

local LrApplication = import("LrApplication")
local LrTasks = import("LrTasks")

local Handles = require("Handles")
local Keywords = require("Keywords")
local Task = require("Task")

local Writer = {}

local TIMEOUT = 10 -- seconds for one try to get write access
local TRIES = 3

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

-- Inside the gate, from one step to the next: progress, cancel, and time for others.
local function step(progress, i, of)
  if i % 50 == 0 then
    progress:setPortionComplete(i, of)
    Task.check(progress)
    LrTasks.yield()
  end
end

--- Put `wanted` on and take `off`, lists of {photo = LrPhoto, keyword = text, id = the keyword's as the bridge read it, or nil}, in one
-- step. Gives {written, there, failed, off} of such entries: failed ones with `why`, `written` and `off` with the
-- keyword's id; what was to be taken off and is not there is in none of them.
function Writer.write(title, wanted, new_tops, progress, off)
  off = off or {}
  local catalog = LrApplication.activeCatalog()
  local all = {}
  for _, list in ipairs({ wanted, off }) do
    for _, one in ipairs(list) do
      all[#all + 1] = one
    end
  end
  local index, handles = Handles.resolve(catalog, all)
  local carried = Handles.carried_by(catalog, Keywords.distinct(all, "photo"))
  local plan = Keywords.plan(index, wanted, carried, new_tops, off)
  local written, failed = {}, plan.skipped
  if #plan.links + #plan.off > 0 then
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
        step(progress, i, #plan.links + #plan.off)
      end
      for i, link in ipairs(plan.off) do
        link.photo:removeKeyword(handles[link.id])
        step(progress, #plan.links + i, #plan.links + #plan.off)
      end
    end)
    if not done then
      too_busy()
    end
  end
  Handles.remember(catalog, plan.ids, written)
  return { written = written, there = plan.there, failed = failed, off = plan.off }
end

--- Take a batch back: its `links` off, and what it had taken off (`back`) on again, both of {photo = LrPhoto, id =
-- keyword id}, in one step. Gives those that were there and are off now, and those that were not there and are on now.
function Writer.take_back(title, links, back, progress)
  local catalog = LrApplication.activeCatalog()
  local all = {}
  for _, list in ipairs({ links, back }) do
    for _, one in ipairs(list) do
      all[#all + 1] = one
    end
  end
  local carried = Handles.carried_by(catalog, Keywords.distinct(all, "photo"))
  local handles = {}
  for _, keyword in ipairs(catalog:getKeywordsByLocalId(Keywords.distinct(all, "id"))) do
    handles[keyword.localIdentifier] = keyword
  end
  local taken, given
  local done = Writer.gate(title, function()
    taken, given = {}, {}
    for i, link in ipairs(links) do
      if handles[link.id] and carried[link.photo] and carried[link.photo][link.id] then
        link.photo:removeKeyword(handles[link.id])
        taken[#taken + 1] = link
      end
      step(progress, i, #all)
    end
    for i, link in ipairs(back) do
      if handles[link.id] and carried[link.photo] and not carried[link.photo][link.id] then
        link.photo:addKeyword(handles[link.id])
        given[#given + 1] = link
      end
      step(progress, #links + i, #all)
    end
  end)
  if not done then
    too_busy()
  end
  return taken, given
end

return Writer
