// Keywords: the tree with photos, quality and threshold; moving a threshold shows at once what it would suggest.

import { get, post } from "./bridge.js";
import { thumbnail } from "./desk.js";
import { $, count, fill, h, later, levels, many, name, nameOf, pathOf, percent } from "./dom.js";
import { keys } from "./keys.js";
import { trying } from "./messages.js";

const ROW = 34;
const SPARE = 12;
const list = $("#list");
const one = $("#one");
let all = [];
let shown = [];
let current = -1;
let asked = 0;

/* --- the list, of which only what is seen is in the page */

const body = h("div", { class: "keyword-rows" });
list.append(body);

function draw() {
  const first = Math.max(0, Math.floor(list.scrollTop / ROW) - SPARE);
  const end = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + SPARE);
  body.style.setProperty("height", `${shown.length * ROW}px`);
  body.replaceChildren(...shown.slice(first, end).map((keyword, place) => row(keyword, first + place)));
  if (current >= first && current < end) list.setAttribute("aria-activedescendant", `keyword-${current}`);
  else list.removeAttribute("aria-activedescendant");
}

function row(keyword, place) {
  const inTree = $("#order").value === "tree";
  const depth = inTree ? levels(keyword.keyword).length - 1 : 0;
  return h(
    "div",
    {
      class: "keyword-row",
      role: "option",
      id: `keyword-${place}`,
      "aria-selected": String(place === current),
      "aria-posinset": place + 1,
      "aria-setsize": shown.length,
      style: { top: `${place * ROW}px`, "padding-inline-start": `${12 + depth * 16}px` },
      onclick: () => choose(place),
    },
    h("span", { class: "keyword-name" }, inTree && depth > 0 && h("span", { class: "only-read" }, name(`${pathOf(keyword.keyword).slice(0, -nameOf(keyword.keyword).length)}`)), name(inTree ? nameOf(keyword.keyword) : pathOf(keyword.keyword)), keyword.own && h("small", { title: "You set its threshold" }, " ✎")),
    h("span", { class: "number quiet" }, count(keyword.photos)),
    h("span", { class: "only-read" }, `${keyword.photos === 1 ? "photo" : "photos"}, ${quality(keyword)}`),
    meter(keyword.quality),
  );
}

/** How good the model is, as a small bar. */
function meter(value) {
  const bar = h("span", { class: `meter ${value === null ? "none" : ""}` });
  bar.style.setProperty("--share", String(Math.max(0.04, value ?? 0)));
  return bar;
}

const quality = (keyword) => (keyword.threshold === null ? "no model yet" : keyword.quality === null ? "too few photos to judge" : `quality ${Math.round(100 * keyword.quality)} of 100`);

function filter() {
  const wanted = $("#filter").value.trim().toLocaleLowerCase();
  const chosen = shown[current]?.keyword;
  shown = all.filter((keyword) => !wanted || [keyword.keyword, ...keyword.synonyms].some((text) => text.toLocaleLowerCase().includes(wanted)));
  const order = $("#order").value;
  if (order === "photos") shown.sort((a, b) => b.photos - a.photos);
  if (order === "quality") shown.sort((a, b) => (a.quality ?? 2) - (b.quality ?? 2));
  current = shown.findIndex((keyword) => keyword.keyword === chosen);
  $("#number").textContent = many(shown.length, "keyword");
  draw();
}

function choose(place, look = true) {
  if (place < 0 || place >= shown.length) return;
  current = place;
  const top = place * ROW;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
  draw();
  if (look) open(shown[place]);
}

list.addEventListener("scroll", () => requestAnimationFrame(draw));
addEventListener("resize", later(draw));
$("#filter").addEventListener("input", later(filter, 80));
$("#order").addEventListener("change", filter);
list.addEventListener("keydown", (event) => {
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15 };
  if (event.key in steps) choose(Math.max(0, Math.min(shown.length - 1, current + steps[event.key])));
  else if (event.key === "Home") choose(0);
  else if (event.key === "End") choose(shown.length - 1);
  else return;
  event.preventDefault();
});

/* --- one keyword */

