-- What Keywright did to each catalog, batch by batch, so that the last one can be taken back: links it made itself and
-- links it took off, and no others. Kept beside the bridge's files, not in the catalog.

local LrApplication = import("LrApplication")
local LrFileUtils = import("LrFileUtils")
local LrPathUtils = import("LrPathUtils")

local Bridge = require("Bridge")
local Json = require("Json")
local Sha256 = require("Sha256")

local Batches = {}

local KEPT = 20

local function file()
  local folder = LrPathUtils.child(Bridge.folder(), "lightroom")
  LrFileUtils.createAllDirectories(folder)
  local name = string.sub(Sha256.hex(Sha256.digest(LrApplication.activeCatalog():getPath())), 1, 16)
  return LrPathUtils.child(folder, name .. ".json")
end

local function read()
  local path = file()
  if LrFileUtils.exists(path) ~= "file" then
    return Json.array()
  end
  return Json.decode(LrFileUtils.readFile(path)) or Json.array()
end

local function write(batches)
  local path = file()
  local new = assert(io.open(path .. ".new", "wb"))
  new:write(Json.encode(batches))
  new:close()
  os.remove(path) -- Windows renames only to a free name
  assert(os.rename(path .. ".new", path))
end

--- Keep a batch: {name, links = {{uuid, id = keyword id, keyword = text, photo = the bridge's number}}, taken = the
-- same of what was taken off}.
function Batches.add(batch)
  local batches = read()
  batches[#batches + 1] = batch
  while #batches > KEPT do
    table.remove(batches, 1)
  end
  write(batches)
end

--- The newest batch, or nil.
function Batches.last()
  local batches = read()
  return batches[#batches]
end

function Batches.drop_last()
  local batches = read()
  batches[#batches] = nil
  write(batches)
end

return Batches
