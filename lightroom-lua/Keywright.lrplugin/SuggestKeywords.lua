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

-- Big selections are better looked through in the browser; the person chooses: `browser`, `here` or neither.
local function where(photos)
  if #photos <= Settings.get("browser_above") then
    return "here"
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
  return answer == "ok" and "browser" or answer == "other" and "here"
end

local function tell_failed(failed, reason)
  if failed > 0 then
    LrDialogs.message(
      LOC("$$$/Keywright/NotLooked=^1 photos could not be looked at.", failed),
      LOC("$$$/Keywright/First=The first: ^1", reason)
    )
  end
end

local function why_failed(entry)
  return entry.name .. ": " .. (entry.error or "")
end

local function open_browser(bridge, entries, progress)
  local known, reason = 0, nil
  for _, entry in ipairs(entries) do
    if entry.id then
      known = known + 1
    else
      reason = reason or why_failed(entry)
    end
  end
  local link, shown = Session.review_link(bridge, entries, progress)
  tell_failed(#entries - known, reason)
  if shown < known then
    LrDialogs.message(
      LOC("$$$/Keywright/FirstShown=The browser shows the first ^1 of these ^2 photos.", shown, known),
      LOC("$$$/Keywright/FirstShownInfo=Select the others and choose Suggest keywords again.")
    )
  end
  if link then
    LrHttp.openUrlInBrowser(link)
  end
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
      reason = reason or why_failed(entry)
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
  local place = where(chosen)
  if not place then
    return
  end
  local entries = Session.entries(bridge, chosen, progress)
  if place == "browser" then
    open_browser(bridge, entries, progress)
    return
  end
  local version = Session.suggest(bridge, entries, progress)
  local photos, without, failed, reason = reviewable(entries)
  tell_failed(failed, reason)
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
