// Teach: "Is this a Dog?" one photo at a time; each answer is learned at once, and after each round its gain is shown.

import { get, post } from "./bridge.js";
import { keywordField } from "./combobox.js";
import { thumbnail } from "./desk.js";
import { $, fill, h, hundredths, many, name, nameOf, pathOf, percent } from "./dom.js";
import { follow } from "./jobs.js";
import { keys } from "./keys.js";
import { trying } from "./messages.js";
import { decide, send } from "./outbox.js";

const ROUND = 10;
const box = $("#question");
const address = new URLSearchParams(location.search);
let keyword = address.get("keyword") || "";
let version = null;
let questions = [];
let at = 0;
let answers = []; // of this round: {question, decision}
let rounds = 0;
let busy = false;

/* --- what is asked about */

const field = keywordField({
  label: "Keyword to teach",
  placeholder: "Any keyword",
  pick: (chosen) => {
    keyword = chosen;
    field.input.value = chosen ? pathOf(chosen) : "";
    history.replaceState(null, "", chosen ? `?keyword=${encodeURIComponent(chosen)}` : location.pathname);
    field.input.blur();
    rounds = 0;
    fill($("#gain"));
    begin();
  },
});
field.input.value = keyword ? pathOf(keyword) : "";
$("#about").append(field.element, h("button", { type: "button", class: "plain", onclick: () => (field.clear(), field.input.focus()) }, "Choose a keyword"));

/* --- a round */

async function begin() {
  box.setAttribute("aria-busy", "true");
  fill(box, h("p", { class: "quiet" }, "Looking for the photos whose answer teaches most…"));
  const found = await trying(() => get("/v1/uncertain", { keyword, limit: ROUND }));
  box.removeAttribute("aria-busy");
  questions = found?.questions || [];
  version = found?.model_version ?? null;
  at = 0;
  answers = [];
  if (questions.length) rounds++;
  show();
}

function show() {
  $("#round").textContent = questions.length ? `Round ${rounds}, question ${Math.min(at + 1, questions.length)} of ${questions.length}` : "";
  if (!questions.length) {
    fill(
      box,
      h(
        "div",
        { class: "empty" },
        h("h2", {}, "Nothing to ask"),
        h("p", {}, keyword ? `Keywright is sure of ${nameOf(keyword)} on every photo it knows, or was told.` : "There is nothing Keywright is unsure of. Learn from a catalog, or add photos, and questions come."),
        h("a", { class: "button", href: "/photos" }, "Go to the photos"),
      ),
    );
    return;
  }
  if (at >= questions.length) {
    endOfRound();
    return;
  }
  const one = questions[at];
  const label = nameOf(one.keyword);
  fill(
    box,
    h("div", { class: "question-photo" }, h("img", { src: thumbnail(one.photo, "large"), alt: one.photo.name })),
    h(
      "div",
      { class: "question-side" },
      h("h2", { class: "question-text" }, "Is this ", h("strong", {}, name(label)), "?"),
      h("p", { class: "quiet" }, name(pathOf(one.keyword))),
      h("p", {}, "Keywright thinks: ", h("strong", { class: "number" }, percent(one.confidence))),
      h(
        "div",
        { class: "question-answers" },
        answerButton("yes", "Yes", "y"),
        answerButton("no", "No", "n"),
        answerButton("skip", "Skip", "s"),
        h("button", { type: "button", class: "plain", disabled: !answers.length, onclick: back }, "Back ", h("kbd", {}, "u")),
      ),
      h("p", { class: "quiet question-path" }, name(one.photo.path)),
    ),
  );
}

const answerButton = (what, label, key) =>
  h("button", { type: "button", class: what === "yes" ? "main" : "", data: { answer: what }, onclick: () => answer(what) }, `${label} `, h("kbd", {}, key));

const asDecision = (question, decision) => ({
  photo: question.photo.photo,
  keyword: question.keyword,
  decision,
  confidence: question.confidence,
  model_version: version,
});

