-- The bridge as the plug-in knows it: found through its connection file, started where it does not run, asked over
-- loopback. Every function here needs a task.

local LrFileUtils = import("LrFileUtils")
local LrHttp = import("LrHttp")
local LrPathUtils = import("LrPathUtils")
local LrTasks = import("LrTasks")

local Json = require("Json")
local Log = require("Log")
local Request = require("Request")
local Settings = require("Settings")
local Task = require("Task")

local Bridge = {}

local START_SECONDS = 20
local TRIES = 3

local pings = 0

--- Where the bridge keeps its files: the same rule as the bridge's own.
function Bridge.folder()
  local chosen = os.getenv("KEYWRIGHT_HOME")
  if chosen and chosen ~= "" then
    return chosen
  elseif WIN_ENV then
    return LrPathUtils.child(os.getenv("LOCALAPPDATA") or LrPathUtils.getStandardFilePath("appData"), "keywright")
  end
  local home = LrPathUtils.getStandardFilePath("home")
  return LrPathUtils.child(LrPathUtils.child(LrPathUtils.child(home, "Library"), "Application Support"), "keywright")
end

local function read_connection()
  local path = LrPathUtils.child(Bridge.folder(), "bridge.json")
  if LrFileUtils.exists(path) ~= "file" then
    return nil
  end
  return Request.connection(LrFileUtils.readFile(path))
end

--- The bridge that runs: {url, token, protocol, version}, or nil. The token is not sent before it has proved itself.
function Bridge.find()
  local connection = read_connection()
  if not connection then
    return nil
  end
  pings = pings + 1
  local nonce = string.format("lr%d-%s-%d", os.time(), string.gsub(tostring({}), "%W", ""), pings)
  local body = LrHttp.get(connection.url .. "/ping?nonce=" .. nonce, {}, 3)
  local told = Request.genuine(body, connection.token, nonce)
  if not told then
    return nil
  end
  connection.protocol, connection.version = told.protocol, told.version
  return connection
end

-- The program the installer named, else what the settings say, else what the PATH has.
local function command()
  local chosen = Settings.get("command")
  if chosen ~= "" then
    return chosen
  end
  local named = LrPathUtils.child(_PLUGIN.path, "command.txt")
  if LrFileUtils.exists(named) == "file" then
    return (string.gsub(LrFileUtils.readFile(named), "%s+$", ""))
  end
  return "keywright"
end

-- In the background, so that it outlives Lightroom's task: LrTasks.execute waits for what it runs.
local function start()
  local program = command()
  if WIN_ENV then
    local batch = LrPathUtils.child(LrPathUtils.getStandardFilePath("temp"), "keywright-start.bat")
    local file = assert(io.open(batch, "w"))
    file:write('@chcp 65001 >nul\r\n@start "" /b "' .. program .. '" serve >nul 2>&1\r\n')
    file:close()
    return LrTasks.execute('"' .. batch .. '"')
  end
  local quoted = "'" .. string.gsub(program, "'", "'\\''") .. "'"
  return LrTasks.execute("command -v " .. quoted .. " >/dev/null && nohup " .. quoted .. " serve >/dev/null 2>&1 &")
end

local function agree(found)
  local older = Request.compare(found.protocol)
  if older == "plug-in" then
    Task.fail(
      LOC("$$$/Keywright/TooNew=The Keywright that runs (^1) is newer than this plug-in.", found.version),
      LOC("$$$/Keywright/TooNewInfo=Run “keywright install lightroom” and restart Lightroom.")
    )
  elseif older == "bridge" then
    Task.fail(
      LOC("$$$/Keywright/TooOld=The Keywright that runs (^1) is older than this plug-in.", found.version),
      LOC("$$$/Keywright/TooOldInfo=Update Keywright, stop it under File > Plug-in Manager > Keywright, and try again.")
    )
  end
  return found
end

--- The bridge, started where none runs. Ends the task with a message where it cannot be had.
function Bridge.ensure(progress)
  local found = Bridge.find()
  if found then
    return agree(found)
  end
  progress:setCaption(LOC("$$$/Keywright/Starting=Starting Keywright…"))
  start()
  for _ = 1, START_SECONDS * 4 do
    LrTasks.sleep(0.25)
    Task.check(progress)
    found = Bridge.find()
    if found then
      return agree(found)
    end
  end
  return Task.fail(
    LOC("$$$/Keywright/NoStart=Keywright could not be started."),
    LOC(
      "$$$/Keywright/NoStartInfo=Lightroom ran “^1 serve” and nothing answered. Run it in a terminal to see why, or name the program under File > Plug-in Manager > Keywright.",
      command()
    )
  )
