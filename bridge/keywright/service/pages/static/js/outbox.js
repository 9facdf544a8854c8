// Decisions on their way: kept in the browser until the bridge has said that they are on its disk.
//
// Each lot has a key of its own, under which the bridge takes it once. So a lot may be sent again after a reload, after
// the bridge was restarted, or by another window, and nothing is lost or done twice.

import { newKey, onReach, post } from "./bridge.js";
import { say } from "./messages.js";
import { many } from "./dom.js";

const PREFIX = "keywright.unsent.";
const MOST = 5000; // decisions of one request
const memory = new Map(); // lots that the browser had no room to keep
const listeners = new Set();
let sending = null;

/** Be told how many decisions are not on the bridge's disk yet. */
export function onUnsent(listener) {
  listeners.add(listener);
  listener(unsent());
}

function lots() {
  const found = [...memory];
  for (let at = 0; at < localStorage.length; at++) {
    const name = localStorage.key(at);
    if (name.startsWith(PREFIX)) found.push([name, JSON.parse(localStorage.getItem(name))]);
  }
  return found.sort(([a], [b]) => (a < b ? -1 : 1));
}

export const unsent = () => lots().reduce((sum, [, lot]) => sum + lot.decisions.length, 0);

let reachable = "yes";
let held = 0; // decisions that had to wait because the bridge could not be reached

function tell() {
  const number = unsent();
  if (reachable !== "yes") held = Math.max(held, number);
  for (const listener of listeners) listener(number);
  if (number || !held || reachable !== "yes") return;
  say(`${many(held, "decision that had waited here is", "decisions that had waited here are")} kept now.`, { kind: "good" });
  held = 0;
}

/** Decide: `[{photo, keyword, decision, confidence?, model_version?}]`. Resolves once the bridge has kept them. */
export function decide(decisions) {
  let moment = Date.now();
  for (let start = 0; start < decisions.length; start += MOST) {
    const lot = { key: newKey(), decisions: decisions.slice(start, start + MOST) };
    const name = `${PREFIX}${String(moment++).padStart(15, "0")}.${lot.key}`;
    try {
      localStorage.setItem(name, JSON.stringify(lot));
    } catch {
      memory.set(name, lot); // no room: this window keeps it as long as it lives
    }
  }
  tell();
  return send();
}

/** Send what waits, in the order it was decided; one window at a time. Gives whether all of it is kept now. */
export async function send() {
  again = true;
  sending ??= sendWhileThereIs().finally(() => {
    sending = null;
  });
  await sending;
  return unsent() === 0;
}

let again = false;

async function sendWhileThereIs() {
  while (again) {
    again = false;
    await navigator.locks.request("keywright.unsent", sendAll);
  }
}

async function sendAll() {
  for (let [next] = lots(); next; [next] = lots()) {
    const [name, lot] = next;
    try {
      await post("/v1/decisions", { decisions: lot.decisions }, lot.key);
    } catch (error) {
      if (error.passing) {
        if (error.status === 503 || error.status === 429) setTimeout(send, 3000);
        return;
      }
      say(`${many(lot.decisions.length, "decision was", "decisions were")} refused: ${error.message}`, { kind: "bad" });
    }
    memory.delete(name);
    localStorage.removeItem(name);
    tell();
  }
}

onReach((now) => {
  reachable = now;
  held ||= unsent();
  if (now === "yes" && unsent()) send();
  else tell(); // it may be another window that has sent them
});

addEventListener("storage", (event) => event.key?.startsWith(PREFIX) && tell());
