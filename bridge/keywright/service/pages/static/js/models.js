// Models: versions with what is known of how good they are, side by side; which suggests, and versions as files.

import { get, post } from "./bridge.js";
import { $, $$, count, fill, h, hundredths, many, moment, name, pathOf, percent } from "./dom.js";
import { showEncoders } from "./encoders.js";
import { bars, calibration } from "./figures.js";
import { jobCard } from "./jobs.js";
import { keys } from "./keys.js";
import { question, say, trying } from "./messages.js";

let versions = [];
let chosen = []; // the two that are compared, older first

const shareAccepted = (one) => {
  const accepted = one.answered.reduce((sum, day) => sum + day.accepted, 0);
  const all = accepted + one.answered.reduce((sum, day) => sum + day.rejected, 0);
  return all ? `${percent(accepted / all)} of ${count(all)}` : "–";
};

/* --- the versions */

async function load() {
  const [{ versions: rows }, { versions: told }] = await Promise.all([get("/v1/models/versions"), get("/v1/models/figures")]);
  const figures = new Map(told.map((one) => [one.version, one]));
  versions = rows.map((row) => ({ ...row, ...(figures.get(row.id) || { figures: null, answered: [] }) })).reverse();
  chosen = chosen.filter((id) => versions.some((one) => one.id === id));
  if (!chosen.length && versions.length > 1) {
    const active = versions.findIndex((one) => one.active);
    chosen = [versions[active + 1]?.id ?? versions[0].id, versions[active].id].filter((id, place, all) => all.indexOf(id) === place);
  }
  $("#back").disabled = versions.length < 2;
  fill($("#versions"), versions.length ? versions.map(row) : h("tr", {}, h("td", { colspan: "10" }, "Nothing has been learned yet. ", h("a", { href: "/catalogs" }, "Add a catalog"), ".")));
  await showEncoders(versions, load);
  await compare();
}

function row(one) {
  const known = one.figures;
  const box = h("input", { type: "checkbox", "aria-label": `Compare version ${one.id}`, onchange: (event) => pick(one.id, event.target.checked) });
  box.checked = chosen.includes(one.id);
  return h(
    "tr",
    { data: { version: one.id }, class: one.active ? "active-version" : "" },
    h("td", {}, box),
    h("th", { scope: "row" }, `${one.id} `, one.active && h("span", { class: "mark good" }, "suggests")),
    h("td", {}, moment(one.created_at), h("br"), h("small", { class: "quiet" }, one.encoder)),
    h("td", { class: "number" }, known ? count(known.photos) : "–"),
    h("td", { class: "number" }, known ? count(known.keywords) : "–"),
    h("td", { class: "number" }, hundredths(known?.mean_average_precision)),
    h("td", { class: "number" }, hundredths(known?.calibration_error)),
    h("td", { class: "number" }, known?.precision === null || !known ? "–" : percent(known.precision)),
    h("td", { class: "number" }, shareAccepted(one)),
    h(
      "td",
      {},
      h(
        "span",
        { class: "row" },
        !one.active && h("button", { type: "button", onclick: () => activate(one), "aria-label": `Activate version ${one.id}` }, "Activate"),
        h("a", { class: "button", href: `/v1/models/versions/${one.id}/file`, download: `keywright-${one.id}.models`, "aria-label": `Export version ${one.id}` }, "Export"),
        !one.active && h("button", { type: "button", class: "plain", onclick: () => remove(one), "aria-label": `Remove version ${one.id}` }, "Remove"),
      ),
    ),
  );
}

const activate = (one) =>
  trying(async () => {
    await post(`/v1/models/versions/${one.id}/activate`);
    say(`Version ${one.id} suggests now.`, { kind: "good", action: { label: "Take back", run: () => trying(rollBack) } });
    await load();
  });

async function remove(one) {
  const sure = await question(
    `Remove version ${one.id}?`,
    [
      { label: "Keep it", value: false, main: true },
      { label: "Remove", value: true },
    ],
    { detail: "It cannot be brought back; export it first if you may want it again." },
  );
  if (!sure) return;
  await trying(async () => {
    await post(`/v1/models/versions/${one.id}/remove`);
    say(`Version ${one.id} was removed.`, { kind: "good" });
    await load();
  });
}

async function rollBack() {
  const now = await post("/v1/models/rollback");
  say(`Version ${now.id} suggests again.`, { kind: "good" });
  await load();
}

$("#back").addEventListener("click", async () => {
  const sure = await question("Let the version suggest again that did before?", [
    { label: "Cancel", value: false },
    { label: "Roll back", value: true, main: true },
  ]);
  if (sure) await trying(rollBack);
});

$("#train").addEventListener("click", () =>
  trying(async () => {
    const job = await post("/v1/models/train");
    $("#running").append(
      jobCard(job.id, "Training", (end, card) => {
        card.remove();
        if (end.state === "failed") say(end.error, { kind: "bad" });
        else if (end.state === "completed") say(end.result.held_back || (end.result.trained ? `Version ${end.result.trained_version} was trained.` : "There was nothing new to learn."), { kind: "good" });
        trying(load);
      }),
    );
  }),
);

