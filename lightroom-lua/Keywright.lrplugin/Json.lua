-- JSON (RFC 8259) for the bridge's API. The SDK has none; this one is as small as strictness allows.
-- Arrays are tables made by Json.array or numbered from 1; Json.null stands for null inside tables.

local Json = {}

Json.null = setmetatable({}, {
  __tostring = function()
    return "null"
  end,
})

local ARRAY = {}
local DEEPEST = 100

--- Marks a table as an array, so that an empty one is written as [].
function Json.array(list)
  return setmetatable(list or {}, ARRAY)
end

local ESCAPES = {
  ['"'] = '\\"',
  ["\\"] = "\\\\",
  ["\b"] = "\\b",
  ["\f"] = "\\f",
  ["\n"] = "\\n",
  ["\r"] = "\\r",
  ["\t"] = "\\t",
}

local function quoted(text)
  return '"'
    .. string.gsub(text, '[%c"\\\127]', function(c)
      return ESCAPES[c] or string.format("\\u%04x", string.byte(c))
    end)
    .. '"'
end

local function number(value)
  if value ~= value or value == math.huge or value == -math.huge then
    error("Json: " .. tostring(value) .. " cannot be written", 0)
  end
  if value == math.floor(value) and math.abs(value) < 2 ^ 53 then
    return string.format("%d", value)
  end
  -- Where the user's numbers have a decimal comma, printf writes one too.
  return (string.gsub(string.format("%.17g", value), ",", "."))
end

local encode

local function encode_table(value, depth)
  if depth > DEEPEST then
    error("Json: nested too deep", 0)
  end
  local parts = {}
  if getmetatable(value) == ARRAY or value[1] ~= nil then
    for i, item in ipairs(value) do
      parts[i] = encode(item, depth + 1)
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local keys = {}
  for key in pairs(value) do
    if type(key) ~= "string" then
      error("Json: a key of an object is no text", 0)
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do
    parts[i] = quoted(key) .. ":" .. encode(value[key], depth + 1)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

