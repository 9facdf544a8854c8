-- Library > Plug-in Extras > Apply accepted keywords: what was accepted in the browser, for this catalog.

local LrApplication = import("LrApplication")
local LrDialogs = import("LrDialogs")

local Applying = require("Applying")
local Bridge = require("Bridge")
local Json = require("Json")
local Request = require("Request")
local Session = require("Session")
local Task = require("Task")

Task.run(LOC("$$$/Keywright/Menu/Apply=Apply accepted keywords"), function(_, progress)
  local bridge = Bridge.ensure(progress)
  local number = Session.catalog(bridge, progress)
  local catalog = LrApplication.activeCatalog()
  local wanted, gone, after = {}, 0, 0
  while after do
    Task.check(progress)
    local page = Bridge.ask(bridge, Request.pending(number, after))
    local ids = Json.get(page, "host_ids") or {}
    for _, one in ipairs(page.photos) do
      if #one.add > 0 then
        local photo = catalog:findPhotoByUuid(one.host_id)
        if photo then
          for _, keyword in ipairs(one.add) do
            wanted[#wanted + 1] = {
              photo = photo,
              uuid = one.host_id,
              number = one.photo,
              keyword = keyword,
              id = tonumber(ids[keyword]),
            }
          end
        else
          gone = gone + 1
        end
      end
    end
    after = Json.get(page, "next")
  end
  if gone > 0 then
    LrDialogs.message(LOC("$$$/Keywright/GonePhotos=^1 photos are no longer in this catalog; they are left out.", gone))
  end
  if #wanted == 0 then
    LrDialogs.message(LOC("$$$/Keywright/NothingAccepted=Nothing accepted is waiting for this catalog."))
    return
  end
  Applying.apply(bridge, wanted, progress)
end)
