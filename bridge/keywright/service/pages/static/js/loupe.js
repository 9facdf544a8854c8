// One photo by itself: large, with all its chips, and a field for a keyword.

import { chips } from "./chips.js";
import { keywordField } from "./combobox.js";
import { $, fill, h, moment, name, percent } from "./dom.js";
import { thumbnail } from "./desk.js";

let shown = null;

export const loupeIsOpen = () => Boolean(shown);

/** Open on a photo. `act(what, keyword, photo)`, `give(keyword, photo)`, `step(by)` gives the next photo's or null. */
export function openLoupe(photo, { act, give, step, typing = false }) {
  const image = h("img", { class: "loupe-image", alt: "" });
  const title = h("h2", { class: "loupe-title" });
  const facts = h("p", { class: "quiet loupe-facts" });
  const list = h("div", { class: "chips" });
  const field = keywordField({
    label: "Add a keyword",
    placeholder: "Add a keyword…",
    fresh: true,
    pick: (keyword) => {
      if (keyword) give(keyword, shown.photo);
      field.clear();
    },
  });
  const go = (by) => {
    const next = step(by);
    if (next) showLoupe(next);
  };
  const dialog = h(
    "dialog",
    { class: "loupe", "aria-label": "Photo" },
    h("div", { class: "loupe-mat" }, image),
    h(
      "div",
      { class: "loupe-side" },
      title,
      facts,
      list,
      field.element,
      h(
        "div",
        { class: "row loupe-buttons" },
        h("button", { type: "button", "aria-label": "Photo before", onclick: () => go(-1) }, "‹"),
        h("button", { type: "button", "aria-label": "Next photo", onclick: () => go(1) }, "›"),
        h("button", { type: "button", class: "main", onclick: () => act("all", null, shown.photo) }, "Accept all"),
        h("button", { type: "button", class: "push", onclick: () => dialog.close() }, "Close"),
      ),
    ),
  );
  dialog.addEventListener("keydown", (event) => {
    if (event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
    const button = event.target.closest("button[data-keyword]");
    const keys = {
      ArrowLeft: () => go(-1),
      ArrowRight: () => go(1),
      a: () => (button ? act("accept", button.dataset.keyword, shown.photo) : act("all", null, shown.photo)),
      r: () => (button ? act("reject", button.dataset.keyword, shown.photo) : act("none", null, shown.photo)),
      s: () => button && act("star", button.dataset.keyword, shown.photo),
      u: () => act("undo", null, shown.photo),
      k: () => field.input.focus(),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    shown = null;
    step(0);
  });
  shown = { photo, image, title, facts, list, act };
  document.body.append(dialog);
  showLoupe(photo);
  dialog.showModal();
  if (typing) field.input.focus();
}

/** Show another photo, or the same one after something was decided on it. */
export function showLoupe(photo) {
  if (!shown) return;
  if (shown.photo.id !== photo.id || !shown.image.src) {
    shown.image.src = thumbnail(photo, "large");
    shown.image.alt = photo.name;
  }
  shown.photo = photo;
  fill(shown.title, name(photo.name));
  shown.facts.textContent = [moment(photo.taken), photo.copy_of ? "virtual copy" : "", photo.error || ""].filter(Boolean).join(" · ");
  const focused = document.activeElement?.dataset?.name;
  fill(shown.list, chips(photo, (what, keyword) => shown.act(what, keyword, shown.photo), { unsure: true }));
  if (focused) [...shown.list.querySelectorAll("[data-name]")].find((one) => one.dataset.name === focused)?.focus();
}
