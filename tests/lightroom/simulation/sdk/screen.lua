-- Dialogs, their bindings, and the progress bar: shown to a person who stands on the Python side.

local host, tasks = ...
local need_task, yield = tasks.need_task, coroutine.yield
local real_error = error

local LrBinding = {}

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
  "row",
  "column",
  "view",
  "group_box",
  "scrolled_view",
  "static_text",
  "checkbox",
  "push_button",
  "edit_field",
  "popup_menu",
  "slider",
  "separator",
  "spacer",
  "catalog_photo",
  "radio_button",
  "picture",
  "combo_box",
  "tab_view",
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
local LrProgressScope = setmetatable({}, {
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

return {
  LrBinding = LrBinding,
  LrView = LrView,
  LrDialogs = LrDialogs,
  LrProgressScope = LrProgressScope,
  resolved = resolved,
  is_binding = is_binding,
}
