// Making elements. Text is always put in as text, so names with markup in them are shown as they are.

/** An element: `h("button", {class: "x", onclick: f}, "text", child)`. Lists are flattened, null is left out. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, String(value));
  }
  element.append(...shown(children));
  return element;
}

/** What is to be shown of a list of children: all but null, undefined and false. */
const shown = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

export const $ = (selector, within = document) => within.querySelector(selector);
export const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

/** Put these in place of what an element held. */
export function fill(element, ...children) {
  element.replaceChildren(...shown(children));
  return element;
}

/** The levels of a keyword's text: `|` parts them, `\|` and `\\` are the characters themselves. */
export function levels(keyword) {
  const found = [""];
  for (let at = 0; at < keyword.length; at++) {
    if (keyword[at] === "\\" && at + 1 < keyword.length) found[found.length - 1] += keyword[++at];
    else if (keyword[at] === "|") found.push("");
    else found[found.length - 1] += keyword[at];
  }
  return found;
}

/** The last level of a keyword: what a chip shows. */
export const nameOf = (keyword) => levels(keyword).at(-1);

/** A keyword for reading: its levels with › between them. */
export const pathOf = (keyword) => levels(keyword).join(" › ");

/** A name in an element of its own direction, so that Hebrew or Arabic does not turn what stands around it. */
export const name = (text, tag = "bdi") => h(tag, {}, text);

/** 0.874 as "87 %"; nothing is ever shown as certain. */
export const percent = (share) => `${Math.min(99, Math.max(1, Math.round(share * 100)))} %`;

/** "87.3": a share of 1 as a quality of 100; "–" where nobody can tell. */
export const hundredths = (share) => (share === null || share === undefined ? "–" : (100 * share).toFixed(1));

const NUMBERS = new Intl.NumberFormat("en");
export const count = (number) => NUMBERS.format(number);

/** "1 photo", "2,000 photos". */
export const many = (number, one, more = one + "s") => `${count(number)} ${number === 1 ? one : more}`;

/** "21 Nov 2026, 07:12" of an ISO moment. */
export const moment = (iso) =>
  iso ? new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }) : "";

/** Call `work` once things have been quiet for a while. */
export function later(work, wait = 150) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), wait);
  };
}
