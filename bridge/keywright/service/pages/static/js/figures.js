// Pictures of figures, as SVG made by hand: the calibration of a version, and bars that stand side by side.

const SVG = "http://www.w3.org/2000/svg";

function s(tag, props = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) element.setAttribute(name, String(value));
  element.append(...children.filter((child) => child !== null));
  return element;
}

const text = (x, y, words, anchor = "middle") => s("text", { x, y, "text-anchor": anchor }, words);

/** Confidence against what was right: on the line the confidences are honest. A dot is as big as it has suggestions. */
export function calibration(bins, label) {
  const side = 200;
  const left = 34;
  const at = (share) => left + share * side;
  const up = (share) => 10 + (1 - share) * side;
  const told = bins.filter((bin) => bin.suggestions && bin.right !== null);
  const most = Math.max(1, ...told.map((bin) => bin.suggestions));
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    s("line", { class: "grid", x1: at(0), x2: at(1), y1: up(share), y2: up(share) }),
    text(left - 5, up(share) + 4, String(Math.round(100 * share)), "end"),
    text(at(share), up(0) + 15, String(Math.round(100 * share))),
  ]);
  return s(
    "svg",
    { class: "figure", viewBox: `0 0 ${left + side + 12} ${side + 46}`, role: "img", "aria-label": label },
    ...grid,
    s("line", { class: "honest", x1: at(0), y1: up(0), x2: at(1), y2: up(1) }),
    s("polyline", { class: "measured", points: told.map((bin) => `${at(bin.mean_confidence)},${up(bin.right)}`).join(" ") }),
    ...told.map((bin) => s("circle", { class: "dot", cx: at(bin.mean_confidence), cy: up(bin.right), r: 2 + 5 * Math.sqrt(bin.suggestions / most) })),
    text(at(0.5), side + 42, "confidence, %"),
  );
}

/** Bars for each label, one for each series: `[{label, values: [0.7, 0.8]}]`. */
export function bars(rows, label) {
  const width = 320;
  const high = 16;
  const gap = 12;
  const series = Math.max(1, ...rows.map((row) => row.values.length));
  const one = series * high + gap;
  return s(
    "svg",
    { class: "figure", viewBox: `0 0 ${width} ${rows.length * one + 4}`, role: "img", "aria-label": label },
    ...rows.flatMap((row, place) => [
      text(70, place * one + (series * high) / 2 + 5, row.label, "end"),
      ...row.values.flatMap((value, number) => {
        const top = place * one + number * high;
        return value === null
          ? [text(82, top + 12, "–", "start")]
          : [s("rect", { class: `column series-${number}`, x: 80, y: top + 2, width: Math.max(1, 180 * value), height: high - 4, rx: 2 }), text(86 + 180 * value, top + 13, (100 * value).toFixed(1), "start")];
      }),
    ]),
  );
}
