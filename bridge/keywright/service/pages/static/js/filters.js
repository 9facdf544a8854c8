// The filters of the photos: a form whose values stand in the page's address, so that a reload and the back button keep
// them.

import { get } from "./bridge.js";
import { keywordField } from "./combobox.js";
import { $, fill, h, name, nameOf, pathOf } from "./dom.js";
import { trying } from "./messages.js";

const NAMES = ["order", "folder", "since", "until", "keyword", "min_confidence", "undecided", "selection"];

/** The filters in an address. */
export function filtersIn(search) {
  const given = new URLSearchParams(search);
  const found = Object.fromEntries(NAMES.map((one) => [one, given.get(one) || ""]));
  if (![...given.keys()].some((one) => NAMES.includes(one))) found.undecided = "true"; // what most come for
  return found;
}

/** The address of the page with these filters. */
export function addressOf(filters) {
  const given = Object.entries(filters).filter(([, value]) => value);
  return `/photos?${new URLSearchParams(given.length ? given : [["order", "newest"]])}`;
}

/** Make the form work. `change(filters)` is called when a person changes something. */
export function filterForm(form, change) {
  let filters = {};
  const field = keywordField({
    label: "Keyword",
    placeholder: "Any keyword",
    hidden: true,
    pick: (keyword) => set("keyword", keyword),
  });
  $("#filter-keyword").append(field.element);
  field.input.addEventListener("change", () => !field.input.value.trim() && set("keyword", ""));
  const set = (key, value) => {
    if ((filters[key] || "") === value) return;
    change({ ...filters, [key]: value });
  };
  for (const one of ["order", "folder", "since", "until", "min_confidence"]) {
    form.elements[one].addEventListener("change", () => set(one, form.elements[one].value));
  }
  form.elements.undecided.addEventListener("change", () => set("undecided", form.elements.undecided.checked ? "true" : ""));
  form.addEventListener("submit", (event) => event.preventDefault());

  const wide = matchMedia("(min-width: 1021px)");
  const unfold = () => ($("#more-filters").open = wide.matches); // beside each other where there is room
  wide.addEventListener("change", unfold);
  unfold();

  const folders = form.elements.folder;
  let asked = false;
  const loadFolders = async () => {
    if (asked) return;
    asked = true;
    const found = await trying(() => get("/v1/review/folders"));
    if (!found) return;
    const chosen = filters.folder;
    const common = commonStart(found.folders.map((one) => one.folder));
    fill(
      folders,
      h("option", { value: "" }, "All folders"),
      found.folders.map((one) => h("option", { value: one.folder }, `${one.folder.slice(common) || one.folder} (${one.photos})`)),
    );
    folders.value = chosen;
  };
  folders.addEventListener("focus", loadFolders);
  folders.addEventListener("pointerdown", loadFolders);

  return {
    show(now) {
      filters = now;
      if (now.folder && ![...folders.options].some((one) => one.value === now.folder)) {
        folders.append(h("option", { value: now.folder }, now.folder.split(/[\\/]/).at(-1)));
      }
      for (const one of ["order", "folder", "since", "until", "min_confidence"]) form.elements[one].value = now[one] || form.elements[one].options?.[0]?.value || "";
      form.elements.undecided.checked = now.undecided === "true";
      field.input.value = now.keyword ? pathOf(now.keyword) : "";
      const selection = $("#filter-selection");
      selection.hidden = !now.selection;
      fill(selection, "Only the photos you chose in your program ", h("button", { type: "button", class: "plain", onclick: () => set("selection", "") }, "Show all"));
    },
    focus: () => field.input.focus(),
    words: () => (filters.keyword ? name(nameOf(filters.keyword)) : null),
  };
}

/** How many characters at the beginning all folders share, up to a separator. */
function commonStart(folders) {
  if (folders.length < 2) return 0;
  const [first, ...others] = folders;
  let length = 0;
  while (length < first.length && others.every((one) => one[length] === first[length])) length++;
  return Math.max(first.lastIndexOf("/", length - 1), first.lastIndexOf("\\", length - 1)) + 1;
}
