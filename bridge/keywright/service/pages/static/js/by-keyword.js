// By keyword: all photos suggested for one keyword, surest first; untick the wrong ones and accept the rest at once.

import { get } from "./bridge.js";
import { newMark } from "./chips.js";
import { Desk, thumbnail } from "./desk.js";
import { $, count, fill, h, later, levels, many, name, nameOf, pathOf, percent } from "./dom.js";
import { watchFreshness, whenLookedAt } from "./freshness.js";
import { Grid } from "./grid.js";
import { keys } from "./keys.js";
import { loupeIsOpen, openLoupe, showLoupe } from "./loupe.js";
import { question, say, trying } from "./messages.js";

let keywords = [];
let keyword = null; // the one shown
let groups = [];
let unticked = new Set(); // places that a person unticked, of those that were ticked

const desk = new Desk((ids) => {
  const changed = new Set(ids);
  grid.refresh(groups.flatMap((group, place) => (group.photos.some((id) => changed.has(id)) ? [place] : [])));
  const here = desk.get(groups[grid.current]?.photos[0]);
  if (loupeIsOpen() && here) showLoupe(here);
});
desk.undone = () => Promise.all([loadKeywords(), open(keyword)]);

const need = later((first, last) => desk.need(groups.slice(first, last + 1).map((group) => group.photos[0])), 40);

const grid = new Grid($("#photos"), {
  label: "Photos suggested for this keyword",
  fill: fillCell,
  seen: need,
  chosen: tell,
  width: innerWidth < 600 ? 158 : 190,
  ratio: 0.75,
  extra: 34,
  ticking: true,
});

const ticked = () => grid.target().filter((place) => grid.selected.has(place));
const photosOf = (places) => places.reduce((sum, place) => sum + groups[place].photos.length, 0);

function fillCell(cell, place) {
  const group = groups[place];
  const photo = desk.get(group.photos[0]);
  const [confidence] = group.confidences;
  const source = photo && thumbnail(photo);
  const before = cell.querySelector("img");
  const image = before && before.getAttribute("src") === source ? before : source && h("img", { src: source, alt: photo.name, decoding: "async", draggable: "false" });
  const meter = h("span", { class: "meter" });
  meter.style.setProperty("--sure", `${Math.round(confidence * 100)}%`);
  cell.classList.add("tick");
  cell.classList.toggle("unsure", !group.sure);
  cell.classList.toggle("stack", group.photos.length > 1);
  fill(
    cell,
    h("div", { class: "frame", ondblclick: () => look(place) }, image, h("span", { class: "pick", "aria-hidden": "true" }), group.photos.length > 1 && h("span", { class: "badge" }, `${group.photos.length} frames`)),
    h("div", { class: "under" }, meter, h("span", { class: "number" }, percent(confidence))),
  );
}

function tell() {
  const places = ticked();
  const photos = photosOf(places);
  const sureOnes = groups.flatMap((group, place) => (group.sure ? [place] : []));
  unticked = new Set(sureOnes.filter((place) => !grid.selected.has(place)));
  const accept = $("#accept");
  accept.textContent = `Accept the ${count(photos)} ticked`;
  accept.disabled = !photos;
  const less = groups.length - sureOnes.length;
  $("#told").textContent = keyword
    ? [many(photosOf(groups.map((_, place) => place)), "photo"), unticked.size && `${count(photosOf([...unticked]))} unticked`, less && `${count(less)} less sure`].filter(Boolean).join(" · ")
    : "";
}

/** Show a keyword's photos; those at or above its threshold are ticked. */
async function open(wanted, { push = false, focus = false } = {}) {
  keyword = wanted;
  if (wanted) history[push ? "pushState" : "replaceState"](null, "", `/by-keyword?${new URLSearchParams({ keyword: wanted })}`);
  groups = [];
  if (wanted) {
    const found = await trying(() => get("/v1/review/keyword", { keyword: wanted }));
    if (keyword !== wanted) return;
    groups = found?.groups ?? [];
  }
  showTitle();
  desk.need(groups.slice(0, 40).map((group) => group.photos[0]));
  showEmpty();
  grid.show(groups.length);
  grid.select(groups.flatMap((group, place) => (group.sure ? [place] : [])));
  for (const item of $("#keywords").children) {
    const here = item.firstChild.dataset.keyword === wanted;
    item.firstChild.setAttribute("aria-current", String(here));
    if (here) item.scrollIntoView({ block: "nearest" });
  }
  $("#chosen").value = wanted ?? "";
  if (focus) grid.go(0);
}

