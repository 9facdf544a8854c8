-- Library > Plug-in Extras > Find photos like these: the nearest photos of this catalog, as a collection.

local LrApplication = import("LrApplication")
local LrDialogs = import("LrDialogs")

local Bridge = require("Bridge")
local Request = require("Request")
local Session = require("Session")
local Similar = require("Similar")
local Task = require("Task")
local Writer = require("Writer")

local ASKED = 20 -- of the selected photos; more blur what is alike
local EACH = 60

Task.run(LOC("$$$/Keywright/Menu/Similar=Find photos like these"), function(_, progress)
  local chosen = Session.chosen_photos()
  if not chosen then
    return
  end
  local bridge = Bridge.ensure(progress)
  local entries = Session.entries(bridge, chosen, progress)
  local lists, own, asked = {}, {}, {}
  for _, entry in ipairs(entries) do
    if entry.id then
      own[entry.id] = true
      if #asked < ASKED then
        asked[#asked + 1] = entry
      end
    end
  end
  Session.suggest(bridge, asked, progress) -- gives those a vector that have none
  for _, entry in ipairs(asked) do
    if entry.state == "ready" then
      Task.check(progress)
      lists[#lists + 1] = Bridge.ask(bridge, Request.similar(entry.id, EACH), progress).photos
    end
  end
  local catalog, photos = LrApplication.activeCatalog(), {}
  for _, one in ipairs(Similar.merged(lists, own, EACH)) do
    -- By uuid: a virtual copy has its master's path. By path where the bridge knows the photo from another catalog.
    local photo = catalog:findPhotoByUuid(one.host_id) or catalog:findPhotoByPath(one.path)
    if photo then
      photos[#photos + 1] = photo
    end
  end
  if #photos == 0 then
    LrDialogs.message(LOC("$$$/Keywright/NoneAlike=No photos like these were found in this catalog."))
    return
  end
  local name = LOC("$$$/Keywright/AlikeName=Keywright: photos like ^1", entries[1].name)
  local collection
  local done = Writer.gate(name, function()
    collection = catalog:createCollection(name, nil, true)
    collection:removeAllPhotos()
    collection:addPhotos(photos)
  end)
  if not done then
    Task.fail(
      LOC("$$$/Keywright/Busy=The catalog is busy."),
      LOC(
        "$$$/Keywright/BusyNoCollection=Another task is writing to it; no collection was made. Try again when it has ended."
      )
    )
  end
  catalog:setActiveSources(collection)
end)
