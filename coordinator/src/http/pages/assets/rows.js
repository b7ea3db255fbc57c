// @ts-check
// Rows stay under the pointer. Whatever has rows is a list, without being marked as one: the body of a table, and what
// needs somebody. A row is known by its id, by where its head leads, or by what its head says.

const ROWS = "tbody > tr, .needs > li";
/** A pointer that rests longer than this is nobody's, in ms. */
const RESTS = 60_000;
const pointer = { x: 0, y: 0, at: 0 };

/** Keeps in mind where the pointer is. Fingers point at nothing. */
export function point() {
  addEventListener("pointermove", (event) => {
    if (event.pointerType !== "touch") Object.assign(pointer, { x: event.clientX, y: event.clientY, at: Date.now() });
  });
  document.documentElement.addEventListener("pointerleave", () => (pointer.at = 0));
}

/** The row that somebody points at. */
function pointed() {
  if (Date.now() - pointer.at > RESTS) return null;
  return document.elementFromPoint(pointer.x, pointer.y)?.closest(ROWS) ?? null;
}

/** @param {Element} row */
function head(row) {
  const of = row.querySelector("th") ?? row;
  return row.id || of.querySelector("a")?.getAttribute("href") || (of.textContent ?? "").trim();
}

/** @param {ParentNode} root */
const heads = (root) => [...root.querySelectorAll(ROWS)].map(head);

/** Whether newer rows of a region would move the row under the pointer: they come, go or change places at or above it.
 * What changes inside rows, and rows further down, move nothing. @param {Element} region @param {ParentNode} newer */
export function moves(region, newer) {
  const under = pointed();
  if (!under) return false;
  const [was, will] = [heads(region), heads(newer)];
  const above = region.compareDocumentPosition(under);
  const upTo = above & Node.DOCUMENT_POSITION_CONTAINED_BY ? [...region.querySelectorAll(ROWS)].indexOf(under) + 1 : Infinity;
  if (!(above & Node.DOCUMENT_POSITION_FOLLOWING)) return false;
  return JSON.stringify(was.slice(0, upTo)) !== JSON.stringify(will.slice(0, upTo));
}

/** How many rows are new. @param {Element} region @param {ParentNode} newer */
export function added(region, newer) {
  const was = heads(region);
  return heads(newer).filter((one) => !was.includes(one)).length;
}
