// What the page says: short messages that go by, in a live region that screen readers read out.

import { $, h } from "./dom.js";

const SECONDS = 8;

/** Say a sentence. `action` is a button: `{label, run}`. `kind` is "plain", "good" or "bad"; bad ones stay. */
export function say(text, { kind = "plain", action = null } = {}) {
  const region = $("#messages");
  for (const same of region.children) if (same.dataset.text === text) same.remove();
  const close = () => message.remove();
  const message = h(
    "div",
    { class: `message ${kind}`, data: { text } },
    h("span", { class: "text", dir: "auto" }, text),
    action && h("button", { type: "button", class: "plain", onclick: () => (close(), action.run()) }, action.label),
    h("button", { type: "button", class: "plain close", "aria-label": "Close this message", onclick: close }, "×"),
  );
  region.append(message);
  while (region.children.length > 4) region.firstElementChild.remove();
  if (kind !== "bad") setTimeout(close, SECONDS * 1000);
  return close;
}

/** Show an error: the bridge's sentence where it gave one. */
export function complain(error) {
  if (error.status === 0 || error.status === 401) return; // the notice at the top says that already
  say(error.message || "Something went wrong in this page.", { kind: "bad" });
  if (error.status === undefined) console.error(error);
}

/** Run something, showing what goes wrong. Gives its result, or `undefined`. */
export async function trying(work) {
  try {
    return await work();
  } catch (error) {
    complain(error);
    return undefined;
  }
}

/** Ask a question with answers to choose from; gives the chosen answer's value, `null` where it was closed. */
export function question(text, answers, { detail = null } = {}) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "question", "aria-labelledby": "question-text" });
    const done = (value) => {
      dialog.close();
      dialog.remove();
      resolve(value);
    };
    dialog.append(
      h("h2", { id: "question-text" }, text),
      detail && h("p", {}, detail),
      h(
        "div",
        { class: "answers" },
        answers.map(({ label, value, main }) =>
          h("button", { type: "button", class: main ? "main" : "", autofocus: main, onclick: () => done(value) }, label),
        ),
      ),
    );
    dialog.addEventListener("cancel", (event) => (event.preventDefault(), done(null)));
    document.body.append(dialog);
    dialog.showModal();
  });
}
