-- The SDK as the plug-in sees it. Calls that yield in Lightroom yield here, as real coroutines of a real Lua 5.1: so
-- plain pcall and table.sort forbid them by themselves. The catalog, HTTP and the person stand on the Python side
-- (`host`); its functions answer (true, value...) or (false, message).

local host, plugin_path = ...
local yield, running = coroutine.yield, coroutine.running
local real_pcall, real_error = pcall, error

local function check(level, ok, ...)
  if not ok then
    real_error((...), level + 1)
  end
  return ...
end

local function need_task(what)
  if running() == nil then
    real_error(what .. ": must be called from an async task (LrTasks.startAsyncTask)", 3)
  end
end

-- A call that may wait: needs a task, and gives the others their turn.
local function waits(what)
  if running() == nil then
    real_error(what .. ": must be called from an async task (LrTasks.startAsyncTask)", 3)
  end
  yield(0)
end

---------------------------------------------------------------- tasks

local tasks, clock = {}, { now = 0 }

-- Kept for good: what Python was handed inside a coroutine goes on pointing into it.
local threads = {}

local function thread_of(fn)
  threads[#threads + 1] = coroutine.create(fn)
  return threads[#threads]
end

local function start(fn, name)
  tasks[#tasks + 1] = { thread = thread_of(fn), wake = clock.now, name = name }
end

local sdk = {}

local LrTasks = {}
sdk.LrTasks = LrTasks

function LrTasks.startAsyncTask(fn, name)
  assert(type(fn) == "function", "LrTasks.startAsyncTask: a function is needed")
  start(fn, name)
end

function LrTasks.sleep(seconds)
  need_task("LrTasks.sleep")
  yield(seconds)
end

function LrTasks.yield()
  need_task("LrTasks.yield")
  yield(0)
end

function LrTasks.canYield()
  return running() ~= nil
end

-- A pcall that yields may cross: the function runs in a coroutine of its own, whose yields are handed on.
function LrTasks.pcall(fn, ...)
  need_task("LrTasks.pcall")
  local inner = thread_of(fn)
  local function step(ok, ...)
    if not ok then
      return false, (...)
    end
    if coroutine.status(inner) == "dead" then
      return true, ...
    end
    return step(coroutine.resume(inner, yield(...)))
  end
  return step(coroutine.resume(inner, ...))
end

function LrTasks.execute(command)
  need_task("LrTasks.execute")
  yield(0)
  return check(2, host.execute(command))
end

local LrFunctionContext = {}
sdk.LrFunctionContext = LrFunctionContext

local function new_context()
  local context = { cleanups = {}, handlers = {} }
  function context:addCleanupHandler(fn)
    table.insert(self.cleanups, 1, fn)
  end
  function context:addFailureHandler(fn)
    table.insert(self.handlers, 1, fn)
  end
  function context:addOperationTitleForError(title)
    self.title = title
  end
  return context
end

local function in_context(protected, fn, ...)
  local context = new_context()
  local results = { protected(fn, context, ...) }
  if not results[1] then
    for _, handler in ipairs(context.handlers) do
      handler(false, results[2])
    end
  end
  for _, cleanup in ipairs(context.cleanups) do
    cleanup(results[1], results[2])
  end
  if not results[1] then
    real_error(results[2], 0)
  end
  return unpack(results, 2)
end

function LrFunctionContext.callWithContext(_, fn, ...)
  return in_context(running() and LrTasks.pcall or real_pcall, fn, ...)
end

function LrFunctionContext.postAsyncTaskWithContext(name, fn)
  start(function()
    in_context(LrTasks.pcall, fn)
  end, name)
end

---------------------------------------------------------------- the catalog

local photos, keywords, collections = {}, {}, {}
local Photo, Keyword, Collection = {}, {}, {}

local function object(kind, cache, id)
  if not id then
    return nil
  end
  if not cache[id] then
    cache[id] = setmetatable({ localIdentifier = id }, {
      __index = kind,
      __newindex = function()
        real_error("the SDK's objects take no fields", 2)
      end,
    })
  end
  return cache[id]
end

local function list(kind, cache, ids)
  local found = {}
  for i, id in ipairs(ids) do
    found[i] = object(kind, cache, id)
  end
  return found
end

local function split(text)
  local found = {}
  for word in string.gmatch(text, "[^\n]+") do
    found[#found + 1] = tonumber(word) or word
  end
  return found
end

local RAW_KEYS = {
  path = true, uuid = true, isVirtualCopy = true, keywords = true, masterPhoto = true, fileFormat = true,
  isCropped = true, rating = true, isVideo = true, stackPositionInFolder = true,
}
local FORMATTED_KEYS = { fileName = true, copyName = true, keywordTags = true, folderName = true, caption = true }

local function raw(photo, key)
  if not RAW_KEYS[key] then
    real_error("unknown metadata key: " .. tostring(key), 3)
  end
  host.count("raw")
  local value = host.raw(photo.localIdentifier, key)
  if key == "keywords" then
    return list(Keyword, keywords, split(value))
  elseif key == "masterPhoto" then
    return object(Photo, photos, value)
  end
  return value
end

function Photo:getRawMetadata(key)
  waits("LrPhoto:getRawMetadata")
  return raw(self, key)
end

function Photo:getFormattedMetadata(key)
  waits("LrPhoto:getFormattedMetadata")
  if not FORMATTED_KEYS[key] then
    real_error("unknown metadata key: " .. tostring(key), 2)
  end
  return host.formatted(self.localIdentifier, key)
end

function Photo:addKeyword(keyword)
  need_task("LrPhoto:addKeyword")
  if type(keyword) ~= "table" or not keyword.localIdentifier then
    real_error("LrPhoto:addKeyword: that is no keyword", 2)
  end
  check(2, host.link(self.localIdentifier, keyword.localIdentifier))
end

function Photo:removeKeyword(keyword)
  need_task("LrPhoto:removeKeyword")
  if type(keyword) ~= "table" or not keyword.localIdentifier then
    real_error("LrPhoto:removeKeyword: that is no keyword", 2)
  end
  check(2, host.unlink(self.localIdentifier, keyword.localIdentifier))
end

local requests = setmetatable({}, { __mode = "v" })
local pictures = {}

-- The request lives as long as the plug-in keeps what is returned; when it comes, how often, or never: the test says.
function Photo:requestJpegThumbnail(width, height, callback)
  local request = newproxy and newproxy(true) or {}
  local plan = host.thumbnail(self.localIdentifier, width, height)
  host.count("thumbnail")
  local function answer()
    local jpeg = host.picture(self.localIdentifier, width, height)
    local guard = thread_of(callback)
    local ok, problem
    if jpeg then
      ok, problem = coroutine.resume(guard, jpeg, nil)
    else
      ok, problem = coroutine.resume(guard, nil, "thumbnail could not be made")
    end
    if coroutine.status(guard) == "suspended" then
      host.fault("a thumbnail's callback may not yield")
    elseif not ok then
      host.fault("a thumbnail's callback failed: " .. tostring(problem))
    end
  end
  local number = #pictures + 1
  requests[number] = request
  if plan == "at once" then
    pictures[number] = {}
    answer()
  else
    local times = {}
    for when in string.gmatch(plan, "[%d.]+") do
      times[#times + 1] = clock.now + tonumber(when)
    end
    pictures[number] = { times = times, answer = answer }
  end
  return request
end

local function deliver_pictures()
  for number, picture in pairs(pictures) do
    while picture.times and picture.times[1] and picture.times[1] <= clock.now do
      table.remove(picture.times, 1)
      collectgarbage()
      if requests[number] == nil then
        host.count("thumbnail lost") -- nobody kept the request
        picture.times = {}
      else
        picture.answer()
      end
    end
    if not picture.times or not picture.times[1] then
      pictures[number] = nil
    end
  end
end

function Keyword:getName()
  waits("LrKeyword:getName")
  return (check(2, host.keyword(self.localIdentifier, "name")))
end

function Keyword:getParent()
  waits("LrKeyword:getParent")
  return object(Keyword, keywords, (check(2, host.keyword(self.localIdentifier, "parent"))))
end

function Keyword:getChildren()
  waits("LrKeyword:getChildren")
  return list(Keyword, keywords, split((check(2, host.children(self.localIdentifier)))))
end

function Keyword:getSynonyms()
  waits("LrKeyword:getSynonyms")
  return split((check(2, host.keyword(self.localIdentifier, "synonyms"))))
end

function Keyword:getAttributes()
  waits("LrKeyword:getAttributes")
  return {
    keywordName = check(2, host.keyword(self.localIdentifier, "name")),
    includeOnExport = check(2, host.keyword(self.localIdentifier, "export")),
  }
end

local collection_made = {}

function Collection:getName()
  need_task("LrCollection:getName")
  if collection_made[self.localIdentifier] then
    real_error("LrCollection:getName: the collection was made in this write gate and cannot be read until it ends", 2)
  end
  return self.localIdentifier
end

function Collection:addPhotos(chosen)
  need_task("LrCollection:addPhotos")
  local ids = {}
  for i, photo in ipairs(chosen) do
    ids[i] = tostring(photo.localIdentifier)
  end
  check(2, host.collect(self.localIdentifier, table.concat(ids, "\n")))
end

function Collection:removeAllPhotos()
  need_task("LrCollection:removeAllPhotos")
  check(2, host.empty(self.localIdentifier))
end

local catalog = { kAllPhotos = "all photos" }

function catalog:getPath()
  return host.catalog_path()
end

function catalog:getTargetPhotos()
  waits("LrCatalog:getTargetPhotos")
  return list(Photo, photos, split(host.target_photos())) -- the whole filmstrip when nothing is selected
end

function catalog:getTargetPhoto()
  waits("LrCatalog:getTargetPhoto")
  return object(Photo, photos, host.target_photo())
end

function catalog:getAllPhotos()
  waits("LrCatalog:getAllPhotos")
  return list(Photo, photos, split(host.all_photos()))
end

function catalog:getActiveSources()
  return { "all photos" }
end

function catalog:setActiveSources(sources)
  host.show_sources(type(sources) == "table" and sources.localIdentifier or tostring(sources))
end

function catalog:findPhotoByUuid(uuid)
  waits("LrCatalog:findPhotoByUuid")
  host.count("find")
  return object(Photo, photos, host.photo_by_uuid(uuid))
end

function catalog:findPhotoByPath(path)
  waits("LrCatalog:findPhotoByPath")
  return object(Photo, photos, host.photo_by_path(path))
end

function catalog:getKeywords()
  waits("LrCatalog:getKeywords")
  return list(Keyword, keywords, split(host.top_keywords()))
end

function catalog:getKeywordsByLocalId(ids)
  waits("LrCatalog:getKeywordsByLocalId")
  local found = {}
  for _, id in ipairs(ids) do
    if host.has_keyword(id) then
      found[#found + 1] = object(Keyword, keywords, id)
    end
  end
  return found
end

function catalog:batchGetRawMetadata(chosen, keys)
  waits("LrCatalog:batchGetRawMetadata")
  for _, key in ipairs(keys) do
    if not RAW_KEYS[key] then
      real_error("LrCatalog:batchGetRawMetadata: unknown metadata key: " .. tostring(key), 2)
    end
  end
  host.count("batch")
  local found = {}
  for _, photo in ipairs(chosen) do
    local row = {}
    for _, key in ipairs(keys) do
      row[key] = raw(photo, key)
    end
    found[photo] = row
  end
  return found
end

function catalog:batchGetFormattedMetadata(chosen, keys)
  waits("LrCatalog:batchGetFormattedMetadata")
  local found = {}
  for _, photo in ipairs(chosen) do
    local row = {}
    for _, key in ipairs(keys) do
      if not FORMATTED_KEYS[key] then
        real_error("LrCatalog:batchGetFormattedMetadata: unknown metadata key: " .. tostring(key), 2)
      end
      row[key] = host.formatted(photo.localIdentifier, key)
    end
    found[photo] = row
  end
  return found
end

function catalog:createKeyword(name, synonyms, export, parent, existing)
  need_task("LrCatalog:createKeyword")
  if type(name) ~= "string" or type(synonyms) ~= "table" then
    real_error("LrCatalog:createKeyword: a name and a table of synonyms are needed", 2)
  end
  local above = parent and parent.localIdentifier -- a false or nil parent makes a keyword at the top
  local ok, id = host.create_keyword(name, table.concat(synonyms, "\n"), export and true or false, above, existing and true or false)
  if not ok then
    real_error(id, 2)
  end
  return id and object(Keyword, keywords, id) or false
end

function catalog:createCollection(name, _, existing)
  need_task("LrCatalog:createCollection")
  local ok, id = host.create_collection(name, existing and true or false)
  if not ok then
    real_error(id, 2)
  end
  if id then
    collection_made[id] = true
  end
  return object(Collection, collections, id)
end

local function run_gate(name, fn)
  check(3, host.begin(name))
  local ok, problem = LrTasks.pcall(fn, new_context())
  host.finish(ok)
  collection_made = {}
  if not ok then
    real_error(problem, 0)
  end
  return "executed"
end

function catalog:withWriteAccessDo(name, fn, timeouts)
  waits("LrCatalog:withWriteAccessDo")
  if host.in_gate() then
    real_error("LrCatalog:withWriteAccessDo: write gates do not nest", 2)
  end
  local answer = host.gate_answer()
  if answer == "free" then
    return run_gate(name, fn)
  end
  if type(timeouts) ~= "table" or not timeouts.timeout then
    real_error("LrCatalog:withWriteAccessDo: another task has write access", 2)
  end
  if answer == "queued" or answer == "queued and lost" then
    start(function()
      yield(timeouts.timeout / 2)
      if answer == "queued" then
        run_gate(name, fn)
      elseif timeouts.callback then
        timeouts.callback()
      end
    end, "queued write")
    return "queued"
  end
  yield(timeouts.timeout)
  if timeouts.callback then
    timeouts.callback()
  end
  return "aborted"
end

sdk.LrApplication = {
  activeCatalog = function()
    return catalog
  end,
  versionTable = function()
    return { major = 13, minor = 0, revision = 0, build = 1 }
  end,
  versionString = function()
    return "13.0"
  end,
}

sdk.LrSelection = {}

---------------------------------------------------------------- HTTP

local LrHttp = {}
sdk.LrHttp = LrHttp

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
  local status, names, content, code, text = host.http(method, url, body or "", table.concat(lines, "\n"), timeout or 60)
  yield(0)
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

---------------------------------------------------------------- dialogs

local LrBinding = {}
sdk.LrBinding = LrBinding

function LrBinding.makePropertyTable(context)
  if type(context) ~= "table" or not context.cleanups then
    real_error("LrBinding.makePropertyTable: needs a function context", 2)
  end
  local values, observers = {}, {}
  local api = {}
  function api.addObserver(_, key, fn)
    observers[key] = observers[key] or {}
    table.insert(observers[key], fn)
  end
  function api.pairs()
    return pairs(values)
  end
  local made = {}
  return setmetatable(made, {
    __index = function(_, key)
      if api[key] then
        return api[key]
      end
      return values[key]
    end,
    __newindex = function(_, key, value)
      if values[key] ~= value then
        values[key] = value
        for _, fn in ipairs(observers[key] or {}) do
          fn(made, key, value)
        end
      end
    end,
  })
end

local function is_binding(value)
  return type(value) == "table" and rawget(value, "is_binding") == true
end

local LrView = {}
sdk.LrView = LrView

function LrView.bind(what)
  if type(what) == "string" then
    return { is_binding = true, key = what }
  end
  return { is_binding = true, key = what.key, object = what.object or what.bind_to_object, transform = what.transform }
end

function LrView.share(name)
  return { is_share = true, name = name }
end

local KINDS = {
  "row", "column", "view", "group_box", "scrolled_view", "static_text", "checkbox", "push_button", "edit_field",
  "popup_menu", "slider", "separator", "spacer", "catalog_photo", "radio_button", "picture", "combo_box", "tab_view",
  "tab_view_item",
}
local factory = {}
for _, kind in ipairs(KINDS) do
  factory[kind] = function(_, settings)
    settings = settings or {}
    if kind == "popup_menu" and type(settings.items) == "table" and #settings.items > 100 then
      real_error("popup_menu: unusable with " .. #settings.items .. " items", 2)
    end
    settings.kind = kind
    return settings
  end
end

function LrView.osFactory()
  return factory
end

-- What a control shows at the moment: bindings are looked up in the nearest table above that the view is bound to.
local function resolved(value, properties)
  if is_binding(value) then
    local from = value.object or properties
    local found = from and from[value.key]
    if value.transform then
      found = value.transform(found, true)
    end
    return found
  end
  return value
end

local LrDialogs = {}
sdk.LrDialogs = LrDialogs

function LrDialogs.message(text, info, style)
  host.message("message", text or "", info or "", style or "info")
end

function LrDialogs.showError(text)
  host.message("error", text, "", "critical")
end

function LrDialogs.showBezel(text)
  host.message("bezel", text, "", "info")
end

function LrDialogs.confirm(text, info, action, cancel, other)
  return host.confirm(text or "", info or "", action or "OK", cancel or "Cancel", other)
end

function LrDialogs.stopModalWithResult(_, result)
  host.stop(result)
end

function LrDialogs.presentModalDialog(arguments)
  need_task("LrDialogs.presentModalDialog")
  if type(arguments.contents) ~= "table" then
    real_error("LrDialogs.presentModalDialog: contents are needed", 2)
  end
  host.open_dialog(arguments, resolved)
  local result
  repeat
    yield(0)
    result = host.dialog_turn()
  until result
  return result
end

-- A progress bar in the corner; the person can press its cross.
sdk.LrProgressScope = setmetatable({}, {
  __call = function(_, settings)
    if not (settings.functionContext or settings.parent) then
      host.fault("an LrProgressScope without a function context stays on the screen after an error")
    end
    local scope = {}
    if settings.functionContext then
      settings.functionContext:addCleanupHandler(function()
        host.progress(settings.title or "", -1, 1, "")
      end)
    end
    function scope.setPortionComplete(_, done, total)
      host.progress(settings.title or "", done, total or 1, "")
    end
    function scope.setCaption(_, caption)
      host.progress(settings.title or "", -2, 1, caption)
    end
    function scope.setCancelable() end
    function scope.isCanceled()
      return host.cancelled()
    end
    function scope.cancel() end
    function scope.done()
      host.progress(settings.title or "", -1, 1, "")
    end
    return scope
  end,
})

---------------------------------------------------------------- files, settings, the rest

sdk.LrPathUtils = {
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

sdk.LrFileUtils = {
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
sdk.LrPrefs = {
  prefsForPlugin = function()
    return prefs
  end,
}

sdk.LrLogger = setmetatable({}, {
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

sdk.LrDate = {
  currentTime = function()
    return clock.now
  end,
}

sdk.LrShell = {
  revealInShell = function(path)
    host.browser("reveal:" .. path)
  end,
}

sdk.LrErrors = {
  throwUserError = function(text)
    real_error(text, 0)
  end,
}

sdk.LrSystemInfo = {
  osVersion = function()
    return "simulated"
  end,
}

local LrUUID = { generateUUID = function() return host.uuid() end }
sdk.LrUUID = LrUUID

---------------------------------------------------------------- what the plug-in's files see

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
  LOC = LOC, assert = assert, error = error, ipairs = ipairs, next = next, pairs = pairs, pcall = pcall,
  rawget = rawget, rawset = rawset, select = select, setmetatable = setmetatable, getmetatable = getmetatable,
  tonumber = tonumber, tostring = tostring, type = type, unpack = unpack, string = string, table = table,
  math = math, io = io,
  os = { time = os.time, date = os.date, remove = os.remove, rename = os.rename, getenv = host.getenv, clock = os.clock },
  WIN_ENV = false, MAC_ENV = true,
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

---------------------------------------------------------------- what the test calls

local control = { prefs = prefs, sdk = sdk, resolved = resolved, is_binding = is_binding }

function control.info()
  return load_file("Info.lua", info_environment)()
end

-- A menu file runs top to bottom and not in a task.
function control.run_file(name)
  return load_file(name, full)()
end

function control.require(name)
  return full.require(name)
end

function control.start(fn)
  start(fn, "test")
end

function control.compile(text)
  return setfenv(assert(loadstring(text)), full)
end

function control.now()
  return clock.now
end

-- One turn of every task that is due; gives how many tasks are left and when the next is due.
function control.turn()
  deliver_pictures()
  local due = {}
  for _, task in ipairs(tasks) do
    if task.wake <= clock.now then
      due[#due + 1] = task
    end
  end
  for _, task in ipairs(due) do
    local ok, wait = coroutine.resume(task.thread)
    if not ok then
      host.task_failed(tostring(wait))
    elseif coroutine.status(task.thread) ~= "dead" then
      task.wake = clock.now + (tonumber(wait) or 0)
    end
  end
  local left, soonest = {}, nil
  for _, task in ipairs(tasks) do
    if coroutine.status(task.thread) ~= "dead" then
      left[#left + 1] = task
      soonest = math.min(soonest or task.wake, task.wake)
    end
  end
  tasks = left
  return #tasks, soonest or clock.now, #due
end

function control.advance(to)
  clock.now = math.max(clock.now, to)
end

function control.forget_tasks()
  tasks, pictures = {}, {}
end

return control