async function answer(what) {
  if (busy || at >= questions.length) return;
  const question = questions[at];
  answers.push({ question, what });
  at++;
  if (what !== "skip") {
    // The next question is there at once; that the answer is kept is seen to meanwhile.
    trying(() => decide([asDecision(question, what === "yes" ? "accepted" : "rejected")]));
  }
  show();
}

function back() {
  const last = answers.pop();
  if (!last || busy) return;
  at = questions.indexOf(last.question);
  if (last.what !== "skip") trying(() => decide([asDecision(last.question, "undecided")]));
  show();
}

/* --- what a round gained */

async function endOfRound() {
  const answered = answers.filter((one) => one.what !== "skip");
  const agreed = answered.filter(({ question, what }) => question.confidence >= 0.5 === (what === "yes")).length;
  const next = h("button", { type: "button", class: "main", onclick: begin }, "Next round ", h("kbd", {}, "Enter"));
  const told = h("p", { class: "quiet" }, answered.length ? "Measuring what was gained…" : "Every question was skipped, so nothing was learned.");
  fill(
    box,
    h(
      "div",
      { class: "empty" },
      h("h2", {}, `Round ${rounds} is done`),
      h("p", {}, answered.length ? `${many(answered.length, "answer")}; before, Keywright would have been right on ${agreed}.` : ""),
      told,
      next,
    ),
  );
  if (!answered.length) return;
  busy = true;
  const gain = await trying(() => measure(answered.map((one) => one.question.keyword)));
  busy = false;
  told.textContent = gain?.text || "What was gained could not be measured; your answers are kept.";
  if (gain) $("#gain").prepend(gainLine(rounds, answered.length, gain));
}

/** Train on what is known now, and compare with the version the questions came from. */
async function measure(keywords) {
  await send(); // the last answers may still be on their way
  const job = await follow((await post("/v1/models/train")).id);
  if (job.state !== "completed") throw Object.assign(new Error(job.error || "The training was cancelled."), { status: 500 });
  const trained = job.result.trained_version;
  if (trained === version) return { text: "Nothing changed." };
  const found = await get("/v1/models/compare", { old: version, new: trained });
  const asked = new Set(keywords);
  const pairs = found.changed.filter((one) => asked.has(one.keyword) && one.old_quality !== null && one.new_quality !== null);
  const text = found.new_mean === null ? "Too few photos to measure accuracy by." : `Accuracy over all keywords ${hundredths(found.old_mean)} → ${hundredths(found.new_mean)}`;
  return { text, pairs, from: found.old_mean, to: found.new_mean, heldBack: job.result.held_back };
}

function gainLine(number, answered, gain) {
  return h(
    "article",
    { class: "card" },
    h("div", { class: "row" }, h("h3", {}, `Round ${number}`), h("span", { class: "quiet" }, many(answered, "answer")), h("span", { class: "push number" }, gain.text)),
    gain.heldBack && h("p", {}, gain.heldBack),
    gain.pairs?.length
      ? h(
          "ul",
          { class: "gains" },
          gain.pairs.map((one) => h("li", {}, name(pathOf(one.keyword)), h("span", { class: "number" }, ` ${hundredths(one.old_quality)} → ${hundredths(one.new_quality)}`))),
        )
      : null,
  );
}

keys("Teach", [
  { key: "y ArrowRight", shown: "y →", does: "Yes", run: () => answer("yes") },
  { key: "n ArrowLeft", shown: "n ←", does: "No", run: () => answer("no") },
  { key: "s ArrowDown", shown: "s ↓", does: "Skip", run: () => answer("skip") },
  { key: "u", does: "Back to the question before, and take its answer back", run: back },
  { key: "k", does: "Choose a keyword", run: () => field.input.focus() },
  {
    key: "Enter",
    does: "Next round",
    run: (event) => {
      if (event.target.closest("button, a, summary") || at < questions.length || busy) return false;
      begin();
    },
  },
]);

await begin();
