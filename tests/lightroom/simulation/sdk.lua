-- The SDK as the plug-in sees it, put together of the files in `sdk/`, and what a test calls to drive it. The catalog,
-- HTTP and the person stand on the Python side (`host`).

local host, plugin_path, folder = ...

local function part(name, ...)
  return assert(loadfile(folder .. "/sdk/" .. name .. ".lua"))(...)
end

local tasks = part("tasks", host)
local catalog = part("catalog", host, tasks)
local screen = part("screen", host, tasks)
local services = part("services", host, tasks)
local sdk = { LrTasks = tasks.LrTasks, LrFunctionContext = tasks.LrFunctionContext, LrSelection = {} }
for _, module in ipairs({ catalog, screen, services }) do
  for name, value in pairs(module) do
    if string.find(name, "^Lr") then
      sdk[name] = value
    end
  end
end
local environment = part("environment", host, sdk, plugin_path)

local control = {
  prefs = services.prefs,
  sdk = sdk,
  resolved = screen.resolved,
  is_binding = screen.is_binding,
  advance = tasks.advance,
}

function control.info()
  return environment.load_file("Info.lua", environment.info)()
end

-- A menu file runs top to bottom and not in a task.
function control.run_file(name)
  return environment.load_file(name, environment.full)()
end

function control.require(name)
  return environment.full.require(name)
end

function control.start(fn)
  tasks.start(fn, "test")
end

function control.compile(text)
  return setfenv(assert(loadstring(text)), environment.full)
end

function control.now()
  return tasks.clock.now
end

function control.turn()
  catalog.deliver_pictures()
  return tasks.turn()
end

function control.forget_tasks()
  tasks.forget()
  catalog.forget_pictures()
end

return control
