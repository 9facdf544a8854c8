-- Library > Plug-in Extras > Learn from this catalog.

local LrApplication = import("LrApplication")
local LrDialogs = import("LrDialogs")

local Bridge = require("Bridge")
local Json = require("Json")
local Request = require("Request")
local Task = require("Task")

Task.run(LOC("$$$/Keywright/Menu/Learn=Learn from this catalog"), function(_, progress)
  local bridge = Bridge.ensure(progress)
  local told = Bridge.ask(bridge, Request.register(LrApplication.activeCatalog():getPath(), true))
  local job = Json.get(told, "job") or Bridge.ask(bridge, Request.learn(told.id)).id
  local ended = Bridge.wait(bridge, job, progress, 0, 1)
  local result = Json.get(ended, "result") or {}
  local models, photos = Json.get(result, "models"), Json.get(result, "photos")
  LrDialogs.message(
    LOC("$$$/Keywright/Learned=Keywright has learned from this catalog."),
    models and photos and LOC("$$$/Keywright/LearnedInfo=^1 keywords from ^2 photos.", models, photos) or nil
  )
end)
