// @ts-check
// Groups of a log: which lines are folded away, and how many are seen up to a line.

export class Folds {
  /** @param {[number, number, number][]} groups first line, last line, whether it is open */
  constructor(groups) {
    this.groups = groups;
    /** @type {[number, number][]} */
    this.hidden = [];
    this.settle();
  }

  /** Joins what is folded into ranges that do not touch. */
  settle() {
    this.hidden = [];
    const folded = this.groups.filter(([, , open]) => !open).sort((a, b) => a[0] - b[0]);
    for (const [from, to] of folded) {
      const last = this.hidden.at(-1);
      if (last && from + 1 <= last[1] + 1) last[1] = Math.max(last[1], to);
      else this.hidden.push([from + 1, to]);
    }
  }

  /** What newer groups say; those that a person turned stay as they are. @param {[number, number, number][]} groups */
  renew(groups) {
    const known = new Map(this.groups.map((group) => [group[0], group[2]]));
    for (const group of groups) group[2] = known.get(group[0]) ?? group[2];
    this.groups = groups;
    this.settle();
  }

  /** @param {number} line */
  has(line) {
    return this.hidden.some(([from, to]) => from <= line && line <= to);
  }

  /** The range that hides a line. @param {number} line */
  over(line) {
    return this.hidden.find(([from, to]) => from <= line && line <= to);
  }

  /** @param {number} line */
  group(line) {
    return this.groups.find(([from]) => from === line);
  }

  /** Folds or unfolds. @param {number} line */
  turn(line) {
    const group = this.group(line);
    if (group) group[2] = group[2] ? 0 : 1;
    this.settle();
  }

  /** Unfolds whatever hides a line. @param {number} line */
  reveal(line) {
    for (const group of this.groups) if (group[0] < line && line <= group[1]) group[2] = 1;
    this.settle();
  }

  /** Lines from 1 to this one that are seen. @param {number} line */
  seen(line) {
    let gone = 0;
    for (const [from, to] of this.hidden) if (from <= line) gone += Math.min(to, line) - from + 1;
    return line - gone;
  }
}
