// A grid of tiles that stays smooth at a hundred thousand: only the rows near the window exist.
//
// It knows places, not photos: a page says how many there are and fills a cell when it comes into being. It moves by
// the keyboard as ARIA's grid pattern has it, and keeps what is selected as places.

import { h } from "./dom.js";

const SPARE = 2; // rows kept above and below what is seen

export class Grid {
  /**
   * `host` is the element that scrolls. `fill(cell, place)` fills a cell, `seen(first, last)` is told which places can
   * be seen, `moved(place)` where the current one is, `chosen()` that the selection has changed. A tile is at least
   * `width` wide and `extra` higher than `ratio` of its width.
   */
  constructor(host, { label, fill, seen, moved = () => {}, chosen = () => {}, width = 250, ratio = 0.72, extra = 96, gap = 12, ticking = false }) {
    Object.assign(this, { host, fill, seen, moved, chosen, width, ratio, extra, gap, ticking });
    this.count = 0;
    this.current = 0;
    this.anchor = 0;
    this.selected = new Set();
    this.rows = new Map();
    this.body = h("div", {
      class: "grid-body",
      role: "grid",
      "aria-label": label,
      "aria-multiselectable": "true",
      onkeydown: (event) => this.#key(event),
      onmousedown: (event) => this.#press(event),
      onfocusin: (event) => this.#focused(event),
    });
    host.append(this.body);
    host.addEventListener("scroll", () => this.#soon(), { passive: true });
    new ResizeObserver(() => this.#measure()).observe(host);
    this.#measure();
  }

  /** Show so many tiles, beginning at one. */
  show(count, current = 0) {
    this.count = count;
    this.current = Math.max(0, Math.min(current, count - 1));
    this.anchor = this.current;
    this.selected.clear();
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
    this.host.scrollTop = 0;
    this.#measure();
    if (current) this.reveal(this.current);
    this.chosen();
  }

  /** The cell of a place, where it exists now. */
  cell(place) {
    return this.rows.get(Math.floor(place / this.columns))?.children[place % this.columns] ?? null;
  }

  /** Fill the cells of these places anew, where they exist; what had the focus keeps it. */
  refresh(places) {
    for (const place of places) {
      const cell = this.cell(place);
      if (cell) this.#fill(cell, place);
    }
  }

  refreshAll() {
    for (const row of this.rows.values()) for (const cell of row.children) this.#fill(cell, Number(cell.dataset.place));
  }

  /** Make a place the current one, and scroll it into view. */
  go(place, { focus = true, keep = false } = {}) {
    if (!this.count) return;
    const before = this.current;
    this.current = Math.max(0, Math.min(place, this.count - 1));
    if (!keep) this.anchor = this.current;
    this.reveal(this.current);
    this.refresh([before, this.current]);
    if (focus) this.cell(this.current)?.focus({ preventScroll: true });
    this.moved(this.current);
  }

  reveal(place) {
    const row = Math.floor(place / this.columns);
    const top = row * this.rowHeight;
    const { scrollTop, clientHeight } = this.host;
    if (top < scrollTop) this.host.scrollTop = top;
    else if (top + this.rowHeight > scrollTop + clientHeight) this.host.scrollTop = top + this.rowHeight - clientHeight + this.gap;
    this.#draw();
  }

  select(places) {
    this.selected = new Set(places);
    this.#selectionChanged();
  }

  /** The selected places in order; the current one where none is. */
  target() {
    if (!this.count) return [];
    return this.selected.size ? [...this.selected].sort((a, b) => a - b) : [this.current];
  }

  #selectionChanged() {
    for (const row of this.rows.values())
      for (const cell of row.children) cell.setAttribute("aria-selected", String(this.selected.has(Number(cell.dataset.place))));
    this.chosen();
  }

  #toggle(place) {
    if (this.selected.has(place)) this.selected.delete(place);
    else this.selected.add(place);
    this.#selectionChanged();
  }

