// @ts-check
// Times as people say them: "3 min ago", "in 2 h" beside the absolute time that the server wrote. One timer for all of them.

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
];

/** @param {number} seconds */
export function ago(seconds) {
  const length = Math.abs(seconds);
  for (const [unit, size] of UNITS) {
    if (length < Number(size)) continue;
    const words = `${Math.floor(length / Number(size))} ${unit}`;
    return seconds < 0 ? `in ${words}` : `${words} ago`;
  }
  return seconds < 0 ? "soon" : "just now";
}

/** @param {number} ms */
export function lasting(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}`;
  return `${Math.floor(seconds / 3600)}h${two(Math.floor((seconds % 3600) / 60))}`;
}

/** @param {Element} time @param {number} now @param {number} at */
function told(time, now, at) {
  if (time.hasAttribute("data-since")) return lasting(now - at);
  if (time.hasAttribute("data-until")) return at > now ? `in ${lasting(at - now)}` : "now";
  return ago((now - at) / 1000);
}

/** Writes every time below `root` anew. @param {ParentNode} root */
export function tell(root) {
  const now = Date.now();
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = Date.parse(time.getAttribute("datetime") ?? "");
    if (Number.isNaN(at)) continue;
    if (!time.hasAttribute("title")) {
      time.setAttribute("title", `${new Date(at).toLocaleString()} · ${time.textContent}`);
    }
    const words = told(time, now, at);
    if (time.textContent !== words) time.textContent = words;
  }
}

/** Keeps them right. */
export function keep() {
  tell(document);
  setInterval(() => tell(document), 30_000);
  setInterval(() => {
    for (const time of document.querySelectorAll("time[data-since], time[data-until]")) {
      if (time.parentElement) tell(time.parentElement);
    }
  }, 1_000);
}
