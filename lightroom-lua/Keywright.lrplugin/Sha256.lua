-- SHA-256 and HMAC (FIPS 180-4, RFC 2104) in plain Lua 5.1, which has no bit operators; the SDK has only MD5.
-- The bridge proves with them that it knows the token before the token is sent to it. A few blocks a ping: speed is
-- no matter.

local Sha256 = {}

local WORD = 2 ^ 32

-- XOR and AND of two half bytes, for all pairs.
local XOR, AND = {}, {}
for a = 0, 15 do
  for b = 0, 15 do
    local x, n, bit, p, q = 0, 0, 1, a, b
    for _ = 1, 4 do
      local i, j = p % 2, q % 2
      x = x + (i ~= j and bit or 0)
      n = n + (i + j == 2 and bit or 0)
      p, q, bit = (p - i) / 2, (q - j) / 2, bit * 2
    end
    XOR[a * 16 + b], AND[a * 16 + b] = x, n
  end
end

local function combine(with, a, b)
  local result, place = 0, 1
  for _ = 1, 8 do
    local i, j = a % 16, b % 16
    result = result + with[i * 16 + j] * place
    a, b, place = (a - i) / 16, (b - j) / 16, place * 16
  end
  return result
end

local function xor(a, b, c)
  local both = combine(XOR, a, b)
  return c and combine(XOR, both, c) or both
end

local function right(a, n)
  return math.floor(a / 2 ^ n)
end

local function rotated(a, n)
  return right(a, n) + (a % 2 ^ n) * 2 ^ (32 - n)
end

local K, START = {}, {}
do
  -- The constants are the first 32 bits of the fractions of the roots of the first primes.
  local n, found = 2, 0
  while found < 64 do
    local prime = true
    for d = 2, math.floor(math.sqrt(n)) do
      prime = prime and n % d ~= 0
    end
    if prime then
      found = found + 1
      -- A cube root in doubles is exact to 2^-50, far below the 2^-32 that is kept.
      local root = n ^ (1 / 3)
      root = root - (root * root * root - n) / (3 * root * root)
      K[found] = math.floor((root % 1) * WORD)
      if found <= 8 then
        START[found] = math.floor((math.sqrt(n) % 1) * WORD)
      end
    end
    n = n + 1
  end
end

local function block(state, text, at)
  local w = {}
  for i = 1, 16 do
    local a, b, c, d = string.byte(text, at + i * 4 - 4, at + i * 4 - 1)
    w[i] = ((a * 256 + b) * 256 + c) * 256 + d
  end
  for i = 17, 64 do
    local s0 = xor(rotated(w[i - 15], 7), rotated(w[i - 15], 18), right(w[i - 15], 3))
    local s1 = xor(rotated(w[i - 2], 17), rotated(w[i - 2], 19), right(w[i - 2], 10))
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) % WORD
  end
  local a, b, c, d, e, f, g, h = unpack(state)
  for i = 1, 64 do
    local s1 = xor(rotated(e, 6), rotated(e, 11), rotated(e, 25))
    local choice = xor(combine(AND, e, f), combine(AND, WORD - 1 - e, g))
    local one = (h + s1 + choice + K[i] + w[i]) % WORD
    local s0 = xor(rotated(a, 2), rotated(a, 13), rotated(a, 22))
    local most = xor(combine(AND, a, b), combine(AND, a, c), combine(AND, b, c))
    a, b, c, d, e, f, g, h = (one + s0 + most) % WORD, a, b, c, (d + one) % WORD, e, f, g
  end
  for i, value in ipairs({ a, b, c, d, e, f, g, h }) do
    state[i] = (state[i] + value) % WORD
  end
end

local function bytes_of(value, count)
  local parts = {}
  for i = count, 1, -1 do
    parts[i] = string.char(value % 256)
    value = math.floor(value / 256)
  end
  return table.concat(parts)
end

--- The 32 bytes of the digest.
function Sha256.digest(text)
  local state = { unpack(START) }
  local padded = text .. "\128" .. string.rep("\0", (55 - #text) % 64) .. bytes_of(#text * 8, 8)
  for at = 1, #padded, 64 do
    block(state, padded, at)
  end
  local parts = {}
  for i, value in ipairs(state) do
    parts[i] = bytes_of(value, 4)
  end
  return table.concat(parts)
end

--- Bytes as hexadecimal digits.
function Sha256.hex(bytes)
  return (string.gsub(bytes, ".", function(c)
    return string.format("%02x", string.byte(c))
  end))
end

--- HMAC-SHA256 as hexadecimal digits.
function Sha256.hmac(key, text)
  if #key > 64 then
    key = Sha256.digest(key)
  end
  key = key .. string.rep("\0", 64 - #key)
  local inner, outer = {}, {}
  for i = 1, 64 do
    local byte = string.byte(key, i)
    inner[i], outer[i] = string.char(xor(byte, 0x36)), string.char(xor(byte, 0x5C))
  end
  return Sha256.hex(Sha256.digest(table.concat(outer) .. Sha256.digest(table.concat(inner) .. text)))
end

return Sha256
