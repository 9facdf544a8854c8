-- HTTP over real loopback, files, preferences, the log and other small modules.

-- luacheck: ignore 212/self

local host, tasks = ...
local need_task, yield = tasks.need_task, coroutine.yield
local real_error = error

local LrHttp = {}

local function request(what, method, url, body, headers, timeout)
  need_task(what)
  yield(0)
  local lines = {}
  for _, header in ipairs(headers or {}) do
    if type(header) ~= "table" or not header.field then
      real_error(what .. ": headers are {field=, value=}", 3)
    end
    lines[#lines + 1] = header.field .. "\n" .. tostring(header.value)
  end
  local number = host.http_begin(method, url, body or "", table.concat(lines, "\n"), timeout or 60)
  while not host.http_ended(number) do
    yield(host.real_time() and 0.01 or 0) -- this task waits; the others go on
  end
  local status, names, content, code, text = host.http_answer(number)
  local answered = { status = status ~= 0 and status or nil }
  for field, value in string.gmatch(names, "([^\n]+)\n([^\n]*)\n") do
    answered[#answered + 1] = { field = field, value = value }
  end
  if code then
    answered.error = { errorCode = code, name = text }
    return nil, answered
  end
  return content, answered
end

function LrHttp.get(url, headers, timeout)
  return request("LrHttp.get", "GET", url, nil, headers, timeout)
end

function LrHttp.post(url, body, headers, method, timeout)
  return request("LrHttp.post", method or "POST", url, body, headers, timeout)
end

function LrHttp.openUrlInBrowser(url)
  host.browser(url)
end

local LrPathUtils = {
  child = function(folder, name)
    return (string.gsub(folder, "/$", "")) .. "/" .. name
  end,
  parent = function(path)
    return string.match(path, "^(.*)/[^/]*$")
  end,
  leafName = function(path)
    return string.match(path, "([^/]*)$")
  end,
  getStandardFilePath = function(name)
    return host.folder(name)
  end,
}

local LrFileUtils = {
  exists = function(path)
    return host.exists(path)
  end,
  isReadable = function(path)
    return host.exists(path) ~= false
  end,
  readFile = function(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    return text
  end,
  createAllDirectories = function(path)
    host.make_folder(path)
  end,
  delete = function(path)
    return os.remove(path) ~= nil
  end,
}

local prefs = {}
local LrPrefs = {
  prefsForPlugin = function()
    return prefs
  end,
}

local LrLogger = setmetatable({}, {
  __call = function(_, name)
    local logger = {}
    function logger:enable() end
    for _, level in ipairs({ "trace", "debug", "info", "warn", "error" }) do
      logger[level] = function(_, ...)
        local words = {}
        for i = 1, select("#", ...) do
          words[i] = tostring((select(i, ...)))
        end
        host.log(name, level, table.concat(words, " "))
      end
    end
    return logger
  end,
})

local LrDate = {
  currentTime = function()
    return tasks.clock.now
  end,
}

local LrShell = {
  revealInShell = function(path)
    host.browser("reveal:" .. path)
  end,
}

local LrErrors = {
  throwUserError = function(text)
    real_error(text, 0)
  end,
}

local LrSystemInfo = {
  osVersion = function()
    return "simulated"
  end,
}

local LrUUID = {
  generateUUID = function()
    return host.uuid()
  end,
}

return {
  LrHttp = LrHttp,
  LrUUID = LrUUID,
  LrPathUtils = LrPathUtils,
  LrFileUtils = LrFileUtils,
  LrPrefs = LrPrefs,
  LrLogger = LrLogger,
  LrDate = LrDate,
  LrShell = LrShell,
  LrErrors = LrErrors,
  LrSystemInfo = LrSystemInfo,
  prefs = prefs,
}
