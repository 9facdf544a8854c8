// Keys: each page names its own, and "?" shows them all.

import { $, h } from "./dom.js";

const groups = new Map();

/**
 * Name keys: `keys("Photos", [{key: "a", does: "Accept", run: f}])`. `key` is `event.key` (letters in lower case),
 * with "Shift+" or "Ctrl+" before it; several are parted by spaces. `shown` is what the list says for it. An entry
 * without `run` is listed alone. `run` gives `false` where the key was not for it, and the event goes on.
 */
export function keys(group, entries) {
  groups.set(group, [...(groups.get(group) || []), ...entries]);
}

/** Whether somebody is typing, so that letters are letters. */
export function typing(target) {
  return target instanceof HTMLElement && Boolean(target.closest("input:not([type=checkbox],[type=radio],[type=range]), textarea, select, [contenteditable]"));
}

const LETTER = /^[a-z]$/i;

function nameOf(event) {
  const key = event.key === " " ? "Space" : LETTER.test(event.key) ? event.key.toLowerCase() : event.key;
  const shifted = event.shiftKey && (key.length > 1 || LETTER.test(key));
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${shifted ? "Shift+" : ""}${key}`;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || typing(event.target)) return;
  if ($("dialog[open]") && event.key !== "?") return;
  const pressed = nameOf(event);
  for (const entries of groups.values()) {
    for (const entry of entries) {
      if (!entry.run || !entry.key.split(" ").includes(pressed)) continue;
      if (entry.run(event) === false) continue;
      event.preventDefault();
      return;
    }
  }
});

/** Show or hide the list of keys. */
export function showKeys() {
  const open = $("#keys");
  if (open) {
    open.close();
    return;
  }
  const rows = [...groups].map(([group, entries]) => [
    h("h3", {}, group),
    h(
      "dl",
      {},
      entries.map((entry) => [
        h("dt", {}, (entry.shown || entry.key).split(" ").map((one) => h("kbd", {}, one))),
        h("dd", {}, entry.does),
      ]),
    ),
  ]);
  const dialog = h(
    "dialog",
    { id: "keys", "aria-labelledby": "keys-title" },
    h("h2", { id: "keys-title" }, "Keys"),
    h("div", { class: "keys" }, rows),
    h("button", { type: "button", onclick: () => dialog.close(), autofocus: true }, "Close"),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
