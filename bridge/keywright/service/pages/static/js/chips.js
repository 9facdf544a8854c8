// Chips: a photo's keywords. What a person gave is plain, what is suggested is dashed and shaded by its confidence.

import { $, h, name, nameOf, pathOf, percent } from "./dom.js";
import { reasons, thumbnail } from "./desk.js";

const ITS_NAME = "its name"; // the source of what a keyword's name says

/** Beside a keyword that nobody has yet: a describer alone names it. */
export const newMark = () => h("small", { class: "new", title: "A new keyword: you do not have it yet" }, "new");

/** Who speaks for a suggestion besides photos that are alike: a sentence each. */
export function speaking({ sources = [], new: fresh }) {
  const describers = sources.filter((source) => source !== ITS_NAME);
  return [
    fresh && "A new keyword: you do not have it yet.",
    describers.length && `Seen by ${describers.join(", ")}.`,
    sources.includes(ITS_NAME) && "Fits its name.",
  ].filter(Boolean);
}

/** The chips of a photo. `act(what, keyword)` with what: "accept", "reject", "back" or "star". */
export function chips(photo, act, { most = Infinity, unsure = false } = {}) {
  const order = { suggested: 0, accepted: 1, assigned: 2, rejected: 3 };
  const shown = photo.keywords
    .filter((one) => one.state !== "suggested" || one.sure || unsure)
    .sort((a, b) => order[a.state] - order[b.state] || (a.state === "suggested" ? b.confidence - a.confidence : 0));
  let number = 0;
  const found = shown.slice(0, most).map((one) => chip(one, act, one.state === "suggested" ? ++number : 0));
  if (shown.length > most) found.push(h("span", { class: "chip more" }, `+${shown.length - most}`));
  return found;
}

const spoken = (text) => h("span", { class: "only-read" }, text);

function chip(one, act, number) {
  const label = nameOf(one.keyword);
  const text = name(label);
  const title = pathOf(one.keyword);
  const button = (what, kind, hint, ...inside) =>
    h(
      "button",
      {
        type: "button",
        class: kind,
        title: hint,
        data: { name: `${kind} ${one.keyword}`, act: what, keyword: one.keyword },
        onclick: (event) => (event.stopPropagation(), act(what, one.keyword)),
      },
      inside,
    );
  const star = () =>
    h(
      "button",
      {
        type: "button",
        class: `chip-star${one.prime ? " on" : ""}`,
        "aria-pressed": String(one.prime),
        "aria-label": `${label}: prime example`,
        title: one.prime ? "A prime example; click to unmark" : "Mark this photo as a prime example",
        data: { name: `star ${one.keyword}`, act: "star", keyword: one.keyword },
        onclick: (event) => (event.stopPropagation(), act("star", one.keyword)),
      },
      one.prime ? "★" : "☆",
    );
  if (one.state === "suggested") {
    const element = h(
      "span",
      { class: `chip suggested${one.sure ? "" : " unsure"}` },
      button("accept", "chip-main", [title, ...speaking(one)].join("\n"), spoken("Accept "), text, " ", h("small", {}, percent(one.confidence)), one.new && [" ", newMark()]),
      button("reject", "chip-no", `Reject ${label}`, spoken(`Reject ${label}`), h("span", { "aria-hidden": "true" }, "×")),
    );
    element.style.setProperty("--sure", `${Math.round(one.confidence * 100)}%`);
    if (number && number < 10) element.dataset.number = number;
    return element;
  }
  if (one.state === "accepted")
    return h("span", { class: "chip accepted" }, button("back", "chip-main", `${title}: accepted; click to take it back`, h("span", { "aria-hidden": "true" }, "✓ "), spoken("Take back "), text), star());
  if (one.state === "rejected")
    return h("span", { class: "chip rejected" }, button("back", "chip-main", `${title}: rejected; click to take it back`, spoken("Take back the rejection of "), text));
  return h("span", { class: "chip own", title }, h("span", { class: "chip-main" }, text), star());
}

/** Show the photos that speak for a suggestion while the pointer or the focus rests on its chip. */
export function explain(host, photoOf) {
  const box = h("div", { id: "reasons", class: "reasons", role: "tooltip", hidden: true });
  $("#main").append(box);
  let timer = 0;
  let wanted = null;

  const hide = () => {
    clearTimeout(timer);
    wanted?.removeAttribute("aria-describedby");
    wanted = null;
    box.hidden = true;
  };
  const want = (event) => {
    const button = event.target.closest?.("button[data-act=accept]");
    if (!button || button === wanted) return;
    hide();
    wanted = button;
    timer = setTimeout(() => show(button), 350);
  };
  async function show(button) {
    const photo = photoOf(button);
    if (!photo) return;
    let found;
    try {
      found = await reasons(photo.id, button.dataset.keyword);
    } catch {
      return; // it is only an explanation
    }
    if (wanted !== button || !button.isConnected) return;
    const label = nameOf(button.dataset.keyword);
    const told = photo.keywords.find((one) => one.keyword === button.dataset.keyword);
    box.replaceChildren(
      ...speaking(told ?? {}).map((sentence) => h("p", { dir: "auto" }, sentence)),
      h("p", {}, found.length ? "Alike, and carry " : "No photo alike carries ", h("strong", {}, name(label))),
      h(
        "div",
        { class: "reasons-photos" },
        found.map((one) =>
          h(
            "figure",
            {},
            h("img", { src: thumbnail(one), alt: one.path.split(/[\\/]/).at(-1) }),
            h("figcaption", {}, one.prime ? "★ " : "", `${percent(one.similarity)} alike`),
          ),
        ),
      ),
    );
    box.hidden = false;
    button.setAttribute("aria-describedby", "reasons");
    const at = button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = box;
    box.style.setProperty("left", `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`);
    box.style.setProperty("top", `${at.bottom + 6 + height > innerHeight ? at.top - height - 6 : at.bottom + 6}px`);
  }

  host.addEventListener("mouseover", want);
  host.addEventListener("focusin", want);
  host.addEventListener("mouseout", (event) => event.target.closest?.("button[data-act=accept]") === wanted && hide());
  host.addEventListener("focusout", hide);
  host.addEventListener("scroll", hide, true);
  addEventListener("keydown", (event) => event.key === "Escape" && !box.hidden && hide());
}
