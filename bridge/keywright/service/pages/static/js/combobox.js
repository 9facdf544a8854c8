// A text field that completes keywords over the person's own tree (ARIA's combobox with a list).

import { get } from "./bridge.js";
import { h, later, name, pathOf } from "./dom.js";

let numbers = 0;

/**
 * A field. `pick(keyword)` is called with the keyword's text; where `fresh` is set, also with a new one that was
 * typed. Gives `{element, input, clear()}`.
 */
export function keywordField({ label, placeholder = "", pick, fresh = false, hidden = true }) {
  const id = `keywords-${++numbers}`;
  const list = h("ul", { id, class: "options", role: "listbox", "aria-label": label, hidden: true });
  const input = h("input", {
    type: "text",
    role: "combobox",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    placeholder,
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": id,
    "aria-label": hidden ? label : null,
  });
  const element = h("div", { class: "combobox" }, input, list);
  let options = [];
  let at = -1;
  let asked = 0;

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    at = -1;
  };
  const mark = (place) => {
    at = place;
    [...list.children].forEach((option, one) => option.setAttribute("aria-selected", String(one === at)));
    if (at < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", `${id}-${at}`);
      list.children[at].scrollIntoView({ block: "nearest" });
    }
  };
  const take = (keyword) => {
    close();
    pick(keyword);
  };
  const show = (found, typed) => {
    options = found.map((one) => one.keyword);
    const known = found.some((one) => one.keyword.toLowerCase() === typed.toLowerCase() || one.name.toLowerCase() === typed.toLowerCase());
    const items = found.map((one) => [name(pathOf(one.keyword)), h("small", {}, String(one.photos))]);
    if (fresh && typed && !known) {
      options.push(typed);
      items.push(["New keyword ", h("strong", {}, name(pathOf(typed)))]);
    }
    list.replaceChildren(
      ...items.map((inside, place) =>
        h("li", { role: "option", id: `${id}-${place}`, "aria-selected": "false", onmousedown: (event) => (event.preventDefault(), take(options[place])) }, inside),
      ),
    );
    list.hidden = !items.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    mark(items.length && fresh ? 0 : -1);
  };
  const look = later(async () => {
    const typed = input.value.trim();
    const mine = ++asked;
    if (!typed) {
      close();
      return;
    }
    let found = [];
    try {
      found = (await get("/v1/keywords/search", { text: typed.split("|").at(-1) || typed, limit: 12 })).keywords;
    } catch {
      // Without completion the field is still one to type in.
    }
    if (mine === asked && document.activeElement === input) show(found, typed);
  }, 90);

  input.addEventListener("input", look);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) look();
      else mark((at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length);
      event.preventDefault();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const typed = input.value.trim();
      if (!list.hidden && at >= 0) take(options[at]);
      else if (typed && fresh) take(typed);
      else if (typed && options.length && !list.hidden) take(options[0]);
      else if (!typed) take("");
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      close();
    }
  });
  return { element, input, clear: () => ((input.value = ""), close()) };
}
