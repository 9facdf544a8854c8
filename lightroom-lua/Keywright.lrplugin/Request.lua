-- Requests to the bridge's API and what its answers mean. Pure: builds and reads, sends nothing.

local Json = require("Json")
local Sha256 = require("Sha256")

local Request = {}

Request.PROTOCOL = 1
Request.MOST_PHOTOS = 10000 -- of one request, and so of one selection

local function get(path)
  return { method = "GET", path = path, timeout = 30 }
end

local function post(path, body, timeout)
  return { method = "POST", path = path, body = body and Json.encode(body), timeout = timeout or 60 }
end

function Request.catalogs()
  return get("/v1/catalogs")
end

function Request.register(source, learn)
  return post("/v1/catalogs", { source = source, learn = learn })
end

function Request.learn(catalog)
  return post(string.format("/v1/catalogs/%d/learn", catalog))
end

function Request.find_photos(catalog, uuids)
  local photos = Json.array()
  for i, uuid in ipairs(uuids) do
    photos[i] = { catalog = catalog, host_id = uuid }
  end
  return post("/v1/photos", { photos = photos })
end

function Request.suggest(photos, options)
  return post("/v1/suggestions", {
    photos = Json.array(photos),
    profile = options.profile,
    min_confidence = options.min_confidence,
    embed = options.embed ~= false,
  }, 120)
end

function Request.rendition(photo, jpeg)
  local path = string.format("/v1/photos/%d/rendition", photo)
  return { method = "PUT", path = path, body = jpeg, type = "image/jpeg", timeout = 60 }
end

function Request.decisions(decisions, key)
  local made = post("/v1/decisions", { decisions = Json.array(decisions) })
  made.key = key
  return made
end

function Request.pending(catalog, after)
  return get(string.format("/v1/write-backs/pending?catalog=%d&after=%d&limit=500", catalog, after))
end

function Request.reports(reports, key)
  local made = post("/v1/write-backs/reports", { reports = Json.array(reports) })
  made.key = key
  return made
end

function Request.similar(photo, limit)
  return get(string.format("/v1/photos/%d/similar?limit=%d", photo, limit))
end

function Request.job(number)
  return get(string.format("/v1/jobs/%d", number))
end

function Request.cancel(number)
  return post(string.format("/v1/jobs/%d/cancel", number))
end

function Request.state()
  return get("/v1/state")
end

function Request.login_link()
  return post("/v1/login-links")
end

function Request.selection(photos)
  return post("/v1/review/selections", { photos = Json.array(photos) })
end

function Request.embed(photos)
  return post("/v1/jobs/embed", { photos = Json.array(photos) })
end

function Request.shut_down()
  return post("/v1/shutdown")
end

--- The headers of a request, as LrHttp wants them. Without a Content-Type Lightroom would say text/plain.
function Request.headers(request, token)
  local headers = {
    { field = "Authorization", value = "Bearer " .. token },
    { field = "Content-Type", value = request.type or (request.body and "application/json") or "skip" },
    { field = "Accept", value = "application/json" },
  }
  if request.key then
    headers[#headers + 1] = { field = "Idempotency-Key", value = request.key }
  end
  return headers
end

--- What came back: the value, or nil and {kind, detail}: `unreachable`, `timeout`, `refused` (401, 403), `problem` (the
-- bridge's own sentence in `detail`), `broken` (no JSON, cut off).
function Request.read(body, status, code)
  if code == "timedOut" then
    return nil, { kind = "timeout" }
  elseif code == "networkConnectionLost" then
    return nil, { kind = "broken", detail = code }
  elseif body == nil or not status then
    return nil, { kind = "unreachable", detail = code }
  end
  local value, why = Json.decode(body)
  if status == 401 or status == 403 then
    return nil, { kind = "refused", detail = type(value) == "table" and Json.get(value, "detail") }
  elseif status >= 400 then
    local detail = type(value) == "table" and Json.get(value, "detail")
    return nil, { kind = "problem", detail = detail or ("HTTP " .. status), status = status }
  elseif value == nil then
    return nil, { kind = "broken", detail = why }
  end
  return value
end

--- The connection file's content, or nil where it is damaged.
function Request.connection(text)
  local told = Json.decode(text)
  if
    type(told) ~= "table"
    or type(told.token) ~= "string"
    or not string.find(told.token, "^[%w%-_]+$")
    or type(told.port) ~= "number"
    or (told.host ~= "127.0.0.1" and told.host ~= "localhost" and told.host ~= "::1")
  then
    return nil
  end
  local host = told.host == "::1" and "[::1]" or told.host
  return { url = string.format("http://%s:%d", host, told.port), token = told.token }
end

--- Whether a ping was answered by the bridge of the connection file: nil, or {protocol, version}.
function Request.genuine(body, token, nonce)
  local told = body and Json.decode(body)
  if type(told) ~= "table" or told.name ~= "keywright" then
    return nil
  end
  if told.proof ~= Sha256.hmac(token, "keywright ping " .. nonce) then
    return nil
  end
  return { protocol = told.protocol, version = tostring(told.version) }
end

--- `same`, or which side is `older`: the bridge or the plug-in.
function Request.compare(protocol)
  if protocol == Request.PROTOCOL then
    return "same"
  end
  return (tonumber(protocol) or 0) < Request.PROTOCOL and "bridge" or "plug-in"
end

--- Lightroom's own number of a suggestion's keyword, or nil where its catalog had none when it was read.
function Request.local_id(suggestion)
  return tonumber((Json.get(suggestion, "host_id")))
end

--- A list in parts of at most `most`.
function Request.parts(list, most)
  local parts = {}
  for at = 1, #list, most do
    local part = {}
    for i = at, math.min(at + most - 1, #list) do
      part[#part + 1] = list[i]
    end
    parts[#parts + 1] = part
  end
  return parts
end

return Request
