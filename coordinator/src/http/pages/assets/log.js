// @ts-check
// The log of a page: follows its end while one reads there, opens the line that an address names, steps to the next error
// or the next line found.

import { drawn } from "./html.js";
import { LogWindow } from "./window.js";

/** How often an open log is asked for more: log lines make no events. */
const PACE = 1_000;
/** More new lines than these are jumped over. */
const JUMP = 800;

/** @type {LogWindow | null} */
let log = null;
/** Whether more may come. */
let growing = false;
/** Whether one reads at its end. */
let atEnd = false;
/** The line that the last step led to. */
let stepped = 0;

/** Takes the log of a page in hand. @param {ParentNode} root */
export function follow(root) {
  const box = root.querySelector("[data-window]");
  if (!(box instanceof HTMLElement) || log?.box === box) return tools(root);
  log = new LogWindow(box);
  growing = "follow" in box.dataset;
  for (const pager of document.querySelectorAll(".pager")) pager.setAttribute("hidden", "");
  tools(document);
  box.addEventListener("scroll", () => {
    atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    box.dataset.let = atEnd ? "" : "go";
  });
  if (named()) return;
  if (box.dataset.at) log.go(Number(box.dataset.at));
  else if (growing) toEnd();
  else log.look();
}

/** @param {ParentNode} root */
function tools(root) {
  for (const button of root.querySelectorAll("[data-log]")) button.removeAttribute("hidden");
}

function toEnd() {
  if (!log) return;
  atEnd = true;
  log.go(log.last).then(() => {
    if (log) log.box.scrollTop = log.box.scrollHeight;
  });
}

/** Opens the lines that the address names. */
function named() {
  const found = /^#L(\d+)(?:-L(\d+))?$/.exec(location.hash);
  if (!found || !log) return false;
  const from = Number(found[1]);
  log.mark(from, Number(found[2] ?? from));
  log.go(from);
  stepped = from;
  return true;
}

/** A newer drawing of a window: what is read stays, its bounds and groups are taken over.
 * @param {Element} region @param {string} html */
export function took(region, html) {
  if (!log || !region.contains(log.box)) return false;
  const box = drawn(html).querySelector("[data-window]");
  if (!(box instanceof HTMLElement) || box.dataset.window !== log.path || box.dataset.first !== log.box.dataset.first) return false;
  log.folds.renew(JSON.parse(box.dataset.groups ?? "[]"));
  const [now, before] = [box.parentElement ?? box, [...region.querySelectorAll("p")]];
  const words = [...(now === box ? drawn(html).querySelectorAll("p") : [])];
  before.forEach((p, place) => {
    const next = words[place];
    if (next && !p.hidden) p.replaceChildren(...next.childNodes);
  });
  more();
  growing = "follow" in box.dataset;
  log.redress();
  return true;
}

/** Asks for lines after those that are known. */
async function more() {
  const mine = log;
  if (!mine || document.hidden) return;
  const from = mine.last + 1;
  const { rows, last, over } = await mine.ask(from, from + JUMP).catch(() => ({ rows: [], last: mine.last, over: false }));
  if (mine !== log) return;
  if (over) growing = false;
  if (last < from) return;
  const stay = atEnd;
  mine.last = last;
  for (const count of document.querySelectorAll("[data-lines]")) count.textContent = `${last - mine.first + 1} lines`;
  if (stay && last - from < JUMP && mine.blocks.has(mine.block(from - 1))) {
    mine.put(rows);
    mine.lessen(mine.block(last));
    mine.box.scrollTop = mine.box.scrollHeight;
  } else if (stay) {
    toEnd();
  } else {
    mine.measure();
    mine.look();
  }
  say(stay ? "" : `${last} lines, more below`);
}

/** @param {string} words */
function say(words) {
  const at = document.getElementById("at");
  if (at && at.textContent !== words) at.textContent = words;
}

/** Steps to the next error, or line found. @param {string} step @param {string} href */
async function stepTo(step, href) {
  if (!log) return;
  const url = new URL(href, location.href);
  const [what, way] = step.split(" ");
  if (stepped) url.searchParams.set("line", String(stepped));
  url.searchParams.set("as", "json");
  const answer = await fetch(url);
  const to = answer.ok ? await answer.json() : { line: null };
  if (to.line === null) {
    say(way === "back" ? `No ${what === "hit" ? "match" : "error"} before this` : `No ${what === "hit" ? "match" : "error"} after this`);
    return;
  }
  lead(to.line);
  say(to.of ? `${to.nth} of ${to.of}, line ${to.line}` : `line ${to.line}`);
}

/** Shows a line and gives it an address. @param {number} line */
function lead(line) {
  stepped = line;
  history.replaceState(null, "", `#L${line}`);
  log?.mark(line, line);
  log?.go(line);
}

/** Listens to the tools of a log. */
export function steer() {
  document.addEventListener("click", (event) => {
    const at = event.target instanceof Element ? event.target.closest("[data-step], [data-log], [data-line]") : null;
    if (!(at instanceof HTMLElement) || !log) return;
    const { step, line } = at.dataset;
    if (step !== undefined || line !== undefined) event.preventDefault();
    if (step !== undefined) stepTo(step, at.getAttribute("href") ?? "");
    else if (line !== undefined) lead(Number(line));
    else if (at.dataset.log === "top") log.go(log.first);
    else if (at.dataset.log === "end") toEnd();
    else if (at.dataset.log === "wrap") {
      const long = log.box.classList.toggle("long");
      at.setAttribute("aria-pressed", String(!long));
    } else if (at.dataset.log === "link") {
      const place = location.hash.startsWith("#L") ? location.hash : `#L${log.top()}`;
      navigator.clipboard?.writeText(location.origin + log.path + place).then(() => say("Copied"));
    }
  });
  addEventListener("hashchange", () => named());
  setInterval(() => growing && more(), PACE);
}
