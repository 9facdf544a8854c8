-- Library > Plug-in Extras > Undo Keywright's last batch: takes off the keywords that batch put there, and no others.
-- Ctrl+Z does the same while it is the last step; this works later too, after other work and after a restart.

local LrApplication = import("LrApplication")
local LrDialogs = import("LrDialogs")

local Batches = require("Batches")
local Bridge = require("Bridge")
local Session = require("Session")
local Task = require("Task")
local Writer = require("Writer")

Task.run(LOC("$$$/Keywright/Menu/Undo=Undo Keywright's last batch"), function(_, progress)
  local batch = Batches.last()
  if not batch then
    LrDialogs.message(
      LOC("$$$/Keywright/NoBatch=Keywright has written nothing into this catalog that is still to undo.")
    )
    return
  end
  local question = LOC("$$$/Keywright/UndoQuestion=Take ^1 keywords off again?", #batch.links)
  local info = LOC(
    "$$$/Keywright/UndoInfo=Keywords you have given yourself stay. Keywords made new stay in the keyword list: Lightroom lets no plug-in delete them."
  )
  if LrDialogs.confirm(question, info, LOC("$$$/Keywright/TakeOff=Take off")) ~= "ok" then
    return
  end
  local bridge = Bridge.ensure(progress)
  local catalog = LrApplication.activeCatalog()
  local links, found = {}, {}
  for _, one in ipairs(batch.links) do
    if found[one.uuid] == nil then
      found[one.uuid] = catalog:findPhotoByUuid(one.uuid) or false
    end
    if found[one.uuid] then
      links[#links + 1] = { photo = found[one.uuid], id = one.id }
    end
  end
  local taken = Writer.take_off(LOC("$$$/Keywright/UndoUndo=Keywright: take keywords off"), links, progress)
  local decisions, reports = {}, {}
  for i, one in ipairs(batch.links) do
    decisions[i] = { photo = one.photo, keyword = one.keyword, decision = "undecided" }
    reports[i] = { photo = one.photo, keyword = one.keyword, action = "remove", done = true, reason = "" }
  end
  -- First undecided, then reported: the other way round they would wait to be written again.
  Session.decide(bridge, decisions)
  Session.report(bridge, reports)
  Batches.drop_last()
  LrDialogs.message(LOC("$$$/Keywright/TakenOff=^1 keywords were taken off.", #taken))
end)
