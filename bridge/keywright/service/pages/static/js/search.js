// Search: words, example photos or both; what was found can become a keyword.

import { get, post } from "./bridge.js";
import { keywordField } from "./combobox.js";
import { thumbnail } from "./desk.js";
import { $, $$, fill, h, many, name, nameOf, pathOf, percent } from "./dom.js";
import { keys } from "./keys.js";
import { say, trying } from "./messages.js";
import { decide } from "./outbox.js";

const MOST = 120;
const form = $("#search");
const box = $("#found");
let anchors = []; // photos that others are to be like
let keyword = "";
let asked = 0;
let last = null; // the result a range is chosen from

/* --- asking */

const ofKeyword = keywordField({
  label: "Only with keyword",
  placeholder: "any",
  hidden: true,
  pick: (chosen) => {
    keyword = chosen;
    ofKeyword.input.value = chosen ? pathOf(chosen) : "";
    ask();
  },
});
$("#of-keyword").append("With keyword ", ofKeyword.element);

const anchorsOf = keywordField({
  label: "Begin from the prime examples of",
  placeholder: "keyword",
  hidden: true,
  pick: (chosen) =>
    trying(async () => {
      anchorsOf.clear();
      if (!chosen) return;
      const { photos } = await get("/v1/keywords/primes", { keyword: chosen });
      if (!photos.length) {
        say(`${nameOf(chosen)} has no prime example yet; mark one with the star on the photos page.`);
        return;
      }
      await addAnchors(photos);
      ask();
    }),
});
$("#anchors-of").append("Like the ★ of ", anchorsOf.element);

function addAnchor(photo) {
  if (anchors.some((one) => one.photo === photo.photo)) return;
  anchors.push(photo);
  showAnchors();
}

/** Photos by their numbers, as pictures to be like. */
async function addAnchors(numbers) {
  const { photos } = await post("/v1/review/photos", { photos: numbers });
  for (const one of photos) addAnchor({ photo: one.id, name: one.name, path: one.path, picture: one.picture });
}

function showAnchors() {
  fill(
    $("#anchors"),
    anchors.map((one) =>
      h(
        "div",
        { class: "anchor", role: "listitem" },
        h("img", { src: thumbnail(one), alt: one.name }),
        h("button", { type: "button", "aria-label": `Search without ${one.name}`, onclick: () => ((anchors = anchors.filter((other) => other !== one)), showAnchors(), ask()) }, "×"),
      ),
    ),
  );
}

async function ask() {
  const text = form.text.value.trim();
  const mine = ++asked;
  const query = { text, like: anchors.map((one) => one.photo).join(","), under: form.under.value.trim(), keyword, limit: MOST };
  remember(query);
  if (!text && !anchors.length) {
    box.hidden = true;
    $("#told").textContent = "Say what is to be seen, or choose photos that others are to be like.";
    return;
  }
  box.setAttribute("aria-busy", "true");
  $("#told").textContent = "Searching…";
  const found = await trying(() => get("/v1/search", query));
  if (mine !== asked) return;
  box.removeAttribute("aria-busy");
  if (!found) {
    $("#told").textContent = "";
    return;
  }
  show(found);
}

function remember({ text, like, under, keyword: wanted }) {
  const given = Object.entries({ text, like, under, keyword: wanted }).filter(([, value]) => value);
  history.replaceState(null, "", given.length ? `?${new URLSearchParams(given)}` : location.pathname);
}

/* --- what was found */

function show({ photos, notes }) {
  $("#told").textContent = [photos.length ? `${many(photos.length, "photo")}, the surest first.` : "Nothing was found; try other words, or fewer filters.", ...notes].join(" ");
  box.hidden = !photos.length;
  last = null;
  fill(
    box,
    photos.map((one, place) => {
      const why = one.because.join("; ");
      const tile = h(
        "div",
        { class: "result", role: "option", tabindex: place ? "-1" : "0", "aria-selected": "false", "aria-label": `${one.name}, ${percent(one.score)}${why ? `, ${why}` : ""}`, title: one.path },
        h("img", { src: thumbnail(one), alt: "", loading: "lazy" }),
        h("span", { class: "result-line" }, h("span", { class: "number" }, percent(one.score)), h("span", { class: "quiet result-why" }, why ? name(why) : name(one.name))),
      );
      tile.photo = one;
      return tile;
    }),
  );
  showMaking();
}

const tiles = () => $$(".result", box);
const chosen = () => $$('.result[aria-selected="true"]', box);

function choose(tile, on) {
  tile.setAttribute("aria-selected", String(on));
  last = tile;
}