async function open(keyword) {
  const mine = ++asked;
  history.replaceState(null, "", `?keyword=${encodeURIComponent(keyword.keyword)}`);
  const head = h(
    "div",
    { class: "stack" },
    h("h2", {}, name(pathOf(keyword.keyword))),
    h("p", { class: "quiet" }, [many(keyword.photos, "photo"), quality(keyword), keyword.private && "not written into files", keyword.synonyms.length && `also ${keyword.synonyms.join(", ")}`].filter(Boolean).join(" · ")),
  );
  if (keyword.threshold === null && !keyword.own) {
    fill(one, head, h("p", {}, "It has no model yet: it comes with the next learning, once a photo carries it."));
    return;
  }
  const threshold = await trying(() => get("/v1/thresholds", { keyword: keyword.keyword }));
  if (!threshold || mine !== asked) return;
  const now = threshold.own ?? (threshold.learned > 0 ? threshold.learned : 0.99);
  const slider = h("input", { type: "range", id: "threshold", min: "1", max: "99", step: "1", value: String(Math.round(100 * Math.min(0.99, Math.max(0.01, now)))) });
  const value = h("output", { for: "threshold", class: "number" }, "");
  const told = h("p", { class: "number", role: "status" }, "");
  const photos = h("div", { class: "preview" });
  const own = h("span", { class: "quiet" }, "");
  const back = h("button", { type: "button", class: "plain" }, "Let the learned one hold");
  const sayOwn = (state) => {
    own.textContent = state.own === null ? "Learned by itself." : "Set by you.";
    back.hidden = state.own === null;
  };
  const preview = later(async () => {
    const at = ++asked;
    const found = await trying(() => get("/v1/thresholds/preview", { keyword: keyword.keyword, confidence: Number(slider.value) / 100, limit: 24 }));
    if (!found || at !== asked) return;
    const expected = found.precision === null ? "" : `; of such suggestions ${percent(found.precision)} are right, and ${percent(found.recall ?? 0)} of its photos are found`;
    told.textContent = `Would be suggested on ${count(found.photos)} of ${many(found.looked_at, "photo")} without it${expected}.`;
    fill(
      photos,
      found.shown.map((shot) => h("figure", {}, h("img", { src: thumbnail(shot.photo), alt: shot.photo.name, loading: "lazy" }), h("figcaption", { class: "number" }, percent(shot.confidence)))),
    );
  }, 120);
  const save = async (confidence) => {
    const state = await trying(() => post("/v1/thresholds", { keyword: keyword.keyword, confidence }));
    if (!state) return;
    keyword.own = state.own !== null;
    if (confidence === null) {
      slider.value = String(Math.round(100 * Math.min(0.99, Math.max(0.01, state.learned || 0.99))));
      value.textContent = `${slider.value} %`;
      preview();
    }
    sayOwn(state);
    draw();
  };
  slider.addEventListener("input", () => {
    value.textContent = `${slider.value} %`;
    preview();
  });
  slider.addEventListener("change", () => save(Number(slider.value) / 100));
  back.addEventListener("click", () => save(null));
  value.textContent = `${slider.value} %`;
  sayOwn(threshold);
  fill(
    one,
    head,
    h("div", { class: "row threshold-row" }, h("label", { for: "threshold" }, "Suggest it from"), slider, value, own, back),
    told,
    h("h3", {}, "Just above the threshold"),
    photos,
    h("div", { class: "row" }, h("a", { class: "button", href: `/by-keyword?keyword=${encodeURIComponent(keyword.keyword)}` }, "Decide on its photos"), h("a", { class: "button", href: `/teach?keyword=${encodeURIComponent(keyword.keyword)}` }, "Teach it")),
  );
  preview();
}

keys("Keywords", [
  { key: "/", does: "Filter the keywords", run: () => $("#filter").focus() },
  { key: "ArrowDown j", shown: "↓ j", does: "Next keyword", run: (event) => (event.target.closest("#list") && event.key !== "j" ? false : (list.focus(), choose(current + 1))) },
  { key: "ArrowUp k", shown: "↑ k", does: "Keyword before", run: (event) => (event.target.closest("#list") && event.key !== "k" ? false : (list.focus(), choose(current - 1))) },
  { key: "t", does: "Move the threshold (then ← →)", run: () => ($("#threshold") ? $("#threshold").focus() : false) },
]);

await trying(async () => {
  all = (await get("/v1/models/keywords")).keywords;
  filter();
  const wanted = new URLSearchParams(location.search).get("keyword");
  const place = shown.findIndex((keyword) => keyword.keyword === wanted);
  if (place >= 0) choose(place);
  else if (all.length) fill(one, h("p", { class: "quiet" }, "Choose a keyword to see how good its model is and from which confidence on it is suggested."));
  else fill(one, h("div", { class: "empty" }, h("h2", {}, "No keyword yet"), h("a", { class: "button", href: "/catalogs" }, "Add a catalog")));
});
