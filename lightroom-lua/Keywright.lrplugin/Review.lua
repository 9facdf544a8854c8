-- What a person decides in the dialog: ticks for each photo and keyword, pages, and the decisions that come of them.
-- Pure. A review is made of photos {id, name, existing = {text}, suggestions = {{keyword, confidence,
-- sources, new}}}.

local Keywords = require("Keywords")

local Review = {}
Review.__index = Review

Review.ROWS = 24 -- keywords on a page: hand-built rows are slow to open, hundreds of them take seconds

function Review.new(photos, threshold)
  local self = setmetatable({ photos = photos, threshold = threshold, version = nil }, Review)
  for _, photo in ipairs(photos) do
    for _, one in ipairs(photo.suggestions) do
      one.offered = one.confidence >= threshold
      one.ticked = one.offered
    end
  end
  return self
end

--- Tick everything at least so sure, and nothing else.
function Review:accept_above(threshold)
  self.threshold = threshold
  for _, photo in ipairs(self.photos) do
    for _, one in ipairs(photo.suggestions) do
      one.ticked = one.confidence >= threshold
    end
  end
end

local ITS_NAME = "its name" -- the source of what a keyword's name says; no describer is called that

-- Note on a row who speaks for one of its suggestions besides photos: `seen_by` describers, whether it `fits_name`; and
-- whether the keyword is `new`, one that the person does not have.
local function add_sources(row, one)
  row.seen_by = row.seen_by or {}
  row.new = row.new or one.new == true
  for _, source in ipairs(one.sources or {}) do
    local known = source == ITS_NAME
    row.fits_name = row.fits_name or known
    for _, name in ipairs(row.seen_by) do
      known = known or name == source
    end
    if not known then
      row.seen_by[#row.seen_by + 1] = source
    end
  end
end

--- One row a keyword over all photos, in the order of the tree: {keyword, levels, count, of, best, ticked,
-- seen_by, fits_name, new}.
-- `chosen` of the `count` photos are ticked; the row is, where any is: what will be added never looks unticked.
function Review:together()
  local rows, by = {}, {}
  for _, photo in ipairs(self.photos) do
    for _, one in ipairs(photo.suggestions) do
      local row = by[one.keyword]
      if not row then
        row = {
          keyword = one.keyword,
          levels = Keywords.levels(one.keyword),
          count = 0,
          of = #self.photos,
          best = 0,
          chosen = 0,
          items = {},
        }
        by[one.keyword] = row
        rows[#rows + 1] = row
      end
      row.count = row.count + 1
      row.best = math.max(row.best, one.confidence)
      row.chosen = row.chosen + (one.ticked and 1 or 0)
      row.items[row.count] = one
      add_sources(row, one)
    end
  end
  for _, row in ipairs(rows) do
    row.ticked = row.chosen > 0
    row.order = Keywords.folded(table.concat(row.levels, "\1"))
  end
  table.sort(rows, function(a, b)
    return a.order < b.order
  end)
  return rows
end

--- The rows of one photo, in the order of the tree.
function Review:single(number)
  local rows = {}
  for i, one in ipairs(self.photos[number].suggestions) do
    rows[i] = {
      keyword = one.keyword,
      levels = Keywords.levels(one.keyword),
      best = one.confidence,
      ticked = one.ticked,
      items = { one },
    }
    add_sources(rows[i], one)
    rows[i].order = Keywords.folded(table.concat(rows[i].levels, "\1"))
  end
  table.sort(rows, function(a, b)
    return a.order < b.order
  end)
  return rows
end

--- The rows of a page (from 1) and how many pages there are.
function Review.page(rows, number)
  local pages = math.max(1, math.ceil(#rows / Review.ROWS))
  number = math.max(1, math.min(number, pages))
  local found = {}
  for i = (number - 1) * Review.ROWS + 1, math.min(number * Review.ROWS, #rows) do
    found[#found + 1] = rows[i]
  end
  return found, pages, number
end

--- Rows in groups under the keyword above them: {{title, rows}}.
function Review.groups(rows)
  local groups = {}
  for _, row in ipairs(rows) do
    local above = table.concat(row.levels, " › ", 1, #row.levels - 1)
    local last = groups[#groups]
    if not last or last.title ~= above then
      last = { title = above, rows = {} }
      groups[#groups + 1] = last
    end
    last.rows[#last.rows + 1] = row
  end
  return groups
end

--- A person's tick on a row goes to all its photos; taking it away goes to those that were ticked: the less sure ones
-- were not what the person looked at, and stay undecided.
function Review.tick(row, ticked)
  for _, one in ipairs(row.items) do
    if ticked or one.ticked then
      one.ticked = ticked
      one.touched = true
    end
  end
  row.ticked = ticked
end

--- The decisions: what is ticked is accepted; rejected is what a person unticked, and with `others_wrong` all the rest.
-- What nobody looked at stays undecided.
function Review:decisions(others_wrong)
  local made = {}
  for _, photo in ipairs(self.photos) do
    for _, one in ipairs(photo.suggestions) do
      local decision = one.ticked and "accepted" or ((one.touched or others_wrong) and "rejected")
      if decision then
        made[#made + 1] = {
          photo = photo.id,
          keyword = one.keyword,
          decision = decision,
          confidence = one.confidence,
          model_version = self.version,
        }
      end
    end
  end
  return made
end

--- A confidence as people read it: 0.873 is "87 %".
function Review.percent(confidence)
  return string.format("%d %%", math.floor(confidence * 100 + 0.5))
end

return Review
