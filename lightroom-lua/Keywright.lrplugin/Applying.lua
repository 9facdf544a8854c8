-- Accepted keywords into the catalog, what was written into the list of batches, and word of it to the bridge: the
-- same for what is ticked in the dialog and for what was accepted in the browser.

local LrDialogs = import("LrDialogs")

local Batches = require("Batches")
local Json = require("Json")
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

local function report_of(one, done, reason)
  return { photo = one.number, keyword = one.keyword, action = "add", done = done, reason = reason or "" }
end

--- Write `wanted` of {photo = LrPhoto, uuid, number = the bridge's photo, keyword = text, id = the keyword's or nil} and say what became of it.
function Applying.apply(bridge, wanted, progress)
  local title = LOC("$$$/Keywright/UndoStep=Keywright: add keywords")
  progress:setCaption(LOC("$$$/Keywright/Writing=Writing keywords…"))
  local of = {}
  for _, one in ipairs(wanted) do
    of[one.photo] = of[one.photo] or one
  end
  local result = Writer.write(title, wanted, Settings.get("new_tops"), progress)
  local links, reports, photos, count = Json.array(), {}, {}, 0
  for _, one in ipairs(result.written) do
    local entry = of[one.photo]
    links[#links + 1] = { uuid = entry.uuid, id = one.id, keyword = one.keyword, photo = entry.number }
    reports[#reports + 1] = report_of({ number = entry.number, keyword = one.keyword }, true)
    if not photos[one.photo] then
      photos[one.photo] = true
      count = count + 1
    end
  end
  for _, one in ipairs(result.failed) do
    reports[#reports + 1] = report_of({ number = of[one.photo].number, keyword = one.keyword }, false, why_not(one))
  end
  if #links > 0 then
    Batches.add({ name = title, links = links })
  end
  Session.report(bridge, reports)
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
  LrDialogs.message(LOC("$$$/Keywright/Written=^1 keywords on ^2 photos.", #links, count), info)
end

return Applying
