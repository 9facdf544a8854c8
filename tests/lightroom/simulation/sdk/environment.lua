-- What the plug-in's files see: strict globals, LOC with the translations, import, and require of its own files alone.

local host, sdk, plugin_path = ...
local real_error = error

local function LOC(text, ...)
  local given = { ... }
  local key, fallback = string.match(text, "^(%$%$%$/[^=]+)=(.*)$")
  if not key then
    real_error("LOC: '" .. tostring(text) .. "' is not of the form $$$/Key=Text", 2)
  end
  local shown = host.translated(key) or fallback
  shown = string.gsub(shown, "%^(.)", function(mark)
    local number = tonumber(mark)
    if number then
      return tostring(given[number] == nil and "" or given[number])
    end
    return ({ r = "\n", n = "\n", Q = "“", U = "”", ["^"] = "^" })[mark]
  end)
  return shown
end

local base = {
  LOC = LOC,
  assert = assert,
  error = error,
  ipairs = ipairs,
  next = next,
  pairs = pairs,
  pcall = pcall,
  rawget = rawget,
  rawset = rawset,
  select = select,
  setmetatable = setmetatable,
  getmetatable = getmetatable,
  tonumber = tonumber,
  tostring = tostring,
  type = type,
  unpack = unpack,
  string = string,
  table = table,
  math = math,
  io = io,
  os = {
    time = os.time,
    date = os.date,
    remove = os.remove,
    rename = os.rename,
    getenv = host.getenv,
    clock = os.clock,
  },
  WIN_ENV = false,
  MAC_ENV = true,
  _PLUGIN = { path = plugin_path, id = "app.keywright.lightroom" },
}

local function strict(members)
  return setmetatable(members, {
    __index = function(_, name)
      real_error("undefined global '" .. tostring(name) .. "'", 2)
    end,
    __newindex = function(_, name)
      real_error("a new global '" .. tostring(name) .. "'", 2)
    end,
  })
end

local function load_file(name, environment)
  local chunk, problem = loadfile(plugin_path .. "/" .. name)
  if not chunk then
    real_error(problem, 0)
  end
  return setfenv(chunk, environment)
end

local full = {}
for name, value in pairs(base) do
  full[name] = value
end
full.import = function(name)
  local found = sdk[name]
  if not found then
    real_error("no SDK module " .. tostring(name), 2)
  end
  return found
end
local loaded = {}
full.require = function(name)
  if string.find(name, "[/\\.]") then
    real_error("require: '" .. name .. "': only the plug-in's own files, by their bare names", 2)
  end
  if loaded[name] == nil then
    loaded[name] = load_file(name .. ".lua", full)() or true
  end
  return loaded[name]
end
full._G = full
full.WIN_ENV, full.MAC_ENV = host.windows, not host.windows
strict(full)

local info_environment = strict({ LOC = LOC, WIN_ENV = false, MAC_ENV = true, _PLUGIN = base._PLUGIN })

return { full = full, info = info_environment, load_file = load_file }
