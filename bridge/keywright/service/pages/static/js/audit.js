// Audit: what is probably missing or wrong in a catalog, each with the photos that speak for it, decided with one key.

import { get, post } from "./bridge.js";
import { thumbnail } from "./desk.js";
import { $, $$, count, fill, h, many, moment, name, nameOf, pathOf, percent } from "./dom.js";
import { ended, jobCard } from "./jobs.js";
import { keys } from "./keys.js";
import { say, trying } from "./messages.js";
import { decide } from "./outbox.js";

const AT_ONCE = 30;
const list = $("#findings");
const fresh = () => ({ found: [], next: 0, left: 0 });
/** Of each kind what was read so far, where the next page begins (null: there is none), and how many are undecided. */
let kinds = { missing: fresh(), wrong: fresh() };
let doubt = "missing";
let shown = 0;
let following = null;
let reading = Promise.resolve();
let filling = null; // stands for the reading that the list waits for, while it does
let undone = [];

const open = () => kinds[doubt].found.filter((one) => !one.decided);

/* --- catalogs and running audits */

async function showCatalogs() {
  const { catalogs } = await get("/v1/catalogs");
  const select = $("#catalog");
  fill(select, catalogs.map((one) => h("option", { value: one.id }, one.source)));
  const wanted = new URLSearchParams(location.search).get("catalog");
  if (wanted) select.value = wanted;
  $("#begin").disabled = !catalogs.length;
  if (!catalogs.length) fill(list, h("li", { class: "empty" }, h("h2", {}, "No catalog yet"), h("a", { class: "button", href: "/catalogs" }, "Add a catalog")));
  return catalogs.length > 0;
}

async function load() {
  const catalog = $("#catalog").value;
  const found = await trying(() => get("/v1/audits", { catalog, doubt, limit: AT_ONCE }));
  if (!found) return;
  kinds = { missing: { ...fresh(), left: found.missing }, wrong: { ...fresh(), left: found.wrong } };
  Object.assign(kinds[doubt], { found: found.findings, next: found.next });
  undone = [];
  $("#judged").textContent = found.audited_at ? `${many(found.judged, "photo")} judged ${moment(found.audited_at)}` : "";
  $("#begin").textContent = found.audited_at ? "Audit again" : "Audit";
  if (found.job && !ended(found)) watch(found.job);
  if (!found.audited_at && found.state !== "pending" && found.state !== "processing") {
    counts();
    fill(list, h("li", { class: "empty" }, h("h2", {}, "Not audited yet"), h("p", {}, "An audit learns from the catalog and judges every keyword in it; nothing is changed.")));
    return;
  }
  show();
}

function watch(job) {
  if (following === job) return;
  following = job;
  $("#running").append(
    jobCard(job, "Auditing", (end, card) => {
      card.remove();
      following = null;
      if (end.state === "failed") say(end.error, { kind: "bad" });
      load();
    }),
  );
}

$("#begin").addEventListener("click", () => trying(async () => watch((await post("/v1/audits", { catalog: Number($("#catalog").value) })).id)));
$("#catalog").addEventListener("change", () => {
  history.replaceState(null, "", `?catalog=${$("#catalog").value}`);
  load();
});

/* --- the findings */

function counts() {
  for (const kind of ["missing", "wrong"]) $(`[data-count="${kind}"]`).textContent = count(kinds[kind].left);
}

function show() {
  counts();
  shown = 0;
  filling = null;
  list.replaceChildren();
  more();
}

/** Read on until there are enough more of this kind than are shown; one reading after the other. */
function readOn(kind, catalog) {
  reading = reading.then(async () => {
    while (kinds[doubt] === kind && kind.next !== null && open().length < shown + AT_ONCE) {
      const found = await trying(() => get("/v1/audits", { catalog, doubt, after: kind.next, limit: AT_ONCE }));
      if (!found) return;
      kind.found.push(...found.findings);
      kind.next = found.next;
    }
  });
  return reading;
}

/** Show as many more. Asked for again before they are there, as by one decision after the other, they come once. */
async function more() {
  if (filling) return;
  const kind = kinds[doubt];
  if (kind.next !== null && open().length < shown + AT_ONCE) {
    const mine = (filling = {});
    await readOn(kind, $("#catalog").value);
    if (filling !== mine || kinds[doubt] !== kind) return; // another kind, or another catalog, was chosen meanwhile
    filling = null;
  }
  const all = open();
  const part = all.slice(shown, shown + AT_ONCE);
  list.append(...part.map(line));
  shown += part.length;
  $("#more").hidden = kind.next === null && shown >= all.length;
  if (!all.length) fill(list, h("li", { class: "empty" }, h("h2", {}, doubt === "missing" ? "No keyword seems to be missing" : "No keyword seems to be wrong")));
}

