-- Library > Plug-in Extras > Suggest keywords.

local LrDialogs = import("LrDialogs")
local LrHttp = import("LrHttp")

local Applying = require("Applying")
local Bridge = require("Bridge")
local Request = require("Request")
local Review = require("Review")
local Session = require("Session")
local Settings = require("Settings")
local SuggestDialog = require("SuggestDialog")
local Task = require("Task")

-- Big selections are better looked through in the browser; the person chooses.
local function too_many(bridge, photos)
  if #photos <= Settings.get("browser_above") then
    return false
  end
  local answer = LrDialogs.confirm(
    LOC("$$$/Keywright/Many=^1 photos are many for a dialog.", #photos),
    LOC(
      "$$$/Keywright/ManyInfo=In the browser they can be looked through by keyword. What is accepted there is written by Apply accepted keywords."
    ),
    LOC("$$$/Keywright/InBrowser=Review in browser"),
    LOC("$$$/Keywright/Cancel=Cancel"),
    LOC("$$$/Keywright/HereAnyway=Here anyway")
  )
  if answer == "ok" then
    LrHttp.openUrlInBrowser(Bridge.ask(bridge, Request.login_link()).url)
  end
  return answer ~= "other"
end

local function existing_names(entry)
  local names = {}
  for i, keyword in ipairs(entry.keywords) do
    names[i] = keyword:getName()
  end
  table.sort(names)
  return names
end

-- What goes into the review: photos with suggestions. The others are counted, with the first reason.
local function reviewable(entries)
  local photos, without, failed, reason = {}, 0, 0, nil
  for _, entry in ipairs(entries) do
    if entry.suggestions and #entry.suggestions > 0 then
      photos[#photos + 1] = {
        id = entry.id,
        name = entry.name,
        photo = entry.photo,
        uuid = entry.uuid,
        existing = existing_names(entry),
        suggestions = entry.suggestions,
      }
    elseif entry.state == "ready" then
      without = without + 1
    else
      failed = failed + 1
      reason = reason or (entry.name .. ": " .. (entry.error or ""))
    end
  end
  return photos, without, failed, reason
end

Task.run(LOC("$$$/Keywright/Menu/Suggest=Suggest keywords"), function(_, progress)
  local chosen = Session.chosen_photos()
  if not chosen then
    return
  end
  local bridge = Bridge.ensure(progress)
  if too_many(bridge, chosen) then
    return
  end
  local entries = Session.entries(bridge, chosen, progress)
  local version = Session.suggest(bridge, entries, progress)
  local photos, without, failed, reason = reviewable(entries)
  if failed > 0 then
    LrDialogs.message(
      LOC("$$$/Keywright/NotLooked=^1 photos could not be looked at.", failed),
      LOC("$$$/Keywright/First=The first: ^1", reason)
    )
  end
  if #photos == 0 then
    LrDialogs.message(LOC("$$$/Keywright/Nothing=Keywright suggests nothing on these ^1 photos.", without))
    return
  end
  Task.check(progress)
  local review = Review.new(photos, Settings.get("threshold"))
  review.version = version
  local add, others_wrong = SuggestDialog.run(review)
  if not add then
    return
  end
  local decisions = review:decisions(others_wrong)
  if #decisions == 0 then
    return
  end
  -- Decisions first: they are safe on the bridge's disk before the catalog is touched, and what could not be written
  -- is found again by Apply accepted keywords.
  Session.decide(bridge, decisions)
  local of, ids, wanted = {}, {}, {}
  for _, photo in ipairs(photos) do
    of[photo.id] = photo
    for _, one in ipairs(photo.suggestions) do
      ids[one.keyword] = Request.local_id(one)
    end
  end
  for _, one in ipairs(decisions) do
    if one.decision == "accepted" then
      local photo = of[one.photo]
      wanted[#wanted + 1] = {
        photo = photo.photo,
        uuid = photo.uuid,
        number = photo.id,
        keyword = one.keyword,
        id = ids[one.keyword],
      }
    end
  end
  if #wanted > 0 then
    Applying.apply(bridge, wanted, progress)
  end
end)
