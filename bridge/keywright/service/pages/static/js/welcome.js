// The first visit: choose what to learn from, let it be learned, see the first suggestions.

import { get, post } from "./bridge.js";
import { $, fill, h, many, name, nameOf, percent } from "./dom.js";
import { thumbnail } from "./desk.js";
import { jobCard, running } from "./jobs.js";
import { say, trying } from "./messages.js";

const KINDS = { lightroom: "Lightroom", digikam: "digiKam", folder: "Folder" };
const steps = ["choose", "learn", "see"];

/** Which of the three steps one is at. */
function at(step) {
  const place = steps.indexOf(step);
  steps.forEach((one, number) => {
    $(`#${one}`).className = `step ${number < place ? "done" : number === place ? "now" : "later"}`;
    if (number === place) $(`#${one}`).setAttribute("aria-current", "step");
    else $(`#${one}`).removeAttribute("aria-current");
  });
}

async function choose(source) {
  if (!source.trim()) return;
  for (const button of document.querySelectorAll("#choose button")) button.disabled = true;
  const catalog = await trying(() => post("/v1/catalogs", { source: source.trim() }));
  for (const button of document.querySelectorAll("#choose button")) button.disabled = false;
  if (!catalog) return;
  fill($("#chosen"), KINDS[catalog.kind], ": ", name(catalog.source));
  learn(catalog.job);
}

function learn(number) {
  at("learn");
  const card = jobCard(number, "Reading, looking at photos, and learning your keywords", async (job, shown) => {
    shown.remove();
    if (job.state !== "completed") {
      at("choose");
      say(job.state === "failed" ? job.error : "Stopped; what was done until then is kept.", { kind: job.state === "failed" ? "bad" : "plain" });
      return;
    }
    const { photos, models } = job.result;
    const failed = job.result.failed?.length ?? 0;
    fill($("#learned"), `Learned ${many(models, "keyword")} from ${many(photos, "photo")}.${failed ? ` ${many(failed, "photo")} could not be read.` : ""}`);
    see();
  });
  $("#learning").replaceChildren(card);
}

/** The suggestions are made in a job of their own, right after learning. */
async function see() {
  at("see");
  const state = await trying(() => get("/v1/review"));
  if (state?.job) {
    $("#suggesting").replaceChildren(
      jobCard(state.job, "Making the first suggestions", (job, shown) => {
        shown.remove();
        if (job.state === "failed") say(job.error, { kind: "bad" });
        show();
      }),
    );
  } else await show();
}

async function show() {
  const found = await trying(() => get("/v1/review/photos", { undecided: true }));
  if (!found) return;
  const { photos } = found.photos.length ? await post("/v1/review/photos", { photos: found.photos.slice(0, 6) }) : { photos: [] };
  fill(
    $("#suggested"),
    photos.length
      ? h("p", {}, `${many(found.photos.length, "photo")} ${found.photos.length === 1 ? "waits" : "wait"} for you with suggestions. The first:`)
      : h("p", {}, "Every photo seems to have its keywords already: nothing is suggested that is sure enough. Photos you add will be."),
    h(
      "div",
      { class: "strip" },
      photos.map((photo) => {
        const best = photo.keywords.filter((one) => one.state === "suggested" && one.sure)[0];
        return h("figure", {}, h("img", { src: thumbnail(photo), alt: photo.name }), h("figcaption", {}, best && [name(nameOf(best.keyword)), ` ${percent(best.confidence)}`]));
      }),
    ),
    h("div", { class: "row" }, h("a", { class: "button main", href: photos.length ? "/photos" : "/photos?order=newest" }, photos.length ? "Review them" : "Look at the photos"), h("a", { class: "button", href: "/by-keyword" }, "Keyword by keyword")),
  );
  $("#suggested a")?.focus();
}

$("#typed").addEventListener("submit", (event) => {
  event.preventDefault();
  choose(event.target.elements.source.value);
});

at("choose");
const found = await trying(() => get("/v1/review/places"));
fill(
  $("#places"),
  (found?.places ?? []).map((place) =>
    h("li", {}, h("button", { type: "button", onclick: () => choose(place.source) }, h("span", { class: "kind" }, KINDS[place.kind]), name(place.source))),
  ),
);
$("#none-found").hidden = Boolean(found?.places.length);
$("#found").hidden = !found?.places.length;
// Loaded anew in the middle of learning, or with a catalog learned already, it goes on where one was.
const [job] = (await trying(() => running(["learn"]))) ?? [];
if (job) learn(job.id);
