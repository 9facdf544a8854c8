// Catalogs and jobs: add a catalog, learn with live progress, and read of each job what became of it.

import { get, post } from "./bridge.js";
import { $, fill, h, many, moment, name } from "./dom.js";
import { ended, jobCard, running } from "./jobs.js";
import { keys } from "./keys.js";
import { complain, say, trying } from "./messages.js";

const KINDS = { lightroom: "Lightroom catalog", digikam: "digiKam database", folder: "Folder" };
const JOBS = {
  learn: "Learning",
  embed: "Looking at photos",
  rendition: "Looking at a sent photo",
  plan: "Dry run",
  apply: "Writing keywords",
  undo: "Taking back",
  train: "Training",
  suggestions: "Bringing suggestions up to date",
  audit: "Auditing",
  describe: "Asking describers",
  encoder: "Changing the encoder",
  finetune: "Fine-tuning the encoder",
};
const STATES = { completed: "Done", failed: "Failed", cancelled: "Cancelled" };
const titleOf = (job) => JOBS[job.kind] || job.kind;
const followed = new Set();

/* --- catalogs */

function state(catalog) {
  if (catalog.changed) return h("span", { class: "mark warn" }, "Changed since it was read");
  if (!catalog.read_at) return h("span", { class: "mark" }, "Not read yet");
  return h("span", { class: "mark good" }, catalog.learned ? "Learned from" : "Read, not learned from");
}

function catalogCard(catalog) {
  const mark = h("span", {}, state(catalog));
  const learn = h("button", { type: "button", onclick: () => learnAgain(catalog) }, catalog.learned ? "Learn again" : "Learn from it");
  learn.setAttribute("aria-label", `${learn.textContent}: ${catalog.source}`);
  // Whether it has changed is asked for one by one: a catalog may lie on a drive that is slow to answer.
  get(`/v1/catalogs/${catalog.id}`).then(
    (now) => fill(mark, state(now)),
    (error) => fill(mark, h("span", { class: "mark bad" }, error.message)),
  );
  return h(
    "article",
    { class: "card catalog", data: { catalog: catalog.id } },
    h("div", { class: "row" }, h("h3", {}, name(catalog.source)), h("span", { class: "push" }, mark)),
    h(
      "div",
      { class: "row quiet" },
      h("span", {}, KINDS[catalog.kind]),
      h("span", { class: "number" }, many(catalog.photos, "photo")),
      catalog.read_at && h("span", {}, `read ${moment(catalog.read_at)}`),
      h("span", { class: "push" }, learn),
    ),
  );
}

async function showCatalogs() {
  const box = $("#catalogs");
  const { catalogs } = await get("/v1/catalogs");
  fill(
    box,
    catalogs.length
      ? catalogs.map(catalogCard)
      : h("p", { class: "quiet" }, "None yet. Add one below, and Keywright learns the keywords you already use."),
  );
  box.removeAttribute("aria-busy");
}

const learnAgain = (catalog) =>
  trying(async () => {
    follow(await post(`/v1/catalogs/${catalog.id}/learn`));
  });

$("#add").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  trying(async () => {
    const added = await post("/v1/catalogs", { source: form.source.value.trim(), learn: form.learn.checked });
    form.source.value = "";
    await showCatalogs();
    if (added.job) follow(await get(`/v1/jobs/${added.job}`));
    else say("The folder is empty; Keywright reads it once photos are there.");
  });
});

/* --- jobs */

function follow(job) {
  if (followed.has(job.id)) return;
  followed.add(job.id);
  const card = jobCard(job.id, titleOf(job), (end) => {
    card.remove();
    $("#ended").prepend(jobLine(end));
    if (end.state === "failed") say(`${titleOf(end)}: ${end.error}`, { kind: "bad" });
    else say(`${titleOf(end)}: ${summary(end) || STATES[end.state].toLowerCase()}.`, { kind: "good" });
    showCatalogs().catch(complain);
  });
  card.dataset.job = job.id;
  $("#running").append(card);
}

/** What a job did, in a few words. */
function summary(job) {
  const told = job.result || {};
  const parts = [];
  if (told.trained !== undefined) parts.push(told.trained ? `${many(told.trained, "keyword")} learned from ${many(told.photos, "photo")}` : "nothing new to learn");
  if (told.embedded) parts.push(`${many(told.embedded, "photo")} looked at`);
  if (told.missing) parts.push(`${many(told.missing, "photo")} away`);
  if (told.batch !== undefined) parts.push(`${many(told.photos || 0, "photo")} in ${many(told.files || 0, "file")}`);
  if (job.kind === "plan" && told.files !== undefined) parts.push(`${many(told.files, "file")} would be written`);
  return parts.join(", ");
}

/** Each file that was left out, with the reason. */
function leftOut(job) {
  const told = job.result || {};
  const failed = (told.failed || []).map((one) => [one.path, one.reason]);
  const refused = (told.refused || []).map((one) => [one.where || one.photos[0], one.reason]);
  const all = [...failed, ...refused];
  if (!all.length) return null;
  return h(
    "details",
    {},
    h("summary", {}, `${many(all.length, "file was", "files were")} left out`),
    h("ul", { class: "reasons" }, all.map(([path, reason]) => h("li", {}, name(path), h("span", { class: "quiet" }, ` ${reason}`)))),
  );
}

function jobLine(job) {
  const again = ["failed", "cancelled"].includes(job.state);
  const retry = h("button", { type: "button" }, "Try again");
  retry.setAttribute("aria-label", `Try again: ${titleOf(job)}, job ${job.id}`);
  const line = h(
    "article",
    { class: "card job-line", data: { job: job.id } },
    h(
      "div",
      { class: "row" },
      h("h3", {}, titleOf(job)),
      h("span", { class: `mark ${job.state === "failed" ? "bad" : job.state === "completed" ? "good" : ""}` }, STATES[job.state]),
      h("span", { class: "quiet" }, summary(job)),
      h("span", { class: "quiet push" }, moment(job.ended_at || job.created_at)),
      again && retry,
    ),
    job.error && h("p", { dir: "auto" }, job.error),
    leftOut(job),
  );
  retry.addEventListener("click", () =>
    trying(async () => {
      const anew = await post(`/v1/jobs/${job.id}/retry`);
      line.remove();
      followed.delete(anew.id);
      follow(anew);
    }),
  );
  return line;
}

let before = null;

async function showOlder() {
  const page = await get("/v1/jobs", { limit: 25, before });
  $("#ended").append(...page.jobs.filter((job) => ended(job) && !$(`#ended [data-job="${job.id}"]`)).map(jobLine));
  before = page.next;
  $("#older").hidden = before === null;
  if (!$("#ended").childElementCount && !$("#running").childElementCount)
    fill($("#ended"), h("p", { class: "quiet" }, "Nothing has run yet."));
}

$("#older").addEventListener("click", () => trying(showOlder));

keys("Catalogs", [{ key: "n", does: "Add a catalog", run: () => $("#add input").focus() }]);

await trying(async () => {
  const unfinished = await running();
  await showCatalogs();
  for (const job of unfinished) follow(job);
  await showOlder();
});