encode = function(value, depth)
  local kind = type(value)
  if value == nil or value == Json.null then
    return "null"
  elseif kind == "string" then
    return quoted(value)
  elseif kind == "number" then
    return number(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind == "table" then
    return encode_table(value, depth)
  end
  error("Json: a " .. kind .. " cannot be written", 0)
end

--- The JSON text of a value. Raises where something in it has no JSON form.
function Json.encode(value)
  return encode(value, 1)
end

local function fail(at, what)
  error("Json: " .. what .. " at character " .. at, 0)
end

local function skip(text, at)
  return string.find(text, "[^ \t\r\n]", at) or #text + 1
end

local function utf8(code)
  if code < 0x80 then
    return string.char(code)
  elseif code < 0x800 then
    return string.char(0xC0 + math.floor(code / 0x40), 0x80 + code % 0x40)
  elseif code < 0x10000 then
    return string.char(0xE0 + math.floor(code / 0x1000), 0x80 + math.floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
  end
  return string.char(
    0xF0 + math.floor(code / 0x40000),
    0x80 + math.floor(code / 0x1000) % 0x40,
    0x80 + math.floor(code / 0x40) % 0x40,
    0x80 + code % 0x40
  )
end

local UNESCAPES = {
  ['"'] = '"',
  ["\\"] = "\\",
  ["/"] = "/",
  b = "\b",
  f = "\f",
  n = "\n",
  r = "\r",
  t = "\t",
}

local function hex(text, at)
  local digits = string.match(text, "^%x%x%x%x", at)
  if not digits then
    fail(at, "bad \\u escape")
  end
  return tonumber(digits, 16)
end

-- A \u escape, whose surrogate halves are put together; a half alone becomes U+FFFD.
local function unicode(text, at)
  local code = hex(text, at)
  at = at + 4
  if code >= 0xD800 and code < 0xDC00 and string.match(text, "^\\u", at) then
    local low = hex(text, at + 2)
    if low >= 0xDC00 and low < 0xE000 then
      return utf8(0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00)), at + 6
    end
  end
  if code >= 0xD800 and code < 0xE000 then
    code = 0xFFFD
  end
  return utf8(code), at
end

local function decode_string(text, at)
  local parts = {}
  at = at + 1
  while true do
    local stop = string.find(text, '["\\%c]', at)
    while stop and string.byte(text, stop) == 127 do
      stop = string.find(text, '["\\%c]', stop + 1)
    end
    if not stop then
      fail(at, "unfinished text")
    end
    parts[#parts + 1] = string.sub(text, at, stop - 1)
    local c = string.sub(text, stop, stop)
    if c == '"' then
      return table.concat(parts), stop + 1
    elseif c ~= "\\" then
      fail(stop, "control character in text")
    end
    local escape = string.sub(text, stop + 1, stop + 1)
    if escape == "u" then
      parts[#parts + 1], at = unicode(text, stop + 2)
    elseif UNESCAPES[escape] then
      parts[#parts + 1], at = UNESCAPES[escape], stop + 2
    else
      fail(stop, "bad escape")
    end
  end
end

local function decode_number(text, at)
  local digits = string.match(text, "^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  local value = digits
    and not string.match(digits, "^-?0%d")
    and not string.match(digits, "%.$")
    and not string.match(digits, "%.[eE]")
    and tonumber(digits)
  if not value then
    fail(at, "no value")
  end
  return value, at + #digits
end

local decode

local function decode_array(text, at, depth)
  local list = Json.array()
  at = skip(text, at + 1)
  if string.sub(text, at, at) == "]" then
    return list, at + 1
  end
  while true do
    list[#list + 1], at = decode(text, at, depth + 1)
    at = skip(text, at)
    local c = string.sub(text, at, at)
    if c == "]" then
      return list, at + 1
    elseif c ~= "," then
      fail(at, "expected , or ]")
    end
    at = skip(text, at + 1)
  end
end

local function decode_object(text, at, depth)
  local object = {}
  at = skip(text, at + 1)
  if string.sub(text, at, at) == "}" then
    return object, at + 1
  end
  while true do
    if string.sub(text, at, at) ~= '"' then
      fail(at, "expected a key")
    end
    local key
    key, at = decode_string(text, at)
    at = skip(text, at)
    if string.sub(text, at, at) ~= ":" then
      fail(at, "expected :")
    end
    object[key], at = decode(text, skip(text, at + 1), depth + 1)
    at = skip(text, at)
    local c = string.sub(text, at, at)
    if c == "}" then
      return object, at + 1
    elseif c ~= "," then
      fail(at, "expected , or }")
    end
    at = skip(text, at + 1)
  end
end

local WORDS = { t = { "true", true }, f = { "false", false }, n = { "null", Json.null } }

decode = function(text, at, depth)
  if depth > DEEPEST then
    fail(at, "nested too deep")
  end
  local c = string.sub(text, at, at)
  if c == "{" then
    return decode_object(text, at, depth)
  elseif c == "[" then
    return decode_array(text, at, depth)
  elseif c == '"' then
    return decode_string(text, at)
  elseif WORDS[c] then
    local word = WORDS[c][1]
    if string.sub(text, at, at + #word - 1) ~= word then
      fail(at, "no value")
    end
    return WORDS[c][2], at + #word
  end
  return decode_number(text, at)
end

--- The value of a JSON text: tables, Json.null for null. Gives nil and the reason where it is none.
function Json.decode(text)
  -- No SDK call is made inside, so the plain pcall will do.
  local ok, value, at = pcall(function()
    local value, at = decode(text, skip(text, 1), 1)
    return value, skip(text, at)
  end)
  if not ok then
    return nil, value
  elseif at <= #text then
    return nil, "Json: more text after the value at character " .. at
  end
  return value
end

--- A member of a decoded object, with null as nil.
function Json.get(object, key)
  local value = object[key]
  if value == Json.null then
    return nil
  end
  return value
end

return Json
