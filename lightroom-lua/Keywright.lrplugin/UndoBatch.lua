-- Library > Plug-in Extras > Undo Keywright's last batch: takes off the keywords that batch put there, and no others.
-- Ctrl+Z does the same while it is the last step; this works later too, after other work and after a restart.

local LrApplication = import("LrApplication")
local LrDialogs = import("LrDialogs")

local Batches = require("Batches")
local Bridge = require("Bridge")
local Json = require("Json")
local Session = require("Session")
local Task = require("Task")
local Writer = require("Writer")

local function question_of(links, taken)
  if taken == 0 then
    return LOC("$$$/Keywright/UndoQuestion=Take ^1 keywords off again?", links)
  elseif links == 0 then
    return LOC("$$$/Keywright/UndoTaken=Put ^1 keywords back that were taken off?", taken)
  end
  return LOC("$$$/Keywright/UndoQuestionBoth=Take ^1 keywords off again and put ^2 back?", links, taken)
end

-- The batch's links on photos that are in the catalog: {photo = LrPhoto, id}.
local function in_catalog(catalog, links, found)
  local here = {}
  for _, one in ipairs(links) do
    if found[one.uuid] == nil then
      found[one.uuid] = catalog:findPhotoByUuid(one.uuid) or false
    end
    if found[one.uuid] then
      here[#here + 1] = { photo = found[one.uuid], id = one.id }
    end
  end
  return here
end

Task.run(LOC("$$$/Keywright/Menu/Undo=Undo Keywright's last batch"), function(_, progress)
  local batch = Batches.last()
  if not batch then
    LrDialogs.message(
      LOC("$$$/Keywright/NoBatch=Keywright has written nothing into this catalog that is still to undo.")
    )
    return
  end
  local was_taken = Json.get(batch, "taken") or {} -- batches of earlier versions have none
  local info = LOC(
    "$$$/Keywright/UndoInfo=Keywords you have given yourself stay. Keywords made new stay in the keyword list: Lightroom lets no plug-in delete them."
  )
  local verb = #batch.links > 0 and LOC("$$$/Keywright/TakeOff=Take off") or LOC("$$$/Keywright/PutBack=Put back")
  if LrDialogs.confirm(question_of(#batch.links, #was_taken), info, verb) ~= "ok" then
    return
  end
  local bridge = Bridge.ensure(progress)
  local catalog = LrApplication.activeCatalog()
  local found = {}
  local links, back = in_catalog(catalog, batch.links, found), in_catalog(catalog, was_taken, found)
  local title = LOC("$$$/Keywright/UndoBatch=Keywright: undo a batch")
  local taken, given = Writer.take_back(title, links, back, progress)
  local decisions, reports = {}, {}
  local function tell(list, action)
    for _, one in ipairs(list) do
      decisions[#decisions + 1] = { photo = one.photo, keyword = one.keyword, decision = "undecided" }
      reports[#reports + 1] = { photo = one.photo, keyword = one.keyword, action = action, done = true, reason = "" }
    end
  end
  tell(batch.links, "remove")
  tell(was_taken, "add")
  -- First undecided, then reported: the other way round they would wait to be written again.
  Session.decide(bridge, decisions)
  Session.report(bridge, reports)
  Batches.drop_last()
  local words = LOC("$$$/Keywright/TakenOff=^1 keywords were taken off.", #taken)
  local back_words = LOC("$$$/Keywright/GivenBack=^1 keywords were put back.", #given)
  if #was_taken == 0 then
    LrDialogs.message(words)
  elseif #batch.links == 0 then
    LrDialogs.message(back_words)
  else
    LrDialogs.message(words, back_words)
  end
end)
