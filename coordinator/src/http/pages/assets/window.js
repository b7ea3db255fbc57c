// @ts-check
// A window on a log of any length: the rows around what one sees stand in the page, boxes of their height stand for the
// others. Rows come from the server in blocks, by line number.

import { drawn } from "./html.js";
import { Folds } from "./folds.js";

/** Lines of a block. */
const BLOCK = 200;
/** Blocks that stand in the page at most. */
const BLOCKS = 9;
/** Height of a row that was not seen yet. */
const ROW = 20;
/** Browsers cannot scroll through boxes of any height. */
const TALLEST = 8_000_000;
/** How near the edge of what stands there the next block is asked for. */
const NEAR = 1_200;

export class LogWindow {
  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
    this.path = box.dataset.window ?? "";
    this.first = Number(box.dataset.first);
    this.last = Number(box.dataset.last);
    this.folds = new Folds(JSON.parse(box.dataset.groups ?? "[]"));
    /** @type {Map<number, HTMLOListElement>} */
    this.blocks = new Map();
    this.turn = 0;
    this.asking = false;
    /** @type {[number, number]} */
    this.marked = [0, 0];
    this.above = document.createElement("div");
    this.below = document.createElement("div");
    const rows = [...box.querySelectorAll("li")];
    box.replaceChildren(this.above, this.below);
    this.put(rows);
    box.addEventListener("scroll", () => requestAnimationFrame(() => this.look()));
    box.addEventListener("click", (event) => this.pressed(event));
  }

  /** @param {number} line */
  block(line) {
    return Math.floor((line - 1) / BLOCK);
  }

  /** Numbers of the blocks that stand there. */
  standing() {
    return [...this.blocks.keys()].sort((a, b) => a - b);
  }

  /** Puts rows into their blocks. @param {Element[]} rows */
  put(rows) {
    for (const row of rows) {
      if (!(row instanceof HTMLLIElement)) continue;
      const line = Number(row.id.slice(1));
      if (line < this.first || line > this.last) continue;
      const list = this.list(this.block(line));
      const old = list.querySelector(`#${row.id}`);
      if (old) old.replaceWith(row);
      else list.append(row);
      this.dress(row, line);
    }
    this.measure();
  }

  /** The list of a block, made in its place. @param {number} block */
  list(block) {
    const there = this.blocks.get(block);
    if (there) return there;
    const list = document.createElement("ol");
    list.start = block * BLOCK + 1;
    const next = this.standing().find((other) => other > block);
    const after = next === undefined ? this.below : this.blocks.get(next);
    this.box.insertBefore(list, after ?? this.below);
    this.blocks.set(block, list);
    return list;
  }

  /** @param {HTMLLIElement} row @param {number} line */
  dress(row, line) {
    row.hidden = this.folds.has(line);
    row.classList.toggle("on", this.marked[0] <= line && line <= this.marked[1]);
    const group = this.folds.group(line);
    let fold = row.querySelector("button");
    if (!group) return;
    if (!fold) {
      fold = document.createElement("button");
      fold.type = "button";
      fold.className = "fold";
      row.querySelector(".no")?.after(fold);
    }
    fold.textContent = group[2] ? "▾" : "▸";
    fold.setAttribute("aria-expanded", String(Boolean(group[2])));
    fold.setAttribute("aria-label", `Lines ${group[0]} to ${group[1]}`);
  }

  /** Everything anew that depends on folds and marks, without moving what one reads. */
  redress() {
    this.still(() => {
      for (const list of this.blocks.values()) {
        for (const row of list.children) if (row instanceof HTMLLIElement) this.dress(row, Number(row.id.slice(1)));
      }
      this.measure();
    });
    this.look();
  }

  scale() {
    const whole = (this.folds.seen(this.last) - this.folds.seen(this.first - 1)) * ROW;
    return ROW * Math.min(1, TALLEST / Math.max(whole, 1));
  }

  /** Height of lines that do not stand there. @param {number} from @param {number} to */
  height(from, to) {
    return to < from ? 0 : (this.folds.seen(to) - this.folds.seen(from - 1)) * this.scale();
  }

  /** The line whose box lies at a height, counted from a line. @param {number} from @param {number} height */
  at(from, height) {
    let [low, high] = [from, this.last];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.height(from, middle) < height) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  measure() {
    const standing = this.standing();
    const [top, end] = [standing[0] ?? 0, standing.at(-1) ?? -1];
    this.above.style.height = `${this.height(this.first, top * BLOCK)}px`;
    this.below.style.height = `${this.height(Math.max(this.first, (end + 1) * BLOCK + 1), this.last)}px`;
  }

  /** Changes what stands there while the row at the top stays where it is. @param {() => void} change */
  still(change) {
    const edge = this.box.getBoundingClientRect().top;
    const seen = (/** @type {Element} */ row) => row.getBoundingClientRect().bottom > edge;
    const anchor = [...this.box.querySelectorAll("li:not([hidden])")].find(seen);
    const before = anchor?.getBoundingClientRect().top ?? 0;
    change();
    if (anchor?.isConnected) this.box.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  /** Rows from the server. @param {number} from @param {number} to */
  async ask(from, to) {
    const answer = await fetch(`${this.path}/lines?from=${from}&to=${to}`);
    if (!answer.ok) throw new Error(String(answer.status));
    const rows = [...drawn(await answer.text()).children];
    const last = Number(answer.headers.get("pointsman-last-line"));
    return { rows, last, over: answer.headers.get("pointsman-log-over") === "1" };
  }

  /** The next block in a direction that is not folded away. @param {number} block @param {1 | -1} way */
  beside(block, way) {
    let next = block + way;
    for (;;) {
      const [from, to] = [next * BLOCK + 1, (next + 1) * BLOCK];
      if (to < this.first || from > this.last) return null;
      const over = this.folds.over(Math.max(from, this.first));
      if (!over || over[1] < Math.min(to, this.last)) return next;
      next = way > 0 ? Math.max(next + 1, this.block(over[1])) : Math.min(next - 1, this.block(over[0] - 1));
    }
  }

  /** Whether a block holds all its lines. @param {number} block */
  whole(block) {
    const list = this.blocks.get(block);
    const wanted = Math.min(this.last, (block + 1) * BLOCK) - Math.max(this.first, block * BLOCK + 1) + 1;
    if (!list) return false;
    const rows = [...list.children];
    if (rows.some((row) => row.classList.contains("gap"))) return true;
    return rows.length >= wanted || list.dataset.asked === String(wanted);
  }

  /** Asks for a block unless it stands there. @param {number} block */
  async load(block) {
    if (this.whole(block) || this.asking) return;
    this.asking = true;
    const turn = this.turn;
    try {
      const { rows } = await this.ask(Math.max(this.first, block * BLOCK + 1), Math.min(this.last, (block + 1) * BLOCK));
      if (turn === this.turn) {
        this.still(() => {
          const list = this.list(block);
          list.replaceChildren();
          this.put(rows);
          list.dataset.asked = String(Math.min(this.last, (block + 1) * BLOCK) - Math.max(this.first, block * BLOCK + 1) + 1);
          this.lessen(block);
        });
      }
    } finally {
      this.asking = false;
    }
    this.look();
  }

  /** Takes the blocks away that are farthest. @param {number} block */
  lessen(block) {
    const far = this.standing().sort((a, b) => Math.abs(b - block) - Math.abs(a - block));
    while (this.blocks.size > BLOCKS) {
      const gone = far.shift() ?? 0;
      this.blocks.get(gone)?.remove();
      this.blocks.delete(gone);
    }
    this.measure();
  }

  /** Asks for what will be seen next. */
  look() {
    const standing = this.standing();
    if (!standing.length || this.asking) return;
    const [top, end] = [standing[0], standing.at(-1) ?? 0];
    const seen = this.box.scrollTop;
    const from = this.blocks.get(top)?.offsetTop ?? 0;
    const to = this.below.offsetTop;
    if (seen + this.box.clientHeight < from) {
      this.go(this.at(this.first, seen), false);
    } else if (seen > to) {
      this.go(this.at((end + 1) * BLOCK + 1, seen - to), false);
    } else {
      const [before, after] = [this.beside(top, -1), this.beside(end, 1)];
      const half = standing.find((block) => !this.whole(block));
      if (half !== undefined) this.load(half);
      else if (before !== null && seen - from < NEAR) this.load(before);
      else if (after !== null && to - seen - this.box.clientHeight < NEAR) this.load(after);
    }
  }

  /** Shows a line: a little below the top, or at it. @param {number} line @param {boolean} [aside] */
  async go(line, aside = true) {
    line = Math.min(Math.max(line, this.first), this.last);
    if (aside && this.folds.has(line)) {
      this.folds.reveal(line);
      this.redress();
    }
    const block = this.block(line);
    if (!this.whole(block)) {
      const turn = ++this.turn;
      const { rows } = await this.ask(Math.max(this.first, (block - 1) * BLOCK + 1), Math.min(this.last, (block + 2) * BLOCK));
      if (turn !== this.turn) return;
      for (const list of this.blocks.values()) list.remove();
      this.blocks.clear();
      this.put(rows);
      if (!this.blocks.size) return;
    }
    const list = this.blocks.get(block);
    const near = [...(list?.children ?? [])].find((row) => Number(row.id.slice(1)) >= line && !row.hasAttribute("hidden"));
    if (near instanceof HTMLElement) this.box.scrollTop = near.offsetTop - (aside ? 60 : 0);
    this.look();
  }

  /** The line at the top of what one sees. */
  top() {
    const edge = this.box.getBoundingClientRect().top + 61;
    const seen = [...this.box.querySelectorAll("li:not([hidden])")].find((row) => row.getBoundingClientRect().bottom > edge);
    return seen ? Number(seen.id.slice(1)) : this.first;
  }

  /** Marks lines. @param {number} from @param {number} to */
  mark(from, to) {
    this.marked = [from, to];
    for (const list of this.blocks.values()) {
      for (const row of list.children) {
        const line = Number(row.id.slice(1));
        row.classList.toggle("on", from <= line && line <= to);
      }
    }
  }

  /** @param {MouseEvent} event */
  pressed(event) {
    const at = event.target instanceof Element ? event.target : null;
    const row = at?.closest("li");
    if (!row) return;
    const line = Number(row.id.slice(1));
    if (at?.closest(".fold")) {
      this.folds.turn(line);
      this.redress();
    } else if (at?.closest(".no")) {
      event.preventDefault();
      const [from, to] = event.shiftKey && this.marked[0] ? [Math.min(this.marked[0], line), Math.max(this.marked[0], line)] : [line, line];
      this.mark(from, to);
      history.replaceState(null, "", from === to ? `#L${from}` : `#L${from}-L${to}`);
    }
  }
}