  #range(to) {
    const [first, last] = [Math.min(this.anchor, to), Math.max(this.anchor, to)];
    const within = Array.from({ length: last - first + 1 }, (_, at) => first + at);
    if (!this.ticking) this.selected = new Set(within);
    else for (const place of within) this.selected.has(this.anchor) ? this.selected.add(place) : this.selected.delete(place);
    this.#selectionChanged();
  }

  #key(event) {
    if (event.altKey || event.target.closest("input")) return;
    const onCell = event.target.getAttribute("role") === "gridcell";
    const page = Math.max(1, Math.floor(this.host.clientHeight / this.rowHeight)) * this.columns;
    const steps = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -this.columns,
      ArrowDown: this.columns,
      PageUp: -page,
      PageDown: page,
      Home: -this.count,
      End: this.count,
    };
    if (event.key in steps && onCell && !event.ctrlKey) {
      const place = Math.max(0, Math.min(this.current + steps[event.key], this.count - 1));
      if (event.shiftKey) this.#range(place);
      this.go(place, { keep: event.shiftKey });
    } else if (event.key === " " && onCell) {
      this.anchor = this.current;
      this.#toggle(this.current);
    } else if (event.key === "a" && (event.ctrlKey || event.metaKey)) {
      this.select(Array.from({ length: this.count }, (_, at) => at));
    } else if (event.key === "Escape") {
      if (!onCell) this.cell(this.current)?.focus();
      else if (this.selected.size && !this.ticking) this.select([]);
      else return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #press(event) {
    const cell = event.target.closest("[role=gridcell]");
    if (!cell || event.button !== 0 || event.target.closest("button, input, a")) return;
    const place = Number(cell.dataset.place);
    if (event.shiftKey) {
      event.preventDefault(); // no text is to be selected
      this.#range(place);
      this.go(place, { keep: true });
    } else {
      if (this.ticking || event.ctrlKey || event.metaKey || event.target.closest(".pick")) this.#toggle(place);
      else if (this.selected.size) this.select([]);
      this.go(place);
    }
  }

  #focused(event) {
    const cell = event.target.closest("[role=gridcell]");
    if (!cell) return;
    const place = Number(cell.dataset.place);
    if (place === this.current) return;
    const before = this.current;
    this.current = place;
    this.anchor = place;
    for (const one of [before, place]) this.#mark(this.cell(one), one);
    this.moved(place);
  }

  #measure() {
    const space = this.host.clientWidth - this.gap;
    if (space <= 0) return;
    const focused = this.body.contains(document.activeElement);
    const columns = Math.max(1, Math.floor(space / (this.width + this.gap)));
    const tile = Math.floor(space / columns) - this.gap;
    if (columns !== this.columns || tile !== this.tile) {
      Object.assign(this, { columns, tile, rowHeight: Math.round(tile * this.ratio) + this.extra + this.gap });
      for (const row of this.rows.values()) row.remove();
      this.rows.clear();
    }
    this.body.style.setProperty("--columns", this.columns);
    this.body.style.setProperty("--gap", `${this.gap}px`);
    this.body.style.setProperty("height", `${Math.ceil(this.count / this.columns) * this.rowHeight + this.gap}px`);
    this.body.setAttribute("aria-rowcount", Math.ceil(this.count / this.columns));
    this.body.setAttribute("aria-colcount", this.columns);
    this.#draw();
    if (focused && !this.body.contains(document.activeElement)) this.go(this.current, { keep: true }); // tiles of another size
  }

  #soon() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      this.#draw();
    });
  }

  #draw() {
    if (!this.rowHeight) return;
    const rows = Math.ceil(this.count / this.columns);
    const top = this.host.scrollTop;
    const firstSeen = Math.floor(top / this.rowHeight);
    const lastSeen = Math.min(rows - 1, Math.floor((top + this.host.clientHeight) / this.rowHeight));
    const first = Math.max(0, firstSeen - SPARE);
    const last = Math.min(rows - 1, lastSeen + SPARE);
    for (const [number, row] of this.rows) {
      if ((number < first || number > last) && !row.contains(document.activeElement)) {
        row.remove();
        this.rows.delete(number);
      }
    }
    for (let number = first; number <= last; number++) if (!this.rows.has(number)) this.#addRow(number);
    if (rows) this.seen(first * this.columns, Math.min(this.count, (last + 1) * this.columns) - 1);
  }

  #addRow(number) {
    const row = h("div", { class: "grid-row", role: "row", "aria-rowindex": number + 1 });
    row.style.setProperty("transform", `translateY(${number * this.rowHeight + this.gap}px)`);
    row.style.setProperty("height", `${this.rowHeight - this.gap}px`);
    for (let at = 0; at < this.columns; at++) {
      const place = number * this.columns + at;
      if (place >= this.count) break;
      const cell = h("div", { class: "cell", role: "gridcell", data: { place } });
      row.append(cell);
      this.#fill(cell, place);
    }
    this.rows.set(number, row);
    // In the order of the rows, so that Tab and screen readers go through them as the eye does.
    const after = [...this.rows.keys()].filter((one) => one > number).sort((a, b) => a - b)[0];
    this.body.insertBefore(row, after === undefined ? null : this.rows.get(after));
  }

  #mark(cell, place) {
    if (!cell) return;
    const current = place === this.current;
    cell.tabIndex = current ? 0 : -1;
    cell.classList.toggle("current", current);
    cell.setAttribute("aria-selected", String(this.selected.has(place)));
    // The tools over the picture have keys of their own; Tab leads to the chips.
    for (const button of cell.querySelectorAll("button")) button.tabIndex = current && !button.closest(".frame-tools") ? 0 : -1;
  }

  #fill(cell, place) {
    const focused = cell.contains(document.activeElement) ? document.activeElement : null;
    const name = focused?.dataset.name;
    this.fill(cell, place);
    this.#mark(cell, place);
    if (!focused || focused.isConnected) return;
    const again = name && [...cell.querySelectorAll("[data-name]")].find((one) => one.dataset.name === name);
    (again || cell).focus({ preventScroll: true });
  }
}