function showTitle() {
  const above = keyword ? levels(keyword).slice(0, -1).join(" › ") : "";
  const fresh = keywords.find((one) => one.keyword === keyword)?.new;
  fill($("#title"), keyword ? [above && h("span", { class: "quiet" }, name(above), " › "), name(nameOf(keyword)), fresh && [" ", newMark()]] : "By keyword");
}

function showEmpty() {
  const empty = $("#empty");
  $("#photos").hidden = $("#bar").hidden = !groups.length;
  empty.hidden = groups.length > 0;
  if (groups.length) return;
  const next = keywords.find((one) => one.keyword !== keyword);
  fill(
    empty,
    h("h2", {}, keyword ? "Nothing waits for this keyword" : "Nothing is suggested now"),
    next
      ? h("button", { type: "button", class: "main", onclick: () => open(next.keyword, { push: true, focus: true }) }, "Go on with ", name(nameOf(next.keyword)))
      : h("a", { class: "button main", href: "/apply" }, "Apply what was accepted"),
  );
}

async function loadKeywords() {
  const found = await trying(() => get("/v1/review/keywords"));
  if (!found) return;
  keywords = found.keywords;
  showTitle();
  showKeywords();
}

function showKeywords() {
  const wanted = $("#find").value.trim().toLowerCase();
  const shown = keywords.filter((one) => pathOf(one.keyword).toLowerCase().includes(wanted));
  fill(
    $("#keywords"),
    shown.map((one) =>
      h(
        "li",
        {},
        h(
          "a",
          {
            href: `/by-keyword?${new URLSearchParams({ keyword: one.keyword })}`,
            title: pathOf(one.keyword),
            "aria-current": String(one.keyword === keyword),
            data: { keyword: one.keyword },
            onclick: (event) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return;
              event.preventDefault();
              open(one.keyword, { push: true, focus: true });
            },
          },
          h("span", { class: "named" }, name(nameOf(one.keyword)), one.new && [" ", newMark()]),
          h("span", { class: "number" }, one.sure ? count(one.sure) : "", one.unsure ? h("small", {}, ` +${count(one.unsure)}`) : ""),
        ),
      ),
    ),
  );
  if (!matchMedia("(max-width: 820px)").matches) return; // where the list is not shown, there is this instead
  fill(
    $("#chosen"),
    keywords.map((one) => h("option", { value: one.keyword }, `${pathOf(one.keyword)} (${one.sure + one.unsure}${one.new ? ", new" : ""})`)),
  );
  $("#chosen").value = keyword ?? "";
}

const made = (places, state) =>
  places.flatMap((place) =>
    groups[place].photos.map((id, at) => ({ id, keyword, state, confidence: groups[place].confidences[at] })),
  );

/** Accept what is ticked; whether what was unticked is wrong is asked, not assumed. */
async function accept() {
  const places = ticked();
  if (!places.length) return;
  const [accepted, wrong] = [made(places, "accepted"), made([...unticked], "rejected")];
  const here = keyword;
  let rejected = [];
  if (wrong.length) {
    const answer = await question(`Is ${nameOf(here)} wrong on the ${many(wrong.length, "photo")} you unticked?`, [
      { label: "Leave them undecided", value: "leave" },
      { label: `Reject ${many(wrong.length, "photo")}`, value: "reject", main: true },
    ]);
    if (answer === null) return;
    if (answer === "reject") rejected = wrong;
  }
  const what = `${nameOf(here)} accepted on ${many(accepted.length, "photo")}${rejected.length ? `, rejected on ${count(rejected.length)}` : ""}`;
  const kept = desk.decide([...accepted, ...rejected], what);
  say(`${what}.`, { kind: "good", action: { label: "Undo", run: () => desk.undo() } });
  const decided = new Set([...accepted, ...rejected].map((one) => one.id));
  groups = groups.filter((group) => !decided.has(group.photos[0]));
  showEmpty();
  grid.show(groups.length);
  grid.select([]);
  if (groups.length) grid.go(0);
  else $("#empty button, #empty a")?.focus();
  await kept;
  loadKeywords();
}

