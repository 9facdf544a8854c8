-- The log: in Lightroom's own log folder, written only when the settings say so.

local LrLogger = import("LrLogger")

local Settings = require("Settings")

local logger = LrLogger("Keywright")
local Log = {}

function Log.info(...)
  if Settings.get("log") then
    logger:enable("logfile")
    logger:info(...)
  end
end

function Log.warn(...)
  logger:enable("logfile")
  logger:warn(...)
end

return Log
