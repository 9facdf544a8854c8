// Whether the lists are up to date: asked when a page opens and when it is looked at again, and followed while not.

import { get } from "./bridge.js";
import { $, fill, h } from "./dom.js";
import { follow, words } from "./jobs.js";
import { trying } from "./messages.js";

let following = null;

/** Show it in `#fresh`. `onFresh()` is called when the lists have been brought up to date. Gives the state. */
export async function watchFreshness(onFresh) {
  const state = await trying(() => get("/v1/review"));
  if (state?.job && state.job !== following) {
    following = state.job;
    const strip = $("#fresh");
    const bar = h("progress", { max: 1, "aria-label": "Bringing suggestions up to date" });
    const text = h("span", {});
    fill(strip, h("span", {}, state.model_version ? "Suggestions are being brought up to date; what you see may be a little old." : "Suggestions are being made."), bar, text);
    strip.hidden = false;
    follow(state.job, (job) => {
      if (job.total) bar.value = job.done / job.total;
      text.textContent = words(job);
    }).then((job) => {
      strip.hidden = job.state !== "failed";
      if (job.state === "failed") fill(strip, h("span", {}, `Suggestions could not be brought up to date: ${job.error}`));
      following = null;
      if (job.state === "completed") onFresh(state);
    });
  }
  return state;
}

/** Look again whenever the window is looked at again. */
export function whenLookedAt(work) {
  let left = 0;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) left = Date.now();
    else if (Date.now() - left > 2000) work();
  });
}
