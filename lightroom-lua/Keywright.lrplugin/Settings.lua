-- The settings with their defaults, kept in Lightroom's preferences for this plug-in.

local LrPrefs = import("LrPrefs")

local Settings = {}

local DEFAULTS = {
  threshold = 0.7, -- what the dialog ticks by itself
  least = 0, -- what is suggested at all; 0: each keyword's own threshold
  browser_above = 500, -- photos; more go to the review in the browser
  profile = "",
  thumbnails = false, -- send developed thumbnails even where the bridge could read the original
  new_tops = false, -- make keywords at the top level of the list
  log = false,
  command = "", -- how the bridge is started, where it is not found by itself
}

--- The setting as chosen, or its default.
function Settings.get(name)
  local value = LrPrefs.prefsForPlugin()[name]
  if value == nil then
    return DEFAULTS[name]
  end
  return value
end

function Settings.set(name, value)
  LrPrefs.prefsForPlugin()[name] = value
end

Settings.NAMES = DEFAULTS

return Settings
