-- The dialog: all photos together or one by one, a page at a time. Rows cannot be added to an open dialog and many
-- rows open slowly, so that each page is a dialog of its own, made of at most Review.ROWS rows.

local LrBinding = import("LrBinding")
local LrDialogs = import("LrDialogs")
local LrFunctionContext = import("LrFunctionContext")
local LrView = import("LrView")

local Review = require("Review")

local SuggestDialog = {}

local WIDTH, HEIGHT = 560, 320

local function label(row)
  local name = row.levels[#row.levels]
  if row.new then
    name = LOC("$$$/Keywright/NewKeyword=^1 (new)", name)
  end
  if row.count then
    local on = LOC("$$$/Keywright/OnSome=on ^1 of ^2 photos", row.ticked and row.chosen or row.count, row.of)
    if row.ticked and row.chosen < row.count then
      on = on .. LOC("$$$/Keywright/LessSure= (on ^1 more less sure)", row.count - row.chosen)
    end
    return LOC("$$$/Keywright/RowTogether=^1   ^2, up to ^3", name, on, Review.percent(row.best))
  end
  return LOC("$$$/Keywright/Row=^1   ^2", name, Review.percent(row.best))
end

-- Who speaks for a row besides photos that are alike; nil where nobody does.
local function sources(row)
  local told = {}
  if row.new then
    told[1] = LOC("$$$/Keywright/NotYours=A new keyword: you do not have it yet.")
  end
  if #row.seen_by > 0 then
    told[#told + 1] = LOC("$$$/Keywright/SeenBy=Seen by ^1.", table.concat(row.seen_by, ", "))
  end
  if row.fits_name then
    told[#told + 1] = LOC("$$$/Keywright/FitsName=Fits its name.")
  end
  return #told > 0 and table.concat(told, " ") or nil
end

local function suggestion_rows(f, rows, properties)
  local column = { spacing = 6, fill_horizontal = 1 }
  local number = 0
  for _, group in ipairs(Review.groups(rows)) do
    local box =
      { title = group.title ~= "" and group.title or LOC("$$$/Keywright/TopLevel=Keywords"), fill_horizontal = 1 }
    for _, row in ipairs(group.rows) do
      number = number + 1
      local key = "tick" .. number
      row.key = key
      row.shown = row.ticked == true
      properties[key] = row.shown
      box[#box + 1] = f:checkbox({ title = label(row), tooltip = sources(row), value = LrView.bind(key) })
    end
    column[#column + 1] = f:group_box(box)
  end
  if number == 0 then
    column[1] = f:static_text({ title = LOC("$$$/Keywright/NothingHere=Nothing is suggested here.") })
  end
  -- Scrolled, so that the buttons below stay on a small screen.
  return f:scrolled_view({ width = WIDTH, height = HEIGHT, horizontal_scroller = false, f:column(column) })
end

local function button(f, title, result, enabled)
  return f:push_button({
    title = title,
    enabled = enabled,
    action = function(pressed)
      LrDialogs.stopModalWithResult(pressed, result)
    end,
  })
end

local function header(f, review, state)
  if state.single then
    local photo = review.photos[state.photo]
    return f:row({
      f:catalog_photo({ photo = photo.photo, width = 140, height = 140 }),
      f:column({
        f:static_text({
          title = LOC("$$$/Keywright/PhotoOf=Photo ^1 of ^2: ^3", state.photo, #review.photos, photo.name),
        }),
        f:static_text({
          title = LOC("$$$/Keywright/Existing=Keywords it has: ^1", table.concat(photo.existing, ", ")),
          width = WIDTH - 180,
          height_in_lines = 3,
        }),
      }),
    })
  end
  return f:static_text({ title = LOC("$$$/Keywright/Together=^1 photos together", #review.photos) })
end

-- One page; gives what closed it.
local function show(review, rows, state)
  local result
  LrFunctionContext.callWithContext("Keywright dialog", function(context)
    local f = LrView.osFactory()
    local properties = LrBinding.makePropertyTable(context)
    local page, pages, number = Review.page(rows, state.page)
    state.page = number
    properties.threshold = math.floor(review.threshold * 100 + 0.5)
    properties.others_wrong = state.others_wrong
    local last = state.single and state.photo == #review.photos and number == pages
      or not state.single and number == pages
    local first = (not state.single or state.photo == 1) and number == 1
    local contents = f:column({
      bind_to_object = properties,
      spacing = 8,
      width = WIDTH,
      header(f, review, state),
      f:separator({ fill_horizontal = 1 }),
      suggestion_rows(f, page, properties),
      f:separator({ fill_horizontal = 1 }),
      f:row({
        f:static_text({ title = LOC("$$$/Keywright/TickAbove=Tick everything at least this sure:") }),
        f:slider({ value = LrView.bind("threshold"), min = 5, max = 99, integral = true, width = 140 }),
        f:static_text({
          title = LrView.bind({
            key = "threshold",
            transform = function(value)
              return tostring(value) .. " %"
            end,
          }),
          width_in_chars = 5,
        }),
        button(f, LOC("$$$/Keywright/TickNow=Tick"), "tick"),
      }),
      f:checkbox({
        title = LOC("$$$/Keywright/OthersWrong=What is not ticked is wrong: never suggest it on these photos again"),
        value = LrView.bind("others_wrong"),
      }),
      f:row({
        button(f, LOC("$$$/Keywright/Back=Back"), "back", not first),
        button(f, LOC("$$$/Keywright/Next=Next"), "next", not last),
        f:static_text({ title = LOC("$$$/Keywright/PageOf=Page ^1 of ^2", number, pages) }),
        button(
          f,
          state.single and LOC("$$$/Keywright/AllTogether=All together") or LOC("$$$/Keywright/OneByOne=One by one"),
          "mode"
        ),
      }),
    })
    result = LrDialogs.presentModalDialog({
      title = LOC("$$$/Keywright/DialogTitle=Keywright: suggested keywords"),
      contents = contents,
      actionVerb = LOC("$$$/Keywright/AddKeywords=Add keywords"),
      cancelVerb = LOC("$$$/Keywright/Cancel=Cancel"),
      resizable = true,
    })
    for _, row in ipairs(page) do
      if properties[row.key] ~= row.shown then
        Review.tick(row, properties[row.key])
      end
    end
    state.others_wrong = properties.others_wrong
    state.threshold = properties.threshold / 100
  end)
  return result
end

local function turn(review, state, step)
  state.page = state.page + step
  local rows = state.single and review:single(state.photo) or review:together()
  local pages = math.max(1, math.ceil(#rows / Review.ROWS))
  if state.single and state.page > pages then
    state.photo, state.page = math.min(#review.photos, state.photo + 1), 1
  elseif state.single and state.page < 1 then
    state.photo, state.page = math.max(1, state.photo - 1), 1
  end
end

--- Let the person decide. True where the keywords are to be added; the review holds the ticks. Second value: whether
-- what is not ticked counts as wrong.
function SuggestDialog.run(review)
  local state =
    { single = #review.photos == 1, photo = 1, page = 1, others_wrong = false, threshold = review.threshold }
  while true do
    local rows = state.single and review:single(state.photo) or review:together()
    local result = show(review, rows, state)
    if result == "ok" then
      return true, state.others_wrong
    elseif result == "next" then
      turn(review, state, 1)
    elseif result == "back" then
      turn(review, state, -1)
    elseif result == "mode" then
      state.single, state.photo, state.page = not state.single, 1, 1
    elseif result == "tick" then
      review:accept_above(state.threshold)
    else
      return false
    end
  end
end

return SuggestDialog
