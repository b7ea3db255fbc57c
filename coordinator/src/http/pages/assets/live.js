// @ts-check
// Keeps the page live: one stream per tab, closed while the tab is hidden. Whatever was missed, the server sends the
// regions that differ from those it is told of when the stream opens.

import { tell } from "./time.js";
import { follow, took } from "./log.js";
import { drawn } from "./html.js";
import { carry, homeless, typed } from "./words.js";
import { added, moves, point } from "./rows.js";

/** @type {EventSource | null} */
let stream = null;
/** @typedef {{id: string, after: string | null, hash: string, html: string, turn: number, gone: boolean}} Patch */
/** Why a patch waits: what was typed has no place in it, it would move rows, or somebody is at work there.
 * @typedef {"words" | "rows" | "work"} Why */
let beaten = 0;
let since = "";
/** Patches that would disturb somebody; applied when they would not any more, or when they are asked for.
 * @type {Map<string, {patch: Patch, why: Why, rows: number}>} */
const held = new Map();
/** The newest patch of each region that this stream brought: one that is older, or comes twice, changes nothing.
 * @type {Map<string, number>} */
const newest = new Map();

function have() {
  const regions = [...document.querySelectorAll(".region[data-hash]")];
  return regions.map((region) => `${region.id}:${region.getAttribute("data-hash")}`).join(",");
}

/** @param {"live" | "late" | "off" | "out"} state */
function show(state) {
  const dot = document.getElementById("live");
  if (!dot) return;
  if (state === "live") since = "";
  else if (!since) since = new Date().toLocaleTimeString();
  const words = { live: "live", late: `reconnecting since ${since}`, off: "paused", out: "signed out, words kept" }[state];
  if (dot.textContent !== words) dot.textContent = words;
  dot.className = `live ${state === "out" ? "late" : state}`;
}

/** Whether somebody is at work in a region: marks text, types, or has begun to press. @param {Element} region */
function busy(region) {
  const selection = getSelection();
  const selected =
    selection && !selection.isCollapsed && selection.anchorNode && region.contains(selection.anchorNode);
  const typing = region.contains(document.activeElement) && document.activeElement?.matches("input, textarea, select");
  return Boolean(selected || typing || region.matches(":active") || region.querySelector("dialog[open]"));
}

/** @param {Element} region @param {ParentNode} newer @returns {Why | null} */
function disturbs(region, newer) {
  if (homeless(typed(region), newer)) return "words";
  if (moves(region, newer)) return "rows";
  return busy(region) ? "work" : null;
}

/** What holds the focus, by what it is, so that it can be found again. @param {Element} region */
function focused(region) {
  const active = document.activeElement;
  if (!active || !region.contains(active)) return null;
  const alike = [...region.querySelectorAll(active.tagName)];
  const words = active.textContent;
  return { id: active.id, tag: active.tagName, words, nth: alike.indexOf(active) };
}

/** A region that was not there yet, behind the one before it. @param {Patch} patch */
function made(patch) {
  const region = document.createElement("div");
  region.id = patch.id;
  region.className = "region";
  const before = patch.after && document.getElementById(patch.after);
  if (before) before.after(region);
  else document.getElementById("main")?.prepend(region);
  return region;
}

