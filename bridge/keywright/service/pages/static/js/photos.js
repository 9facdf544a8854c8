// By photo: a grid of photos with their chips, decided by mouse or keyboard.

import { get } from "./bridge.js";
import { chips, explain } from "./chips.js";
import { keywordField } from "./combobox.js";
import { $, count, fill, h, later, many, name } from "./dom.js";
import { Desk, sure, thumbnail } from "./desk.js";
import { addressOf, filterForm, filtersIn } from "./filters.js";
import { watchFreshness, whenLookedAt } from "./freshness.js";
import { Grid } from "./grid.js";
import { keys } from "./keys.js";
import { loupeIsOpen, openLoupe, showLoupe } from "./loupe.js";
import { trying } from "./messages.js";

const MOST_COUNTED = 2000; // selected photos whose suggestions are counted

let order = []; // the ids of the photos listed
let places = new Map(); // where each stands
let filters = filtersIn(location.search);

const desk = new Desk((ids) => {
  grid.refresh(ids.map((id) => places.get(id)).filter((place) => place !== undefined));
  const here = desk.get(order[grid.current]);
  if (loupeIsOpen() && here && ids.includes(here.id)) showLoupe(here);
  tellSelection();
});

const need = later((first, last) => desk.need(order.slice(first, last + 1)), 40);
const remember = later(() => history.replaceState({ photo: order[grid.current] }, ""), 250);

const grid = new Grid($("#photos"), {
  label: "Photos",
  fill: fillCell,
  seen: need,
  moved: remember,
  chosen: tellSelection,
  width: innerWidth < 600 ? 158 : 236,
  extra: 70,
});

function fillCell(cell, place) {
  const photo = desk.get(order[place]);
  if (!photo) {
    fill(cell, h("div", { class: "frame" }), h("div", { class: "chips" }));
    return;
  }
  const waiting = sure(photo).length;
  const before = cell.querySelector("img");
  const source = thumbnail(photo);
  const image = before?.getAttribute("src") === source ? before : h("img", { src: source, alt: photo.name, decoding: "async", draggable: "false" });
  const act = (what, keyword) => decideOn([photo.id], what, keyword);
  fill(
    cell,
    h(
      "div",
      { class: "frame", ondblclick: () => look(place) },
      image,
      h("span", { class: "pick", "aria-hidden": "true" }),
      photo.error && h("span", { class: "no-picture" }, photo.error),
      h(
        "div",
        { class: "frame-tools" },
        waiting > 1 && h("button", { type: "button", class: "accept-all", data: { name: "all" }, onclick: () => act("all") }, `Accept ${waiting}`),
        h("button", { type: "button", "aria-label": "Look at it", title: "Look at it (Enter)", data: { name: "look" }, onclick: () => look(place) }, "⤢"),
      ),
      photo.copy_of && h("span", { class: "badge" }, "copy"),
      photo.video && h("span", { class: "badge" }, "video"),
    ),
    h("div", { class: "chips" }, chips(photo, act, { most: 6 })),
  );
}

/** Do what a chip or a key says, on these photos. */
function decideOn(ids, what, keyword = null) {
  if (what === "all") return desk.decideAll(ids, "accepted");
  if (what === "none") return desk.decideAll(ids, "rejected");
  if (what === "accept") return desk.decideAll(ids, "accepted", keyword);
  if (what === "reject") return desk.decideAll(ids, "rejected", keyword);
  if (what === "star") return desk.star(ids[0], keyword);
  if (what === "undo") return desk.undo();
  return desk.decide(
    ids.map((id) => ({ id, keyword, state: wasSuggested(id, keyword) ? "suggested" : "none" })),
    "a decision",
  );
}

const wasSuggested = (id, keyword) => desk.get(id)?.keywords.find((one) => one.keyword === keyword)?.confidence !== null;

const targets = () => grid.target().map((place) => order[place]);

/** The photos a chip's decision is for: the selection where the photo is in it, else the photo alone. */
function fromChip(id) {
  const chosen = targets();
  return chosen.includes(id) ? chosen : [id];
}

function look(place, typing = false) {
  const photo = desk.get(order[place]);
  if (!photo) return;
  openLoupe(photo, {
    typing,
    act: (what, keyword, shown) => decideOn([shown.id], what, keyword),
    give: (keyword, shown) => desk.give([shown.id], keyword),
    step: (by) => {
      grid.go(grid.current + by, { focus: by === 0 });
      return desk.get(order[grid.current]);
    },
  });
}

function tellSelection() {
  const number = grid.selected.size;
  const bar = $("#selection");
  bar.hidden = !number;
  if (!number) return;
  const ids = targets();
  const known = ids.map((id) => desk.get(id)).filter(Boolean);
  if (known.length < number && number <= MOST_COUNTED) desk.need(ids); // told again once they are known
  const waiting = known.reduce((sum, photo) => sum + sure(photo).length, 0);
  $("#selection-count").textContent = `${many(number, "photo")} selected`;
  $("#selection-accept").textContent = known.length === number ? `Accept ${many(waiting, "suggestion")}` : "Accept all suggestions";
}

