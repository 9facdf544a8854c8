// Following jobs: server-sent events where there is a free stream, asking now and then where there is none.

import { get, post } from "./bridge.js";
import { count, h } from "./dom.js";

const STATES = ["pending", "processing", "completed", "failed", "cancelled"];
export const ended = (job) => ["completed", "failed", "cancelled"].includes(job.state);
const EVERY = 700;

/** Follow a job to its end: `onChange(job)` for each change. Gives the job as it ended. */
export function follow(number, onChange = () => {}) {
  return new Promise((resolve) => {
    let stream = new EventSource(`/v1/jobs/${number}/events`);
    const told = (job) => {
      onChange(job);
      if (!ended(job)) return;
      stop();
      resolve(job);
    };
    const stop = () => {
      stream?.close();
      stream = null;
    };
    for (const state of STATES) stream.addEventListener(state, (event) => told(JSON.parse(event.data)));
    stream.onerror = () => {
      // Too many streams, or the bridge has gone: from now on the page asks, also after the bridge came back.
      stop();
      poll();
    };
    async function poll() {
      let job = null;
      try {
        job = await get(`/v1/jobs/${number}`);
      } catch (error) {
        if (!error.passing) {
          resolve({ id: number, state: "failed", error: error.message, result: null, stage: "", done: 0, total: null });
          return;
        }
      }
      if (job) told(job);
      if (!job || !ended(job)) setTimeout(poll, EVERY);
    }
  });
}

/**
 * The jobs that wait or run, oldest first; `kinds` to be asked for alone.
 * A page asks for them before it reads what they change: a job that ends in between is then followed to its end, and
 * the page reads anew. The other way round it would go on showing what was there before.
 */
export async function running(kinds = null) {
  const found = new Map(); // those that wait first: one that begins in between is in both answers, not in none
  for (const state of ["pending", "processing"]) {
    for (const job of (await get("/v1/jobs", { state, limit: 20 })).jobs) found.set(job.id, job);
  }
  return [...found.values()].filter((job) => !kinds || kinds.includes(job.kind)).sort((a, b) => a.id - b.id);
}

/** What a job is doing, in words: "Embedding photos, 120 of 2,400". */
export function words(job) {
  if (job.state === "pending") return "Waiting for its turn";
  if (!job.stage) return "Beginning";
  return job.total ? `${job.stage}, ${count(job.done)} of ${count(job.total)}` : job.stage;
}

/**
 * A card that shows a job's progress until it ends, with a button to cancel it.
 * `onEnd(job)` is called once; what is to be said of the end is the caller's.
 */
export function jobCard(number, title, onEnd = () => {}) {
  const text = h("span", { class: "job-words" }, "Beginning");
  const bar = h("progress", { max: 1, "aria-label": title });
  const cancel = h("button", { type: "button" }, "Cancel");
  const card = h("div", { class: "job" }, h("strong", {}, title), bar, text, cancel);
  cancel.addEventListener("click", async () => {
    cancel.disabled = true;
    text.textContent = "Stopping at the next safe place";
    await post(`/v1/jobs/${number}/cancel`).catch(() => {});
  });
  follow(number, (job) => {
    if (job.total) bar.value = job.done / job.total;
    else bar.removeAttribute("value");
    if (!job.cancelling) text.textContent = words(job);
  }).then((job) => {
    cancel.remove();
    bar.value = 1;
    onEnd(job, card);
  });
  return card;
}
