-- From the person's selection to the bridge's photos and their suggestions, in blocks, with progress and cancel.

local LrApplication = import("LrApplication")
local LrDialogs = import("LrDialogs")
local LrTasks = import("LrTasks")

local Bridge = require("Bridge")
local Json = require("Json")
local Request = require("Request")
local Settings = require("Settings")
local Task = require("Task")

local Session = {}

local BLOCK = 250 -- photos asked for at once: bounds memory and how long a cancel waits
local SENT = 1000 -- decisions told at once: each is kept on the disk before the answer comes
local THUMBNAIL_SIDE = 512
local THUMBNAIL_SECONDS = 10
local META_KEYS = { "path", "uuid", "isVirtualCopy", "keywords" }

--- The photos meant: the selected ones. With nothing selected Lightroom names the whole filmstrip, so the person is
-- asked first; nil where the answer is no.
function Session.chosen_photos()
  local catalog = LrApplication.activeCatalog()
  local photos = catalog:getTargetPhotos()
  if catalog:getTargetPhoto() == nil then
    if #photos == 0 then
      LrDialogs.message(LOC("$$$/Keywright/NoPhotos=There are no photos here."))
      return nil
    end
    local answer = LrDialogs.confirm(
      LOC("$$$/Keywright/NothingSelected=No photo is selected."),
      LOC("$$$/Keywright/WholeFilmstrip=Take all ^1 photos of the filmstrip?", #photos),
      LOC("$$$/Keywright/TakeAll=Take all")
    )
    if answer ~= "ok" then
      return nil
    end
  end
  return photos
end

local function same_file(a, b)
  local function plain(path)
    path = string.gsub(path, "\\", "/")
    return WIN_ENV and string.lower(path) or path
  end
  return plain(a) == plain(b)
end

--- The bridge's number of this catalog. Read into the bridge where it is new, or anew with `again`.
function Session.catalog(bridge, progress, again)
  local path = LrApplication.activeCatalog():getPath()
  if not again then
    for _, one in ipairs(Bridge.ask(bridge, Request.catalogs(), progress).catalogs) do
      if one.kind == "lightroom" and same_file(one.source, path) and not Json.get(one, "job") then
        return one.id
      end
    end
  end
  progress:setCaption(LOC("$$$/Keywright/Reading=Reading the catalog…"))
  local told = Bridge.ask(bridge, Request.register(path, false))
  local job = Json.get(told, "job")
  if job then
    Bridge.wait(bridge, job, progress, 0, 0.1)
  end
  return told.id
end

local function look_up(bridge, catalog, uuids, progress)
  local request = Request.find_photos(catalog, uuids)
  request.safe = true
  return Bridge.ask(bridge, request, progress).photos
end

--- For each photo its entry {photo = LrPhoto, uuid, copy, id = the bridge's number or nil, error}, and its existing
-- keywords as handles. Photos the bridge has not met make it read the catalog again, once.
function Session.entries(bridge, photos, progress)
  local lightroom = LrApplication.activeCatalog()
  local catalog, fresh = Session.catalog(bridge, progress), false
  local entries = {}
  for _, block in ipairs(Request.parts(photos, BLOCK)) do
    Task.check(progress)
    local raw = lightroom:batchGetRawMetadata(block, META_KEYS)
    local names = lightroom:batchGetFormattedMetadata(block, { "fileName", "copyName" })
    local uuids = {}
    for i, photo in ipairs(block) do
      uuids[i] = raw[photo].uuid
    end
    local found = look_up(bridge, catalog, uuids, progress)
    local missing = false
    for _, one in ipairs(found) do
      missing = missing or Json.get(one, "photo") == nil
    end
    if missing and not fresh then
      Session.catalog(bridge, progress, true)
      fresh = true
      found = look_up(bridge, catalog, uuids, progress)
    end
    for i, photo in ipairs(block) do
      local known = Json.get(found[i], "photo")
      local name = names[photo].fileName
      if names[photo].copyName and names[photo].copyName ~= "" then
        name = name .. " / " .. names[photo].copyName
      end
      entries[#entries + 1] = {
        photo = photo,
        uuid = uuids[i],
        copy = raw[photo].isVirtualCopy,
        name = name,
        keywords = raw[photo].keywords,
        id = known and known.id,
        error = not known and (Json.get(found[i], "error") or ""),
      }
    end
    LrTasks.yield()
  end
  return entries, catalog
end

local asked = {} -- luacheck: ignore 241 (kept only to be kept: Lightroom cancels a request that nobody holds)

--- The developed thumbnail as JPEG, or nil: the callback may come at once, late, twice or never.
function Session.thumbnail(photo, progress)
  local jpeg, answered
  local mine = {}
  asked[mine] = photo:requestJpegThumbnail(THUMBNAIL_SIDE, THUMBNAIL_SIDE, function(data)
    if not answered then
      jpeg, answered = data, true
    end
  end)
  local waited = 0
  while not answered and waited < THUMBNAIL_SECONDS and not progress:isCanceled() do
    LrTasks.sleep(0.05)
    waited = waited + 0.05
  end
  answered = true -- whatever comes now is too late
  asked[mine] = nil
  Task.check(progress)
  return jpeg
end

local function ids_of(entries)
  local ids = {}
  for i, entry in ipairs(entries) do
    ids[i] = entry.id
  end
  return ids
end

local function ask(bridge, entries, embed, progress)
  local profile, least = Settings.get("profile"), Settings.get("least")
  local request = Request.suggest(ids_of(entries), {
    profile = profile ~= "" and profile or nil,
    min_confidence = least > 0 and least or nil,
    embed = embed,
  })
  request.safe = true
  local told = Bridge.ask(bridge, request, progress)
  local by = {}
  for _, one in ipairs(told.photos) do
    by[one.photo] = one
  end
  local waiting, failed = {}, {}
  for _, entry in ipairs(entries) do
    local one = by[entry.id]
    entry.state = one and one.state or "unknown"
    entry.suggestions = one and one.suggestions or {}
    entry.error = one and Json.get(one, "error") or nil
    if entry.state == "waiting" then
      waiting[#waiting + 1] = entry
    elseif entry.state ~= "ready" then
      failed[#failed + 1] = entry
    end
  end
  return waiting, failed, told.model_version, Json.get(told, "job")
end

-- Send thumbnails and wait until the last of them is looked at. Gives how many were sent.
local function send_thumbnails(bridge, entries, progress, from, to)
  local last, sent = nil, 0
  for i, entry in ipairs(entries) do
    Task.check(progress)
    progress:setCaption(LOC("$$$/Keywright/Thumbnails=Sending developed thumbnails…"))
    local jpeg = Session.thumbnail(entry.photo, progress)
    if jpeg then
      last = Bridge.ask(bridge, Request.rendition(entry.id, jpeg), progress).job
      sent = sent + 1
    else
      entry.error = LOC("$$$/Keywright/NoThumbnail=Lightroom gave no thumbnail of it.")
    end
    progress:setPortionComplete(from + (to - from) * i / #entries, 1)
  end
  if last then
    Bridge.wait(bridge, last, progress, to, to)
  end
  return sent
end

local function suggest_block(bridge, block, progress, from, to)
  local middle = (from + to) / 2
  local first = {}
  for _, entry in ipairs(block) do
    if Settings.get("thumbnails") or entry.copy then
      first[#first + 1] = entry -- as developed: a virtual copy may show another part of the picture
    end
  end
  if #first > 0 then
    send_thumbnails(bridge, first, progress, from, middle)
  end
  local waiting, failed, version, job = ask(bridge, block, true, progress)
  if #waiting > 0 and job then
    Bridge.wait(bridge, job, progress, from, middle)
    waiting, failed, version = ask(bridge, block, false, progress)
  end
  for _, entry in ipairs(waiting) do
    failed[#failed + 1] = entry
  end
  if #failed > 0 and send_thumbnails(bridge, failed, progress, middle, to) > 0 then
    ask(bridge, block, false, progress)
  end
  return version
end

--- Suggestions into the entries ({suggestions, state, error}), block by block. Gives the model version.
function Session.suggest(bridge, entries, progress)
  local known, version = {}, nil
  for _, entry in ipairs(entries) do
    if entry.id then
      known[#known + 1] = entry
    end
  end
  local done = 0
  for _, block in ipairs(Request.parts(known, BLOCK)) do
    Task.check(progress)
    progress:setCaption(LOC("$$$/Keywright/Suggesting=^1 of ^2 photos…", done, #known))
    version = suggest_block(bridge, block, progress, done / #known, (done + #block) / #known)
    done = done + #block
    progress:setPortionComplete(done, #known)
  end
  return version
end

--- A link that opens the review pages on exactly these photos, in their order, as many as a selection holds; and how
-- many those are. Nil and 0 where the bridge knows none of them. Photos it has not looked at are looked at meanwhile.
function Session.review_link(bridge, entries, progress)
  local ids = {}
  for _, entry in ipairs(entries) do
    if entry.id and #ids < Request.MOST_PHOTOS then
      ids[#ids + 1] = entry.id
    end
  end
  if #ids == 0 then
    return nil, 0
  end
  local embed, selection = Request.embed(ids), Request.selection(ids)
  embed.safe, selection.safe = true, true
  Bridge.ask(bridge, embed, progress)
  return Bridge.ask(bridge, selection, progress).url, #ids
end

local keys = 0

--- A key under which the bridge keeps a request once, however often it is sent.
function Session.new_key()
  keys = keys + 1
  return string.format("lightroom-%d-%s-%d", os.time(), string.gsub(tostring({}), "%W", ""), keys)
end

--- Send decisions, in parts.
function Session.decide(bridge, decisions)
  for _, part in ipairs(Request.parts(decisions, SENT)) do
    Bridge.ask(bridge, Request.decisions(part, Session.new_key()))
  end
end

--- Tell the bridge what was done: `reports` of {photo = number, keyword, action, done, reason}.
function Session.report(bridge, reports)
  for _, part in ipairs(Request.parts(reports, SENT)) do
    Bridge.ask(bridge, Request.reports(part, Session.new_key()))
  end
end

return Session