$("#import").addEventListener("change", (event) =>
  trying(async () => {
    const [file] = event.target.files;
    if (!file) return;
    const told = await post("/v1/models/versions", file);
    event.target.value = "";
    say(told.new ? `Version ${told.version.id} was imported; it suggests once you activate it.` : `It is version ${told.version.id}, which is here already.`, { kind: "good" });
    await load();
  }),
);

/* --- two of them side by side */

function pick(id, on) {
  chosen = on ? [...chosen, id].slice(-2) : chosen.filter((one) => one !== id);
  for (const line of $$("#versions tr")) {
    const box = $("input", line);
    if (box) box.checked = chosen.includes(Number(line.dataset.version));
  }
  trying(compare);
}

async function compare() {
  const box = $("#compared");
  const two = chosen.map((id) => versions.find((one) => one.id === id)).sort((a, b) => a.id - b.id);
  if (!two.length) return fill(box);
  const groups = two.find((one) => one.figures)?.figures.groups.map((group) => group.training_photos) || [];
  const valueOf = (one, label) => one.figures?.groups.find((group) => group.training_photos === label)?.mean_average_precision ?? null;
  const parts = [
    h("h2", {}, two.length === 2 ? `Version ${two[0].id} and version ${two[1].id}` : `Version ${two[0].id}`),
    h(
      "div",
      { class: "figures" },
      two.map((one) =>
        h(
          "figure",
          { class: "card" },
          h("figcaption", {}, `Version ${one.id}: is a confidence what it says?`),
          one.figures ? calibration(one.figures.reliability, `Calibration of version ${one.id}: share that is right against confidence, error ${hundredths(one.figures.calibration_error)} of 100`) : h("p", { class: "quiet" }, "Nothing was counted for it: it was imported from a file without figures."),
        ),
      ),
      groups.length
        ? h(
            "figure",
            { class: "card" },
            h("figcaption", {}, "Accuracy by photos of a keyword", two.length === 2 && h("span", { class: "quiet" }, ` (above ${two[0].id}, below ${two[1].id})`)),
            bars(groups.map((label) => ({ label, values: two.map((one) => valueOf(one, label)) })), `Accuracy by number of photos: ${groups.map((label) => `${label} photos ${two.map((one) => hundredths(valueOf(one, label))).join(" and ")}`).join("; ")}`),
          )
        : null,
    ),
  ];
  const days = two.flatMap((one) => one.answered.map((day) => ({ ...day, id: one.id })));
  if (days.length) parts.push(h("section", { class: "card" }, h("h3", {}, "What you accepted of its suggestions"), h("ul", { class: "gains" }, days.map((day) => h("li", { class: "number" }, `${day.day}, version ${day.id}: ${percent(day.accepted / (day.accepted + day.rejected))} of ${count(day.accepted + day.rejected)}`)))));
  if (two.length === 2 && two[0].encoder === two[1].encoder) parts.push(await changes(two));
  fill(box, parts);
  return undefined;
}

async function changes([old, now]) {
  const found = await get("/v1/models/compare", { old: old.id, new: now.id });
  const moved = found.changed.filter((one) => one.old_quality !== null && one.new_quality !== null).sort((a, b) => Math.abs(b.new_quality - b.old_quality) - Math.abs(a.new_quality - a.old_quality));
  const told = [
    found.compared ? `Over ${many(found.compared, "keyword")} that both know: ${hundredths(found.old_mean)} → ${hundredths(found.new_mean)}` : "No keyword is on photos enough in both to compare them by",
    found.added.length && `${many(found.added.length, "keyword")} new`,
    found.removed.length && `${many(found.removed.length, "keyword")} gone`,
  ].filter(Boolean);
  return h(
    "section",
    { class: "card" },
    h("h3", {}, "What changed"),
    h("p", { class: "number" }, `${told.join(", ")}.`),
    moved.length
      ? h(
          "div",
          { class: "wide", tabindex: "0", role: "region", "aria-label": "Changed keywords" },
          h(
            "table",
            {},
            h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Keyword"), h("th", { scope: "col", class: "number" }, "Photos"), h("th", { scope: "col", class: "number" }, "Quality"))),
            h("tbody", {}, moved.slice(0, 50).map((one) => h("tr", {}, h("td", {}, name(pathOf(one.keyword))), h("td", { class: "number" }, `${count(one.old_photos)} → ${count(one.new_photos)}`), h("td", { class: "number" }, `${hundredths(one.old_quality)} → ${hundredths(one.new_quality)}`)))),
          ),
        )
      : null,
  );
}

keys("Models", [
  { key: "t", does: "Train now", run: () => $("#train").click() },
  { key: "b", does: "Roll back", run: () => $("#back").click() },
]);

await trying(load);
