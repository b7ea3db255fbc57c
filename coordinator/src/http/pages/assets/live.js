// @ts-check
// Keeps the page live: one stream per tab, closed while the tab is hidden. Whatever was missed, the server sends the
// regions that differ from those it is told of when the stream opens.

import { tell } from "./time.js";
import { follow, took } from "./log.js";
import { policy } from "./html.js";

/** @type {EventSource | null} */
let stream = null;
/** @typedef {{id: string, after: string | null, hash: string, html: string}} Patch */
let beaten = 0;
let since = "";
/** Patches that would disturb somebody; applied when they would not any more. @type {Map<string, Patch>} */
const held = new Map();

function have() {
  const regions = [...document.querySelectorAll(".region[data-hash]")];
  return regions.map((region) => `${region.id}:${region.getAttribute("data-hash")}`).join(",");
}

/** @param {"live" | "late" | "off"} state */
function show(state) {
  const dot = document.getElementById("live");
  if (!dot) return;
  if (state === "live") since = "";
  else if (!since) since = new Date().toLocaleTimeString();
  const words = { live: "live", late: `reconnecting since ${since}`, off: "paused" }[state];
  if (dot.textContent !== words) dot.textContent = words;
  dot.className = `live ${state}`;
}

/** Whether somebody is at work in a region. @param {Element} region */
function busy(region) {
  const selection = getSelection();
  const selected =
    selection && !selection.isCollapsed && selection.anchorNode && region.contains(selection.anchorNode);
  const typing = region.contains(document.activeElement) && document.activeElement?.matches("input, textarea, select");
  return Boolean(selected || typing || region.querySelector("dialog[open], details[open].menu-like"));
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

/** @param {Patch} patch */
function apply(patch) {
  const region = document.getElementById(patch.id) ?? made(patch);
  if (busy(region)) {
    held.set(patch.id, patch);
    return;
  }
  held.delete(patch.id);
  if (took(region, patch.html)) {
    region.setAttribute("data-hash", patch.hash);
    return;
  }
  const focus = focused(region);
  const open = [...region.querySelectorAll("details[open][id]")].map((details) => details.id);
  const scrolled = [...region.querySelectorAll("[data-keep]")].map((box) => [box.id, box.scrollTop, box.scrollLeft]);
  region.innerHTML = policy.createHTML(patch.html);
  region.setAttribute("data-hash", patch.hash);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
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

function open() {
  close();
  const query = new URLSearchParams({ page: document.body.dataset.path ?? "/", have: have() });
  stream = new EventSource(`/live?${query}`);
  beaten = Date.now();
  stream.addEventListener("patch", (event) => apply(JSON.parse(event.data)));
  stream.addEventListener("less", (event) => document.getElementById(event.data)?.remove());
  stream.addEventListener("tab", (event) => {
    const tab = JSON.parse(event.data);
    document.title = tab.title;
    document.getElementById("icon")?.setAttribute("href", tab.icon);
  });
  stream.addEventListener("beat", () => {
    beaten = Date.now();
    show("live");
  });
  stream.addEventListener("gone", () => location.reload());
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
    for (const patch of [...held.values()]) apply(patch);
    if (stream && Date.now() - beaten > 40_000) {
      show("late");
      open();
    }
  }, 1_000);
}