function chooseTo(tile) {
  const all = tiles();
  const [from, to] = [all.indexOf(last ?? tile), all.indexOf(tile)].sort((a, b) => a - b);
  for (const one of all.slice(from, to + 1)) choose(one, true);
}

box.addEventListener("click", (event) => {
  const tile = event.target.closest(".result");
  if (!tile) return;
  if (event.shiftKey) chooseTo(tile);
  else choose(tile, tile.getAttribute("aria-selected") !== "true");
  move(tile);
  showMaking();
});

function move(tile) {
  if (!tile) return;
  for (const one of $$('.result[tabindex="0"]', box)) one.setAttribute("tabindex", "-1");
  tile.setAttribute("tabindex", "0");
  tile.focus();
}

function step(by) {
  const all = tiles();
  const now = all.indexOf(document.activeElement);
  if (now < 0) return move(all[0]) ?? (all.length > 0 ? undefined : false);
  return move(all[Math.max(0, Math.min(all.length - 1, now + by))]);
}

const columns = () => getComputedStyle(box).gridTemplateColumns.split(" ").length;

/* --- a keyword of these */

const making = keywordField({ label: "Keyword for the chosen photos", placeholder: "Keyword, new or known", fresh: true, hidden: true, pick: (wanted) => make(wanted) });
const makingText = h("span", {});
fill(
  $("#making"),
  h(
    "div",
    { class: "row" },
    makingText,
    making.element,
    h("button", { type: "button", class: "main", onclick: () => make(making.input.value.trim()) }, "Make a keyword of these"),
    h("button", { type: "button", onclick: () => likeThese() }, "More like these"),
    h("button", { type: "button", class: "plain", onclick: () => (tiles().forEach((one) => choose(one, false)), showMaking()) }, "Choose none"),
  ),
);

function showMaking() {
  const number = chosen().length;
  $("#making").hidden = !number;
  makingText.textContent = many(number, "photo chosen", "photos chosen");
}

function likeThese() {
  for (const tile of chosen()) addAnchor(tile.photo);
  ask();
}

function make(wanted) {
  const photos = chosen().map((tile) => tile.photo);
  if (!wanted || !photos.length) return;
  trying(async () => {
    const { keywords: known } = await get("/v1/keywords/search", { text: nameOf(wanted), limit: 50 });
    const there = known.find((one) => one.keyword === wanted);
    const made = there ?? (await post("/v1/keywords", { keyword: wanted }));
    const decisions = photos.map((one) => ({ photo: one.photo, keyword: made.keyword, decision: "accepted" }));
    await decide(decisions);
    say(`${nameOf(made.keyword)} is on ${many(photos.length, "photo")} now${there ? "" : "; it is new, and is written when you apply"}.`, {
      kind: "good",
      action: { label: "Take back", run: () => trying(() => decide(decisions.map((one) => ({ ...one, decision: "undecided" })))) },
    });
    making.clear();
    for (const tile of chosen()) choose(tile, false);
    showMaking();
  });
}

/* --- keys and the address */

keys("Search", [
  { key: "/", does: "Type words to search for", run: () => form.text.focus() },
  { key: "ArrowRight", shown: "← →", does: "Go through what was found", run: () => step(1) },
  { key: "ArrowLeft", shown: "↑ ↓", does: "A row up or down", run: () => step(-1) },
  { key: "ArrowDown", does: "", run: () => step(columns()) },
  { key: "ArrowUp", does: "", run: () => step(-columns()) },
  {
    key: "Space",
    does: "Choose a photo",
    run: (event) => {
      const tile = event.target.closest(".result");
      if (!tile) return false;
      choose(tile, tile.getAttribute("aria-selected") !== "true");
      showMaking();
      return undefined;
    },
  },
  { key: "Shift+Space", does: "Choose all up to here", run: (event) => (event.target.closest(".result") ? (chooseTo(event.target.closest(".result")), showMaking()) : false) },
  { key: "l", does: "More like the chosen photos, or this one", run: (event) => ((chosen().length || event.target.closest(".result")) ? (chosen().length || choose(event.target.closest(".result"), true), likeThese()) : false) },
  { key: "k", does: "Make a keyword of the chosen photos", run: () => (chosen().length ? making.input.focus() : false) },
].filter((one) => one.does || one.run));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
form.under.addEventListener("change", ask);

const address = new URLSearchParams(location.search);
form.text.value = address.get("text") || "";
form.under.value = address.get("under") || "";
keyword = address.get("keyword") || "";
ofKeyword.input.value = keyword ? pathOf(keyword) : "";
const like = (address.get("like") || "").split(",").filter((one) => /^[1-9]\d*$/.test(one)).map(Number);
if (like.length) await trying(() => addAnchors(like));
await ask();
if (!form.text.value) form.text.focus();
