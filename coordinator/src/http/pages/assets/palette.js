// @ts-check
// Keys, and the field that finds. Single keys are off while one types, and for whoever switched them off.

const PAGES = { o: "/", p: "/p", d: "/d", f: "/hosts", j: "/jobs", m: "/migrations", g: "/gc", l: "/locks", a: "/audit" };

/** What keys do: key, words, and where it works. @type {[string, string, () => boolean][]} */
const KEYS = [
  ["Ctrl K", "find a project, target, host or number", () => Boolean(finder())],
  ["/", "the field that finds or builds", () => Boolean(field())],
  ["g o", "overview", () => true],
  ["g p", "projects", () => true],
  ["g d", "deployments", () => true],
  ["g f", "fleet", () => true],
  ["g j", "jobs", () => true],
  ["g m", "migrations", () => true],
  ["g g", "garbage", () => true],
  ["g l", "locks", () => true],
  ["g a", "audit", () => true],
  ["j", "the next row", () => rowLinks().length > 0],
  ["k", "the row before", () => rowLinks().length > 0],
  ["e", "the next error of the log", () => Boolean(failing("on"))],
  ["E", "the error before", () => Boolean(failing("back"))],
  ["?", "this sheet", () => true],
];

/** The button to the next error of a log, or to the one before. @param {"on" | "back"} way */
const failing = (way) => /** @type {HTMLElement | null} */ (document.querySelector(`[data-step="error ${way}"]`));
const field = () => /** @type {HTMLElement | null} */ (document.querySelector("[data-find]") ?? finder());
const finder = () => /** @type {HTMLInputElement | null} */ (document.getElementById("finder"));
const rowLinks = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("main tbody th a, main .needs a")]);

/** Goes to the next link of a row, or the one before. @param {number} by */
function step(by) {
  const links = rowLinks();
  const here = links.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  links[Math.max(0, Math.min(links.length - 1, here + by))]?.focus();
}

/** Shows what keys work on this page. */
function sheet() {
  const old = document.getElementById("keys");
  if (old) old.remove();
  const dialog = document.createElement("dialog");
  dialog.id = "keys";
  dialog.setAttribute("aria-labelledby", "keys-h");
  const head = document.createElement("h2");
  head.id = "keys-h";
  head.textContent = "Keys on this page";
  const list = document.createElement("dl");
  list.className = "facts";
  for (const [key, words] of KEYS.filter((one) => one[2]())) {
    const term = document.createElement("dt");
    const keyed = document.createElement("kbd");
    keyed.textContent = key;
    term.append(keyed);
    const what = document.createElement("dd");
    what.textContent = words;
    list.append(term, what);
  }
  const close = document.createElement("form");
  close.method = "dialog";
  const button = document.createElement("button");
  button.textContent = "Close";
  close.append(button);
  dialog.append(head, list, close);
  document.body.append(dialog);
  dialog.showModal();
}

/** Finds while one types: the same page that the field leads to, as data. @param {HTMLInputElement} input */
function complete(input) {
  const list = document.createElement("ul");
  list.id = "finds";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Found");
  list.hidden = true;
  input.after(list);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-controls", "finds");
  input.setAttribute("aria-autocomplete", "list");
  let at = -1;
  let asked = 0;
  /** @param {boolean} open */
  const show = (open) => {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) input.removeAttribute("aria-activedescendant");
  };
  /** @param {number} to */
  const choose = (to) => {
    const options = [...list.children];
    at = options.length ? (to + options.length) % options.length : -1;
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    if (at >= 0) input.setAttribute("aria-activedescendant", options[at].id);
  };
  show(false);
  input.addEventListener("input", () => {
    const mine = ++asked;
    const q = input.value.trim();
    setTimeout(async () => {
      if (mine !== asked) return;
      const answer = q ? await fetch(`/find.json?q=${encodeURIComponent(q)}`).catch(() => null) : null;
      const finds = answer?.ok ? await answer.json() : [];
      if (mine !== asked) return;
      list.replaceChildren(
        ...finds.map((/** @type {{kind: string, name: string, href: string}} */ find, /** @type {number} */ index) => {
          const option = document.createElement("li");
          option.id = `find-${index}`;
          option.setAttribute("role", "option");
          option.dataset.href = find.href;
          const kind = document.createElement("span");
          kind.className = "quiet";
          kind.textContent = find.kind;
          option.append(`${find.name} `, kind);
          return option;
        }),
      );
      show(finds.length > 0);
      choose(0);
    }, 80);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") show(false);
    if (list.hidden) return;
    if (event.key === "ArrowDown") choose(at + 1);
    else if (event.key === "ArrowUp") choose(at - 1);
    else if (event.key === "Enter" && at >= 0) location.href = /** @type {HTMLElement} */ (list.children[at]).dataset.href ?? "/";
    else return;
    event.preventDefault();
  });
  list.addEventListener("mousedown", (event) => {
    const option = event.target instanceof Element ? event.target.closest("li") : null;
    if (option?.dataset.href) location.href = option.dataset.href;
  });
  input.addEventListener("blur", () => show(false));
}

/** Listens for keys. */
export function listen() {
  let going = 0;
  const input = finder();
  if (input) complete(input);
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "k" && finder()) {
      event.preventDefault();
      finder()?.focus();
      finder()?.select();
      return;
    }
    const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.body.dataset.keys === "off") return;
    if (Date.now() - going < 1_000 && event.key in PAGES) {
      going = 0;
      location.href = PAGES[/** @type {keyof typeof PAGES} */ (event.key)];
      return;
    }
    going = event.key === "g" ? Date.now() : 0;
    if (event.key === "?") sheet();
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
    if (event.key === "e") failing("on")?.click();
    if (event.key === "E") failing("back")?.click();
    if (event.key === "/" && field()) {
      event.preventDefault();
      field()?.focus();
    }
  });
}
