-- Every menu item runs here: in a task with a function context, a progress bar, cancel, and errors as one message.
-- Errors a person can do something about are tables {text =, info =}; anything else is a bug and is logged.

local LrDialogs = import("LrDialogs")
local LrFunctionContext = import("LrFunctionContext")
local LrProgressScope = import("LrProgressScope")
local LrTasks = import("LrTasks")

local Log = require("Log")

local Task = {}

local CANCELLED = {}

--- End the task with a message for the person.
function Task.fail(text, info)
  error({ text = text, info = info }, 0)
end

--- End the task if the person has pressed the cross.
function Task.check(progress)
  if progress:isCanceled() then
    error(CANCELLED, 0)
  end
end

function Task.is_cancel(problem)
  return problem == CANCELLED
end

--- Run `fn(context, progress)`. A menu file runs outside a task, and where plain pcall may not be crossed by a yield.
function Task.run(title, fn)
  LrFunctionContext.postAsyncTaskWithContext(title, function(context)
    local progress = LrProgressScope({ title = title, functionContext = context })
    progress:setCancelable(true)
    local ok, problem = LrTasks.pcall(fn, context, progress)
    progress:done()
    if ok then
      return
    elseif Task.is_cancel(problem) then
      LrDialogs.showBezel(LOC("$$$/Keywright/Cancelled=Keywright: stopped, nothing was written."))
    elseif type(problem) == "table" and problem.text then
      Log.info(problem.text, problem.info or "")
      LrDialogs.message(problem.text, problem.info, "critical")
    else
      Log.warn("a bug: ", problem)
      LrDialogs.message(
        LOC("$$$/Keywright/Bug=Something went wrong inside Keywright."),
        LOC("$$$/Keywright/BugInfo=Please report this: ^1", tostring(problem)),
        "critical"
      )
    end
  end)
end

return Task
