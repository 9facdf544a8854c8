-- Library > Plug-in Extras > Review in browser: a link that lets this browser in, once.

local LrHttp = import("LrHttp")

local Bridge = require("Bridge")
local Request = require("Request")
local Task = require("Task")

Task.run(LOC("$$$/Keywright/Menu/Review=Review in browser"), function(_, progress)
  local bridge = Bridge.ensure(progress)
  LrHttp.openUrlInBrowser(Bridge.ask(bridge, Request.login_link()).url)
end)