end

--- Ask the bridge; the answer's value, or nil and the problem.
function Bridge.try(bridge, request)
  local headers = Request.headers(request, bridge.token)
  local body, answered
  if request.method == "GET" then
    body, answered = LrHttp.get(bridge.url .. request.path, headers, request.timeout)
  else
    body, answered =
      LrHttp.post(bridge.url .. request.path, request.body or "", headers, request.method, request.timeout)
  end
  answered = answered or {}
  return Request.read(body, answered.status, answered.error and answered.error.errorCode)
end

local function explain(problem)
  if problem.kind == "timeout" then
    Task.fail(
      LOC("$$$/Keywright/Timeout=Keywright did not answer in time."),
      LOC("$$$/Keywright/TimeoutInfo=It may be busy learning; try again in a while.")
    )
  elseif problem.kind == "refused" then
    Task.fail(
      LOC("$$$/Keywright/Refused=Keywright did not let the plug-in in."),
      LOC("$$$/Keywright/RefusedInfo=Stop Keywright under File > Plug-in Manager > Keywright and try again.")
    )
  elseif problem.kind == "problem" then
    Task.fail(LOC("$$$/Keywright/Problem=Keywright could not do that."), tostring(problem.detail))
  end
  Task.fail(
    LOC("$$$/Keywright/Gone=Keywright has stopped answering."),
    LOC(
      "$$$/Keywright/GoneInfo=What was decided until now is kept. Try again: it is started anew. (^1)",
      tostring(problem.detail)
    )
  )
end

-- The same, but the person need not wait for the answer to cancel: LrHttp holds the task that asks, so another one does.
local function try_cancelable(bridge, request, progress)
  local value, problem, bug, ended
  LrTasks.startAsyncTask(function()
    local ok, why = LrTasks.pcall(function()
      value, problem = Bridge.try(bridge, request)
    end)
    bug, ended = not ok and why, true
  end)
  while not ended do
    Task.check(progress)
    LrTasks.sleep(0.05)
  end
  if bug then
    error(bug, 0)
  end
  return value, problem
end

--- Ask, again where the connection broke: only what may be asked twice (reads, and what carries an idempotency key).
-- With `progress` the person can cancel while the bridge works on it; the answer is then given up. So not for what
-- tells the bridge of decisions.
function Bridge.ask(bridge, request, progress)
  local again = request.method ~= "POST" or request.key or request.safe
  local value, problem
  for try = 1, again and TRIES or 1 do
    if progress then
      value, problem = try_cancelable(bridge, request, progress)
    else
      value, problem = Bridge.try(bridge, request)
    end
    if value ~= nil then
      return value
    end
    Log.info(request.method, request.path, problem.kind, problem.detail)
    if problem.kind == "problem" and problem.status < 500 or problem.kind == "refused" or problem.kind == "timeout" then
      break
    end
    if again then
      LrTasks.sleep(0.3 * try)
    end
  end
  return explain(problem)
end

--- Wait for a job, showing how far it is; cancel goes to the job as well. Gives the ended job.
function Bridge.wait(bridge, number, progress, from, to)
  local pause = 0.1
  while true do
    local job = Bridge.ask(bridge, Request.job(number))
    if job.state == "completed" then
      return job
    elseif job.state == "failed" or job.state == "cancelled" then
      Task.fail(
        LOC("$$$/Keywright/JobFailed=Keywright could not finish."),
        Json.get(job, "error") or LOC("$$$/Keywright/JobCancelled=It was stopped.")
      )
    end
    local total = Json.get(job, "total")
    if total and total > 0 then
      progress:setPortionComplete(from + (to - from) * math.min(1, job.done / total), 1)
    end
    if job.stage ~= "" then
      progress:setCaption(job.stage)
    end
    if progress:isCanceled() then
      Bridge.try(bridge, Request.cancel(number))
      Task.check(progress)
    end
    LrTasks.sleep(pause)
    pause = math.min(0.5, pause * 1.5)
  end
end

return Bridge
