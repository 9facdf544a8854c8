// Encoders: what photos are looked at with, changing to another in a job, and taking the change back.

import { get, post } from "./bridge.js";
import { $, count, fill, h } from "./dom.js";
import { ended, jobCard } from "./jobs.js";
import { question, say, trying } from "./messages.js";

let followed = null; // the job whose card is shown

/** Show the encoders. `versions`: the model versions, that say what can be gone back to; `changed()` is called after a change. */
export async function showEncoders(versions, changed) {
  const { encoders, job } = await get("/v1/encoders");
  const used = encoders.find((one) => one.in_use)?.id;
  const back = $("#encoder-back");
  back.disabled = !versions.some((one) => one.encoder !== used);
  back.onclick = () => trying(() => takeBack(changed));
  fill($("#encoders"), encoders.map((one) => row(one, versions.length > 0, changed)));
  if (job && !ended(job)) follow(job, changed);
}

function row(one, learned, changed) {
  const called = one.name || one.id;
  return h(
    "tr",
    { data: { encoder: one.id }, class: one.in_use ? "active-version" : "" },
    h("th", { scope: "row" }, called, " ", one.in_use && h("span", { class: "mark good" }, "in use")),
    h("td", {}, one.about, h("br"), h("small", { class: "quiet" }, one.id)),
    h("td", { class: "number" }, count(one.dimension)),
    h("td", { class: "number" }, count(one.vectors)),
    h("td", {}, learned && one.installed && !one.in_use && h("button", { type: "button", onclick: () => trying(() => ask(one, called, changed)), "aria-label": `Change to ${called}` }, "Change")),
  );
}

async function ask(one, called, changed) {
  const sure = await question(
    `Look at photos with ${called}?`,
    [
      { label: "Cancel", value: false },
      { label: "Change", value: true, main: true },
    ],
    { detail: "All photos are embedded again, which can be stopped and goes on later. The models until now suggest meanwhile, and stay where the new ones are worse." },
  );
  if (sure) await change(one.id, false, changed);
}

const change = async (id, anyway, changed) => follow(await post("/v1/encoders/change", { name: id, anyway }), changed, id);

/** `asked`: the encoder's id, where this page began the change. */
function follow(job, changed, asked = null) {
  if (followed === job.id) return;
  followed = job.id;
  $("#running").append(
    jobCard(job.id, "Changing the encoder", (end, card) => {
      card.remove();
      followed = null;
      if (end.state === "failed") say(end.error, { kind: "bad" });
      else if (end.state === "completed") tell(end.result, asked, changed);
      trying(changed);
    }),
  );
}

function tell(result, asked, changed) {
  if (!result.held_back) say(`${result.encoder} is in use now.`, { kind: "good", action: { label: "Take back", run: () => trying(() => takeBack(changed)) } });
  else say(`${result.encoder} stays in use: ${result.held_back}.`, { action: asked && { label: "Change all the same", run: () => trying(() => change(asked, true, changed)) } });
}

async function takeBack(changed) {
  const version = await post("/v1/encoders/back");
  say(`${version.encoder} is in use again, with version ${version.id}.`, { kind: "good" });
  await changed();
}
