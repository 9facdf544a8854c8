// What every page does: colours, the list of keys, going from page to page, and saying how the bridge is.

import { onReach } from "./bridge.js";
import { $, $$, many } from "./dom.js";
import { keys, showKeys } from "./keys.js";
import { onUnsent } from "./outbox.js";

const THEMES = { system: "as the system has them", light: "light", dark: "dark" };
const SIGNS = { system: "◐", light: "☀", dark: "☾" };

function showTheme() {
  const chosen = document.documentElement.dataset.theme;
  const button = $("#theme");
  button.textContent = SIGNS[chosen];
  button.setAttribute("aria-label", `Colours: ${THEMES[chosen]}`);
  button.title = `Colours: ${THEMES[chosen]}`;
}

function nextTheme() {
  const names = Object.keys(THEMES);
  const now = names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length];
  document.documentElement.dataset.theme = now;
  localStorage.setItem("keywright.theme", now);
  showTheme();
}

showTheme();
$("#theme").addEventListener("click", nextTheme);
$("#help").addEventListener("click", showKeys);

let goingUntil = 0;
keys("Everywhere", [
  { key: "?", does: "Show or hide this list", run: showKeys },
  {
    key: "g",
    shown: "g 1…9",
    does: "Go to a page, by its place in the list of pages",
    run: () => {
      goingUntil = Date.now() + 2000;
    },
  },
]);

document.addEventListener(
  "keydown",
  (event) => {
    const going = Date.now() < goingUntil;
    if (event.key !== "g") goingUntil = 0;
    if (!going || !/^[1-9]$/.test(event.key)) return;
    const link = $$(".bar > nav a")[Number(event.key) - 1];
    if (!link) return;
    event.preventDefault();
    event.stopPropagation();
    location.assign(link.href);
  },
  true,
);

const notice = $("#notice");
const state = $("#state");
let number = 0;
let reach = "yes";

function show() {
  const kept = number ? ` ${many(number, "decision waits", "decisions wait")} in this browser and will be sent then.` : "";
  notice.hidden = reach === "yes";
  if (reach === "gone") notice.textContent = `Keywright does not answer. This page goes on as soon as it runs again.${kept}`;
  if (reach === "closed")
    notice.textContent = `Keywright was restarted, or this session has ended. Open Keywright once more (keywright review, or your photo program's menu); this page then goes on.${kept}`;
  state.textContent = number && reach === "yes" ? `Keeping ${many(number, "decision")}…` : "";
}

onUnsent((now) => {
  number = now;
  show();
});
onReach((now) => {
  reach = now;
  show();
});