const choice = (label, rest, key, run, main = false) =>
  h("button", { type: "button", class: main ? "main" : "", onclick: run }, label, h("span", { class: "only-read" }, rest), h("kbd", { "aria-hidden": "true" }, key));

function line(one) {
  const label = nameOf(one.keyword);
  const photo = one.photos[0];
  const missing = one.doubt === "missing";
  const item = h(
    "li",
    { class: "finding", tabindex: "-1" },
    h("img", { class: "finding-photo", src: thumbnail(photo), alt: photo.name, loading: "lazy" }),
    h(
      "div",
      { class: "stack finding-text" },
      h("h2", {}, missing ? "Lacks " : "Carries ", h("strong", {}, name(label)), missing ? "" : " wrongly?"),
      h("p", { class: "quiet" }, name(pathOf(one.keyword)), one.instead && [" · looks like ", name(nameOf(one.instead))]),
      h("p", { class: "number" }, `${percent(one.chance)} likely an error`),
      h("p", { class: "quiet finding-path" }, name(photo.name), one.photos.length > 1 && ` and ${many(one.photos.length - 1, "copy", "copies")}`),
      h(
        "div",
        { class: "row" },
        choice(missing ? "Add it" : "Remove it", missing ? `${label} to ${photo.name}` : `${label} from ${photo.name}`, "a", () => settle(item, one, true), true),
        choice(missing ? "Right as it is" : "Keep it", `${label} on ${photo.name}`, "r", () => settle(item, one, false)),
      ),
    ),
    one.because.length
      ? h(
          "figure",
          { class: "finding-because" },
          h("figcaption", { class: "quiet" }, missing ? "Alike, with it" : "Alike, without it"),
          one.because.map((b) => h("img", { src: thumbnail(b.photo), alt: `${b.photo.name}, ${percent(b.similarity)} alike`, loading: "lazy" })),
        )
      : null,
  );
  item.finding = one;
  return item;
}

/** `error`: the catalog is in error. A missing keyword is then accepted, a wrong one rejected. */
function settle(item, one, error) {
  const decision = (one.doubt === "missing") === error ? "accepted" : "rejected";
  const made = one.photos.map((photo) => ({ photo: photo.photo, keyword: one.keyword, decision }));
  one.decided = true;
  kinds[one.doubt].left--;
  undone.push({ one, place: [...list.children].indexOf(item) });
  const next = item.nextElementSibling || item.previousElementSibling;
  item.remove();
  shown--;
  counts();
  if (next) focus(next);
  if (!list.childElementCount) more();
  else if (list.childElementCount < 8 && !$("#more").hidden) more();
  trying(() => decide(made));
}

function back() {
  const last = undone.pop();
  if (!last) return;
  last.one.decided = false;
  kinds[last.one.doubt].left++;
  trying(() => decide(last.one.photos.map((photo) => ({ photo: photo.photo, keyword: last.one.keyword, decision: "undecided" }))));
  if (last.one.doubt !== doubt) choose(last.one.doubt);
  else {
    if (list.querySelector(".empty")) list.replaceChildren();
    const item = line(last.one);
    list.insertBefore(item, list.children[last.place] || null);
    shown++;
    counts();
    focus(item);
  }
}

function focus(item) {
  if (!item?.classList.contains("finding")) return;
  item.focus();
  item.scrollIntoView({ block: "nearest" });
}

function choose(kind) {
  doubt = kind;
  for (const button of $$(".choice")) button.setAttribute("aria-pressed", String(button.dataset.doubt === kind));
  show();
}

for (const button of $$(".choice")) button.addEventListener("click", () => choose(button.dataset.doubt));
$("#more").addEventListener("click", more);

const current = () => document.activeElement?.closest?.(".finding");
const step = (by) => {
  const now = current();
  if (!now) focus(list.firstElementChild);
  else focus(by > 0 ? now.nextElementSibling : now.previousElementSibling);
};
const onCurrent = (error) => () => {
  const item = current() || $(".finding", list);
  if (!item) return false;
  settle(item, item.finding, error);
};

keys("Audit", [
  { key: "ArrowDown j", shown: "↓ j", does: "Next finding", run: () => step(1) },
  { key: "ArrowUp k", shown: "↑ k", does: "Finding before", run: () => step(-1) },
  { key: "a", does: "The catalog is in error: add the missing or remove the wrong keyword", run: onCurrent(true) },
  { key: "r", does: "It is right as it is", run: onCurrent(false) },
  { key: "u", does: "Take the last decision back", run: back },
  { key: "m", does: "Show what is probably missing", run: () => choose("missing") },
  { key: "w", does: "Show what is probably wrong", run: () => choose("wrong") },
]);

if (await trying(showCatalogs)) await load();
