-- Library > Plug-in Extras > Apply accepted keywords: what was accepted in the browser, for this catalog, and off the
-- photos what was called wrong there.

local LrApplication = import("LrApplication")
local LrDialogs = import("LrDialogs")

local Applying = require("Applying")
local Bridge = require("Bridge")
local Json = require("Json")
local Request = require("Request")
local Session = require("Session")
local Task = require("Task")
local Wrong = require("Wrong")

-- What waits for the catalog: lists of what is to be added and taken off, and how many photos it no longer has.
local function waiting(bridge, progress)
  local number = Session.catalog(bridge, progress)
  local catalog = LrApplication.activeCatalog()
  local add, off, gone, after = {}, {}, 0, 0
  while after do
    Task.check(progress)
    local page = Bridge.ask(bridge, Request.pending(number, after))
    local ids = Json.get(page, "host_ids") or {}
    for _, one in ipairs(page.photos) do
      -- By its own id: a virtual copy has keywords of its own, and its master's path.
      local photo = catalog:findPhotoByUuid(one.host_id)
      local function take(list, keywords)
        for _, keyword in ipairs(keywords) do
          list[#list + 1] =
            { photo = photo, uuid = one.host_id, number = one.photo, keyword = keyword, id = tonumber(ids[keyword]) }
        end
      end
      if photo then
        take(add, one.add)
        take(off, one.remove)
      else
        gone = gone + 1
      end
    end
    after = Json.get(page, "next")
  end
  return add, off, gone
end

local function names(off)
  local found, more = Wrong.summary(off)
  local lines = {}
  for i, one in ipairs(found) do
    lines[i] = LOC("$$$/Keywright/WrongOn=“^1” off ^2 photos", one.keyword, one.count)
  end
  if more > 0 then
    lines[#lines + 1] = LOC("$$$/Keywright/WrongMore=and ^1 more keywords", more)
  end
  return table.concat(lines, "\n")
end

-- Whether to go on, and what of `off` to take off: nothing is taken off that the person was not told of.
local function agreed(add, off)
  if #off == 0 then
    return true, off
  end
  local info = names(off)
    .. "\n"
    .. LOC(
      "$$$/Keywright/WrongInfo=They stay in the keyword list and on all other photos. Undo Keywright's last batch puts them back."
    )
  if #add == 0 then
    local question = LOC("$$$/Keywright/WrongOnly=Keywright takes off ^1 keywords you called wrong.", #off)
    return LrDialogs.confirm(question, info, LOC("$$$/Keywright/TakeOff=Take off")) == "ok", off
  end
  local answer = LrDialogs.confirm(
    LOC("$$$/Keywright/WrongToo=Keywright adds ^1 keywords and takes off ^2 you called wrong.", #add, #off),
    info,
    LOC("$$$/Keywright/DoBoth=Add and take off"),
    LOC("$$$/Keywright/Cancel=Cancel"),
    LOC("$$$/Keywright/OnlyAdd=Only add")
  )
  return answer ~= "cancel", answer == "ok" and off or {}
end

Task.run(LOC("$$$/Keywright/Menu/Apply=Apply accepted keywords"), function(_, progress)
  local bridge = Bridge.ensure(progress)
  local add, off, gone = waiting(bridge, progress)
  if gone > 0 then
    LrDialogs.message(LOC("$$$/Keywright/GonePhotos=^1 photos are no longer in this catalog; they are left out.", gone))
  end
  if #add + #off == 0 then
    LrDialogs.message(LOC("$$$/Keywright/NothingAccepted=Nothing accepted is waiting for this catalog."))
    return
  end
  local yes
  yes, off = agreed(add, off)
  if yes then
    Applying.apply(bridge, add, progress, off)
  end
end)
