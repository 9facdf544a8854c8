-- File > Plug-in Manager > Keywright: the state of the bridge, start and stop, and the settings.

local LrFunctionContext = import("LrFunctionContext")
local LrTasks = import("LrTasks")
local LrView = import("LrView")

local Bridge = require("Bridge")
local Request = require("Request")
local Settings = require("Settings")
local Task = require("Task")

local function refresh(properties)
  LrTasks.startAsyncTask(function()
    local bridge = Bridge.find()
    if bridge then
      properties.state = LOC("$$$/Keywright/Running=Keywright ^1 is running.", bridge.version)
    else
      properties.state = LOC("$$$/Keywright/NotRunning=Keywright is not running; it is started when it is needed.")
    end
    properties.running = bridge ~= nil
  end)
end

local function start(properties)
  Task.run(LOC("$$$/Keywright/StartNow=Start"), function(_, progress)
    Bridge.ensure(progress)
    refresh(properties)
  end)
end

local function stop(properties)
  LrFunctionContext.postAsyncTaskWithContext("Keywright stop", function()
    local bridge = Bridge.find()
    if bridge then
      Bridge.try(bridge, Request.shut_down())
      LrTasks.sleep(1)
    end
    refresh(properties)
  end)
end

local PERCENT = { threshold = true, least = true } -- shown as percent, kept as a share

-- Every setting is a property of the page, and goes to the preferences as soon as it is changed.
local function bring_in(properties)
  for name in pairs(Settings.NAMES) do
    local value = Settings.get(name)
    properties[name] = PERCENT[name] and math.floor(value * 100 + 0.5) or value
    properties:addObserver(name, function(_, _, new)
      Settings.set(name, PERCENT[name] and new / 100 or new)
    end)
  end
end

local function field(f, title, control)
  return f:row({ f:static_text({ title = title, width = 260 }), control })
end

local function sections(f, properties)
  bring_in(properties)
  properties.state, properties.running = LOC("$$$/Keywright/Looking=Looking for Keywright…"), false
  refresh(properties)
  return {
    {
      title = LOC("$$$/Keywright/Name=Keywright"),
      synopsis = LrView.bind("state"),
      bind_to_object = properties,
      f:static_text({ title = LrView.bind("state"), width = 420 }),
      f:row({
        f:push_button({
          title = LOC("$$$/Keywright/StartNow=Start"),
          action = function()
            start(properties)
          end,
        }),
        f:push_button({
          title = LOC("$$$/Keywright/StopNow=Stop"),
          enabled = LrView.bind("running"),
          action = function()
            stop(properties)
          end,
        }),
      }),
      field(
        f,
        LOC("$$$/Keywright/Set/Threshold=Tick suggestions at least this sure (percent)"),
        f:edit_field({ value = LrView.bind("threshold"), min = 5, max = 99, precision = 0, width_in_digits = 4 })
      ),
      field(
        f,
        LOC("$$$/Keywright/Set/Least=Suggest only what is at least this sure (percent; 0: as each keyword needs it)"),
        f:edit_field({ value = LrView.bind("least"), min = 0, max = 99, precision = 0, width_in_digits = 4 })
      ),
      field(
        f,
        LOC("$$$/Keywright/Set/Browser=More photos than this go to the browser"),
        f:edit_field({ value = LrView.bind("browser_above"), min = 1, max = 100000, precision = 0, width_in_digits = 6 })
      ),
      field(
        f,
        LOC("$$$/Keywright/Set/Profile=Profile (empty: none)"),
        f:edit_field({ value = LrView.bind("profile"), width_in_chars = 20 })
      ),
      field(
        f,
        LOC("$$$/Keywright/Set/Command=Program that is the bridge (empty: found by itself)"),
        f:edit_field({ value = LrView.bind("command"), width_in_chars = 30 })
      ),
      f:checkbox({
        title = LOC(
          "$$$/Keywright/Set/Thumbnails=Send developed thumbnails instead of letting Keywright read the originals"
        ),
        value = LrView.bind("thumbnails"),
      }),
      f:checkbox({
        title = LOC("$$$/Keywright/Set/NewTops=Keywright may make new keywords at the top level"),
        value = LrView.bind("new_tops"),
      }),
      f:checkbox({ title = LOC("$$$/Keywright/Set/Log=Write a log"), value = LrView.bind("log") }),
    },
  }
end

return { sectionsForTopOfDialog = sections }
