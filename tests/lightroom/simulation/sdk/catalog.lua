-- The catalog as the SDK gives it: photos, keywords, collections, write gates, thumbnails. What they hold stands on the
-- Python side (`host`); its functions answer (true, value...) or (false, message).

-- luacheck: ignore 212/self

local host, tasks = ...
local check, need_task, waits, yield = tasks.check, tasks.need_task, tasks.waits, coroutine.yield
local real_error = error

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
  path = true,
  uuid = true,
  isVirtualCopy = true,
  keywords = true,
  masterPhoto = true,
  fileFormat = true,
  isCropped = true,
  rating = true,
  isVideo = true,
  stackPositionInFolder = true,
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
  host.count("one by one")
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
    local guard = tasks.thread_of(callback)
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
      times[#times + 1] = tasks.clock.now + tonumber(when)
    end
    pictures[number] = { times = times, answer = answer }
  end
  return request
end

local function deliver_pictures()
  for number, picture in pairs(pictures) do
    while picture.times and picture.times[1] and picture.times[1] <= tasks.clock.now do
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
  local ok, id =
    host.create_keyword(name, table.concat(synonyms, "\n"), export and true or false, above, existing and true or false)
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
  local ok, problem = tasks.LrTasks.pcall(fn, tasks.new_context())
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
    tasks.start(function()
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

local LrApplication = {
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

return {
  LrApplication = LrApplication,
  deliver_pictures = deliver_pictures,
  forget_pictures = function()
    pictures = {}
  end,
}
