-- Tasks, sleep and function contexts: real coroutines of a real Lua 5.1, so plain pcall and table.sort forbid by
-- themselves what they forbid in Lightroom. The clock is the simulation's own.

local host = ...
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

local queue, clock = {}, { now = 0 }

-- Kept for good: what Python was handed inside a coroutine goes on pointing into it.
local threads = {}

local function thread_of(fn)
  threads[#threads + 1] = coroutine.create(fn)
  return threads[#threads]
end

local function start(fn, name)
  queue[#queue + 1] = { thread = thread_of(fn), wake = clock.now, name = name }
end

local LrTasks = {}

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

local tasks = {
  LrTasks = LrTasks,
  LrFunctionContext = LrFunctionContext,
  clock = clock,
  check = check,
  need_task = need_task,
  waits = waits,
  start = start,
  thread_of = thread_of,
  new_context = new_context,
}

-- One turn of every task that is due; gives how many tasks are left and when the next is due.
function tasks.turn()
  local due = {}
  for _, task in ipairs(queue) do
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
  for _, task in ipairs(queue) do
    if coroutine.status(task.thread) ~= "dead" then
      left[#left + 1] = task
      soonest = math.min(soonest or task.wake, task.wake)
    end
  end
  queue = left
  return #queue, soonest or clock.now, #due
end

function tasks.advance(to)
  clock.now = math.max(clock.now, to)
end

function tasks.forget()
  queue = {}
end

return tasks
