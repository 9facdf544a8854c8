// Apply: what will be written where, writing it with progress, and taking back a batch or one photo in it.

import { get, post } from "./bridge.js";
import { $, count, fill, h, many, moment, name, nameOf, pathOf } from "./dom.js";
import { jobCard, running } from "./jobs.js";
import { complain, question, say, trying } from "./messages.js";

const form = $("#what");
let planned = null; // what the last dry run was asked, as text

const IN_WORDS = {
  plan: "Looking at what would be written",
  apply: "Writing keywords",
  undo: "Taking keywords out again",
};

/** What the form asks for. */
function asked() {
  const by = form.elements.by.value;
  const catalog = form.elements.catalog.value;
  return {
    catalogs: catalog ? [Number(catalog)] : [],
    min_confidence: by === "accepted" ? null : Number(form.elements.least.value) / 100,
    to_files: form.elements.to_files.checked,
    sidecars: form.elements.sidecars.value,
  };
}

const fileName = (path) => path.split(/[\\/]/).at(-1);
const keywordsOf = (list, sign, kind) =>
  list.map((keyword) => h("span", { class: `diff ${kind}`, title: pathOf(keyword) }, `${sign} `, name(nameOf(keyword))));

/** The dry run: for each photo the keywords it gets, and where they are written. */
function showPlan(result) {
  const names = ["photo", "keywords", "written to"];
  fill(
    $("#plan"),
    h(
      "div",
      { class: "row" },
      h("h2", {}, result.photos || result.files ? `${many(result.photos ?? result.files, "photo")} would get keywords` : "There is nothing to write"),
      h("span", { class: "quiet push" }, [many(result.files, "file"), result.unchanged && `${many(result.unchanged, "photo has", "photos have")} them already`].filter(Boolean).join(" · ")),
    ),
    Object.entries(result.left_out ?? {}).map(([why, number]) => h("p", { class: "quiet" }, `${many(number, "keyword")} left out: ${why}.`)),
    refusals(result.refused),
    result.files > 0 && [
      h("div", { class: "row" }, h("button", { type: "button", class: "main", id: "write", onclick: write }, `Write into ${many(result.files, "file")}`), h("span", { class: "quiet" }, "Each change is kept in the journal and can be taken back.")),
      h(
        "div",
        { class: "wide" },
        h(
          "table",
          { class: "plan" },
          h("caption", { class: "only-read" }, "What would be written where"),
          h("thead", {}, h("tr", {}, names.map((one) => h("th", { scope: "col" }, one)))),
          h(
            "tbody",
            {},
            result.writes.map((one) =>
              h(
                "tr",
                {},
                h("td", {}, one.photos.map((path) => h("div", { title: path }, name(fileName(path))))),
                h("td", {}, keywordsOf(one.add, "+", "plus"), keywordsOf(one.remove, "−", "minus"), one.notes.map((note) => h("div", { class: "quiet" }, note))),
                h("td", { class: "quiet path" }, name(one.where), one.creates ? " (new file)" : ""),
              ),
            ),
          ),
        ),
      ),
      result.files > result.writes.length && h("p", { class: "quiet" }, `And ${many(result.files - result.writes.length, "file")} more.`),
    ],
  );
}

function refusals(refused) {
  if (!refused?.length) return null;
  return h(
    "details",
    { class: "refused", open: refused.length < 6 },
    h("summary", {}, `${many(refused.length, "file")} cannot be written`),
    h("ul", {}, refused.map((one) => h("li", {}, name(fileName(one.photos[0] ?? one.where)), ": ", one.reason))),
  );
}

const watched = new Set();

/** Show a job's card where jobs are shown, and do what is to be done when it ends. */
function watch(job) {
  if (watched.has(job.id)) return;
  watched.add(job.id);
  const card = jobCard(job.id, IN_WORDS[job.kind], (ended, shown) => {
    shown.remove();
    finished(ended, job.kind);
  });
  $("#jobs").append(card);
  for (const button of form.querySelectorAll("button")) button.disabled = true;
}

async function finished(job, kind) {
  if (!$("#jobs").children.length) for (const button of form.querySelectorAll("button")) button.disabled = false;
  const result = job.result ?? {};
  if (job.state === "failed") say(`${IN_WORDS[kind]} failed: ${job.error}`, { kind: "bad" });
  if (kind === "plan") {
    if (job.state === "completed") showPlan(result);
    else fill($("#plan"));
    return;
  }
  fill($("#plan"));
  await history(); // before anything is said: what is on the page then is as it is now
  const done = kind === "apply" ? "written" : "taken out again";
  if (job.state !== "failed") {
    const what = result.batch ? `Keywords ${done} on ${many(result.photos, "photo")}` : "There was nothing to do";
    say(`${what}${job.state === "cancelled" ? "; then stopped, as you asked" : ""}.`, { kind: "good" });
  }
  fill($("#outcome"), refusals(result.refused), (result.warnings ?? []).map((warning) => h("p", { class: "quiet" }, warning)), result.stopped && h("p", {}, result.stopped));
}