/** Reject the current group alone. */
function reject() {
  const place = grid.current;
  if (!groups[place]) return;
  const wrong = made([place], "rejected");
  desk.decide(wrong, `${nameOf(keyword)} rejected on ${many(wrong.length, "photo")}`);
  const still = new Set(ticked());
  groups = groups.filter((_, at) => at !== place);
  const left = [...still].filter((at) => at !== place).map((at) => (at > place ? at - 1 : at));
  showEmpty();
  grid.show(groups.length, Math.min(place, groups.length - 1));
  grid.select(left);
  if (groups.length) grid.go(Math.min(place, groups.length - 1));
}

function look(place) {
  const photo = desk.get(groups[place]?.photos[0]);
  if (!photo) return;
  openLoupe(photo, {
    act: (what, one, shown) => {
      if (what === "all") desk.decideAll([shown.id], "accepted");
      else if (what === "none") desk.decideAll([shown.id], "rejected");
      else if (what === "accept" || what === "reject") desk.decideAll([shown.id], `${what}ed`, one);
      else if (what === "star") desk.star(shown.id, one);
      else if (what === "undo") desk.undo();
      else desk.decide([{ id: shown.id, keyword: one, state: "suggested" }], "a decision");
    },
    give: (one, shown) => desk.give([shown.id], one),
    step: (by) => {
      grid.go(grid.current + by, { focus: by === 0 });
      return desk.get(groups[grid.current]?.photos[0]);
    },
  });
}

/** The keyword `by` places on in the list. */
function step(by) {
  const at = keywords.findIndex((one) => one.keyword === keyword);
  const next = keywords[Math.max(0, Math.min(at + by, keywords.length - 1))];
  if (next && next.keyword !== keyword) open(next.keyword, { push: true, focus: true });
}

$("#accept").addEventListener("click", accept);
$("#all").addEventListener("click", () => grid.select(groups.map((_, place) => place)));
$("#none").addEventListener("click", () => grid.select([]));
$("#find").addEventListener("input", later(showKeywords, 60));
$("#chosen").addEventListener("change", () => open($("#chosen").value, { push: true }));

keys("By keyword", [
  { key: "←", shown: "← ↑ ↓ →", does: "Go from photo to photo" },
  { key: "Space", does: "Tick the photo, or no more; Shift with the arrows for several" },
  { key: "a", does: "Accept the ticked ones", run: () => void accept() },
  { key: "r", does: "Reject this one", run: () => void reject() },
  { key: "t", does: "Tick all, or none", run: () => void grid.select(grid.selected.size < groups.length ? groups.map((_, place) => place) : []) },
  { key: "u", does: "Undo", run: () => void desk.undo() },
  { key: "n", does: "Go on with the next keyword", run: () => step(1) },
  { key: "p", does: "Go back to the keyword before", run: () => step(-1) },
  { key: "f", does: "Find a keyword", run: () => $("#find").focus() },
  { key: "Enter", does: "Look at the photo", run: (event) => event.target.getAttribute?.("role") === "gridcell" && void look(grid.current) },
]);

addEventListener("popstate", () => open(new URLSearchParams(location.search).get("keyword") ?? keywords[0]?.keyword ?? null));
whenLookedAt(loadKeywords);

const anew = async () => {
  await loadKeywords();
  await open(keyword ?? keywords[0]?.keyword ?? null);
};
watchFreshness(anew).then((state) => (desk.version = state?.model_version ?? null));
const wanted = new URLSearchParams(location.search).get("keyword");
const listed = loadKeywords();
if (!wanted) await listed;
await open(wanted ?? keywords[0]?.keyword ?? null, { focus: true });
await listed;
showEmpty();