const adding = keywordField({
  label: "Add a keyword to the selected photos",
  placeholder: "Add a keyword…",
  fresh: true,
  pick: (keyword) => {
    if (keyword) desk.give(targets(), keyword);
    adding.clear();
    grid.go(grid.current);
  },
});
$("#selection-add").append(adding.element);
$("#selection-accept").addEventListener("click", () => decideOn(targets(), "all"));
$("#selection-reject").addEventListener("click", () => decideOn(targets(), "none"));
$("#selection-clear").addEventListener("click", () => grid.select([]));

const form = filterForm($("#filters"), (now) => {
  filters = now;
  history.pushState(null, "", addressOf(filters));
  list();
});

/** Ask for the list, and show it from the beginning, or from a photo. */
async function list(from = null) {
  form.show(filters);
  const found = await trying(() => get("/v1/review/photos", filters));
  if (!found) return;
  order = found.photos;
  places = new Map(order.map((id, place) => [id, place]));
  const at = places.get(from) ?? 0;
  desk.need(order.slice(at, at + 40));
  $("#count").textContent = many(order.length, "photo");
  showEmpty();
  grid.show(order.length, at);
}

function showEmpty() {
  const empty = $("#empty");
  empty.hidden = order.length > 0;
  $("#photos").hidden = !order.length;
  if (order.length) return;
  const only = filters.undecided === "true";
  fill(
    empty,
    h("h2", {}, only ? "Nothing waits for you here" : "No photo is like that"),
    h("p", {}, only ? "Everything Keywright is sure of has been decided." : "Take a filter away to see more."),
    h("div", { class: "row" }, only && h("a", { class: "button", href: "/photos?order=newest" }, "Show all photos"), h("a", { class: "button main", href: "/apply" }, "Apply what was accepted")),
  );
}

const onGrid = (event) => !loupeIsOpen() && (event.target === document.body || Boolean(event.target.closest("#photos, #main")));

/** The key's keyword: of the chip that has the focus. */
const chipOf = (event) => event.target.closest("button[data-keyword]")?.dataset.keyword ?? null;

function byNumber(event, what) {
  const number = Number(event.code.replace(/^(Digit|Numpad)/, ""));
  const photo = desk.get(order[grid.current]);
  const one = photo && sure(photo).sort((a, b) => b.confidence - a.confidence)[number - 1];
  if (one) decideOn(fromChip(photo.id), what, one.keyword);
}

keys("Photos", [
  { key: "←", shown: "← ↑ ↓ →", does: "Go from photo to photo" },
  { key: "Space", does: "Select the photo, or no more" },
  { key: "Shift", shown: "Shift ←…→", does: "Select from here to there" },
  { key: "Ctrl+a", shown: "Ctrl A", does: "Select all; Esc selects none" },
  {
    key: "a",
    does: "Accept all suggestions of the photo or the selection; on a chip, that one",
    run: (event) => onGrid(event) && void decideOn(targets(), chipOf(event) ? "accept" : "all", chipOf(event)),
  },
  {
    key: "r",
    does: "Reject, in the same way",
    run: (event) => onGrid(event) && void decideOn(targets(), chipOf(event) ? "reject" : "none", chipOf(event)),
  },
  { key: "1 2 3 4 5 6 7 8 9", shown: "1…9", does: "Accept the first, second… suggestion", run: (event) => onGrid(event) && void byNumber(event, "accept") },
  { key: "! @ # $ % ^ & * ( \" §", shown: "Shift 1…9", does: "Reject it", run: (event) => onGrid(event) && /^Digit[1-9]$/.test(event.code) && void byNumber(event, "reject") },
  { key: "Tab", does: "Go to the photo's chips" },
  {
    key: "s",
    does: "On a chip: a prime example of it, or no more",
    run: (event) => onGrid(event) && chipOf(event) !== null && void desk.star(order[grid.current], chipOf(event)),
  },
  { key: "u", does: "Undo the last decision", run: () => void desk.undo() },
  {
    key: "k",
    does: "Add a keyword to the photo or the selection",
    run: (event) => {
      if (!onGrid(event)) return false;
      if (grid.selected.size) adding.input.focus();
      else look(grid.current, true);
      return undefined;
    },
  },
  { key: "Enter", does: "Look at the photo", run: (event) => event.target.getAttribute?.("role") === "gridcell" && void look(grid.current) },
  { key: "f", does: "Filter by a keyword", run: () => ($("#more-filters").open = true, form.focus()) },
]);

explain($("#photos"), (button) => desk.get(order[Number(button.closest("[data-place]").dataset.place)]));

// What is decided is learned: after a while the other photos' suggestions are better ones.
desk.decided = later(() => watchFreshness(lookAnew), 15000);

/** Ask anew for what is shown; the list stays as it is. */
function lookAnew() {
  const shown = order.filter((id, place) => grid.cell(place));
  desk.forget();
  desk.need(shown);
}

addEventListener("popstate", (event) => {
  filters = filtersIn(location.search);
  list(event.state?.photo);
});

whenLookedAt(() => {
  watchFreshness(lookAnew);
  lookAnew();
});

watchFreshness(() => {
  desk.forget();
  list(order[grid.current]);
}).then((state) => (desk.version = state?.model_version ?? null));
await list(history.state?.photo);
if (document.activeElement === document.body) grid.go(grid.current);