/** @param {Patch} patch @param {boolean} [asked] somebody asked for it, whatever it disturbs */
function apply(patch, asked = false) {
  if (patch.gone && !document.getElementById(patch.id)) return void held.delete(patch.id);
  const region = document.getElementById(patch.id) ?? made(patch);
  const newer = drawn(patch.html);
  const why = asked ? null : disturbs(region, newer);
  if (why) {
    held.set(patch.id, { patch, why, rows: added(region, newer) });
    return;
  }
  held.delete(patch.id);
  if (patch.gone) return region.remove();
  region.setAttribute("data-hash", patch.hash);
  if (took(region, patch.html)) return;
  const focus = focused(region);
  const words = typed(region);
  const folds = new Map([...region.querySelectorAll("details")].map((details) => [details.id, details.open]));
  const scrolled = [...region.querySelectorAll("[data-keep]")].map((box) => [box.id, box.scrollTop, box.scrollLeft]);
  carry(words, newer);
  region.replaceChildren(newer);
  for (const details of region.querySelectorAll("details[id]")) {
    details.toggleAttribute("open", folds.get(details.id) ?? details.hasAttribute("open"));
  }
  for (const [id, top, left] of scrolled) document.getElementById(String(id))?.scrollTo(Number(left), Number(top));
  if (focus) {
    const again =
      (focus.id && document.getElementById(focus.id)) ||
      [...region.querySelectorAll(focus.tag)].find((found) => found.textContent === focus.words) ||
      region.querySelectorAll(focus.tag)[focus.nth];
    if (again instanceof HTMLElement) again.focus({ preventScroll: true });
  }
  tell(region);
  follow(region);
  const news = region.querySelector("[data-say]")?.getAttribute("data-say");
  const said = document.getElementById("said");
  if (news && said && said.textContent !== news) said.textContent = news;
}

/** A patch as it comes. @param {Patch} patch */
function take(patch) {
  if (patch.turn <= (newest.get(patch.id) ?? 0)) return;
  newest.set(patch.id, patch.turn);
  apply(patch);
}

/** Offers what waits, at the foot of the window, where it moves nothing. */
function offer() {
  const waiting = [...held.values()];
  const box = document.getElementById("newer");
  if (!waiting.length) return box?.remove();
  const rows = waiting.reduce((sum, one) => sum + one.rows, 0);
  const without = waiting.some((one) => one.why === "words");
  const words = without ? "Newer, without what you typed - show" : rows ? `${rows} new - show` : "Newer - show";
  const button = box?.querySelector("button") ?? offered();
  if (button.textContent !== words) button.textContent = words;
}

/** The button that shows what waits. */
function offered() {
  const box = document.createElement("aside");
  box.id = "newer";
  box.setAttribute("aria-label", "What came since");
  const button = document.createElement("button");
  button.type = "button";
  button.addEventListener("click", () => {
    for (const { patch } of [...held.values()]) apply(patch, true);
    if (box.contains(document.activeElement)) document.getElementById("main")?.focus({ preventScroll: true });
    offer();
  });
  box.append(button);
  document.getElementById("main")?.after(box);
  return button;
}

/** The session is over. What was typed stays, and goes with its press through the sign-in. */
function out() {
  close();
  if (typed(document).length) show("out");
  else location.reload();
}

function open() {
  close();
  // The server says again what differs from what stands here.
  held.clear();
  newest.clear();
  const query = new URLSearchParams({ page: document.body.dataset.path ?? "/", have: have() });
  stream = new EventSource(`/live?${query}`);
  beaten = Date.now();
  stream.addEventListener("patch", (event) => take(JSON.parse(event.data)));
  stream.addEventListener("tab", (event) => {
    const tab = JSON.parse(event.data);
    document.title = tab.title;
    document.getElementById("icon")?.setAttribute("href", tab.icon);
  });
  stream.addEventListener("beat", () => {
    beaten = Date.now();
    show("live");
  });
  stream.addEventListener("gone", out);
  stream.addEventListener("error", () => {
    // The browser would ask again with what it had at first: we say what there is now.
    close();
    show("late");
    setTimeout(() => document.hidden || stream || open(), 1_000 + Math.random() * 2_000);
  });
}

function close() {
  stream?.close();
  stream = null;
}

/** Makes the page live. */
export function live() {
  if (!("live" in document.body.dataset)) return;
  point();
  open();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      close();
      show("off");
    } else {
      open();
    }
  });
  setInterval(() => {
    for (const { patch } of [...held.values()]) apply(patch);
    offer();
    if (stream && Date.now() - beaten > 40_000) {
      show("late");
      open();
    }
  }, 1_000);
}