async function plan(event) {
  event?.preventDefault();
  fill($("#outcome"));
  const body = asked();
  planned = JSON.stringify(body);
  fill($("#plan"));
  const job = await trying(() => post("/v1/write-backs/plan", body));
  if (job) watch(job);
}

async function write() {
  const body = asked();
  if (JSON.stringify(body) !== planned) {
    say("The choice above has changed since this list was made; look again first.");
    return;
  }
  $("#write").disabled = true;
  const job = await trying(() => post("/v1/write-backs", body));
  if (job) watch(job);
  else $("#write").disabled = false;
}

// --- history

const STATES = { open: "still being written", stopped: "stopped early", interrupted: "interrupted" };

async function history() {
  const found = await trying(() => get("/v1/write-backs", { limit: 100 }));
  if (!found) return;
  const undone = new Map(found.batches.filter((one) => one.undoes).map((one) => [one.undoes, one]));
  const shown = found.batches.filter((one) => !one.undoes);
  fill(
    $("#history"),
    shown.length ? null : h("p", { class: "quiet" }, "Nothing has been written yet."),
    shown.map((one) => batch(one, undone.get(one.id))),
  );
}

function batch(one, taken) {
  const left = one.written; // photos that still hold what was written
  const files = h("div", { class: "batch-files" });
  const details = h(
    "details",
    { class: "batch" },
    h(
      "summary",
      {},
      h("span", { class: "batch-when number" }, moment(one.begun_at)),
      h("span", {}, name(one.label || one.kind)),
      h(
        "span",
        { class: "quiet" },
        [`${many(one.written + one.undone, "photo")} written`, STATES[one.state], one.undone && `${count(one.undone)} taken back`, one.left && `${count(one.left)} left as they were`, one.note].filter(Boolean).join(" · "),
      ),
      !left && taken && h("span", { class: "quiet" }, `taken back ${moment(taken.begun_at)}`),
    ),
    files,
  );
  details.addEventListener("toggle", () => details.open && !files.children.length && showFiles(one, files, 0));
  const back = left > 0 && h("button", { type: "button", class: "batch-back", onclick: () => undo(one, left) }, "Take back");
  return h("div", { class: "batch-row" }, details, back);
}

async function showFiles(one, host, after) {
  const found = await trying(() => get(`/v1/write-backs/${one.id}`, { limit: 100, after }));
  if (!found) return;
  host.querySelector(".more-files")?.remove();
  host.append(
    ...found.files.map((file) =>
      h(
        "div",
        { class: "batch-file" },
        h("span", { title: file.where }, name(fileName(file.photos[0] ?? file.where))),
        h("span", {}, keywordsOf(file.added, "+", "plus"), keywordsOf(file.removed, "−", "minus")),
        h("span", { class: "quiet" }, file.reason || (file.state === "written" ? "" : file.state)),
        file.state === "written" &&
          h("button", { type: "button", class: "plain push", onclick: () => undoPhoto(one, file) }, `Take back ${fileName(file.photos[0] ?? file.where)}`),
      ),
    ),
  );
  if (found.next === null) return;
  const more = h("button", { type: "button", class: "more-files" }, "Show more");
  more.addEventListener("click", async () => {
    more.disabled = true; // pressed twice, it would show them twice
    await showFiles(one, host, found.next);
    more.disabled = false;
  });
  host.append(more);
}

async function undo(one, left) {
  const answer = await question(
    `Take back what was written on ${moment(one.begun_at)}?`,
    [
      { label: "Leave it", value: false },
      { label: `Take back ${many(left, "photo")}`, value: true, main: true },
    ],
    { detail: "Exactly what Keywright wrote is taken out; what you changed since stays." },
  );
  if (answer) start(one, []);
}

async function undoPhoto(one, file) {
  try {
    const found = await post("/v1/photos", { photos: file.photos.map((path) => ({ path })) });
    const ids = found.photos.flatMap((each) => (each.photo ? [each.photo.id] : []));
    if (!ids.length) throw new Error(found.photos[0]?.error ?? "This photo is in no catalog any more.");
    await start(one, ids);
  } catch (error) {
    complain(error);
  }
}

async function start(one, photos) {
  const job = await trying(() => post(`/v1/write-backs/${one.id}/undo`, { photos }));
  if (job) watch(job);
}

// --- the page

form.addEventListener("submit", plan);
form.addEventListener("change", () => {
  $("#least-shown").textContent = `${form.elements.least.value} %`;
  form.elements.least.disabled = form.elements.by.value === "accepted";
});
form.elements.least.addEventListener("input", () => ($("#least-shown").textContent = `${form.elements.least.value} %`));
form.elements.least.disabled = form.elements.by.value === "accepted";

const catalogs = await trying(() => get("/v1/catalogs"));
if (catalogs) {
  form.elements.catalog.append(...catalogs.catalogs.map((one) => h("option", { value: one.id }, one.source)));
  $("#to-files").hidden = !catalogs.catalogs.some((one) => one.kind === "lightroom");
}
// Loaded anew in the middle of a job, the page goes on showing it.
const unfinished = (await trying(() => running(Object.keys(IN_WORDS)))) ?? [];
await history();
for (const job of unfinished) {
  if (job.kind === "plan") planned = JSON.stringify(asked());
  watch(job);
}
