-- Accepted keywords into the catalog and what was called wrong out of it, what was done into the list of batches, and
-- word of it to the bridge: the same for what is ticked in the dialog and for what was decided in the browser.

local LrDialogs = import("LrDialogs")

local Batches = require("Batches")
local Json = require("Json")
local Keywords = require("Keywords")
local Session = require("Session")
local Settings = require("Settings")
local Writer = require("Writer")

local Applying = {}

local function why_not(one)
  if one.why == "no top" then
    return LOC("$$$/Keywright/NoTop=there is no such keyword, and Keywright makes none at the top level")
  elseif one.why == "bad name" then
    return LOC("$$$/Keywright/BadName=Lightroom allows no such name of a keyword")
  end
  return LOC("$$$/Keywright/NotMade=Lightroom did not make the keyword")
end

local function report_of(number, keyword, action, done, reason)
  return { photo = number, keyword = keyword, action = action, done = done, reason = reason or "" }
end

local function title_of(wanted, off)
  if #off == 0 then
    return LOC("$$$/Keywright/UndoStep=Keywright: add keywords")
  elseif #wanted == 0 then
    return LOC("$$$/Keywright/UndoUndo=Keywright: take keywords off")
  end
  return LOC("$$$/Keywright/UndoBoth=Keywright: add keywords and take wrong ones off")
end

local function tell(result, photos)
  local info = ""
  if #result.there > 0 then
    info = LOC("$$$/Keywright/There=^1 were there already.", #result.there) .. " "
  end
  if #result.failed > 0 then
    local one = result.failed[1]
    info = info
      .. LOC(
        "$$$/Keywright/NotWritten=^1 were not written, the first: “^2”: ^3.",
        #result.failed,
        one.keyword,
        why_not(one)
      )
  end
  local off = LOC("$$$/Keywright/TakenOff=^1 keywords were taken off.", #result.off)
  if #result.written + #result.there + #result.failed == 0 then
    LrDialogs.message(off, info)
    return
  elseif #result.off > 0 then
    info = off .. " " .. info
  end
  LrDialogs.message(LOC("$$$/Keywright/Written=^1 keywords on ^2 photos.", #result.written, photos), info)
end

--- Write `wanted` and take `off`, lists of {photo = LrPhoto, uuid, number = the bridge's photo, keyword = text, id = the
-- keyword's or nil}, as one step and one batch, and say what became of it.
function Applying.apply(bridge, wanted, progress, off)
  off = off or {}
  local title = title_of(wanted, off)
  progress:setCaption(LOC("$$$/Keywright/Writing=Writing keywords…"))
  local of = {}
  for _, list in ipairs({ wanted, off }) do
    for _, one in ipairs(list) do
      of[one.photo] = of[one.photo] or one
    end
  end
  local result = Writer.write(title, wanted, Settings.get("new_tops"), progress, off)
  local function kept(list)
    local links = Json.array()
    for i, one in ipairs(list) do
      local entry = of[one.photo]
      links[i] = { uuid = entry.uuid, id = one.id, keyword = one.keyword, photo = entry.number }
    end
    return links
  end
  local links, taken = kept(result.written), kept(result.off)
  if #links + #taken > 0 then
    Batches.add({ name = title, links = links, taken = taken })
  end
  local reports = {}
  for _, one in ipairs(links) do
    reports[#reports + 1] = report_of(one.photo, one.keyword, "add", true)
  end
  for _, one in ipairs(result.failed) do
    reports[#reports + 1] = report_of(of[one.photo].number, one.keyword, "add", false, why_not(one))
  end
  for _, one in ipairs(off) do
    -- Also what a person has taken off meanwhile: it is not there, as was wanted.
    reports[#reports + 1] = report_of(one.number, one.keyword, "remove", true)
  end
  Session.report(bridge, reports)
  tell(result, #Keywords.distinct(links, "uuid"))
end

return Applying
