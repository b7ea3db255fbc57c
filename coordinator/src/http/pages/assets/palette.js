// @ts-check
// Keys: "/" finds on this page, "g" and a letter goes to a page. All of it is off while one types.

const PAGES = { o: "/", p: "/p", d: "/d", f: "/hosts", j: "/jobs", m: "/migrations", a: "/audit" };

/** Listens for keys. */
export function listen() {
  let going = 0;
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (Date.now() - going < 1_000 && event.key in PAGES) {
      going = 0;
      location.href = PAGES[/** @type {keyof typeof PAGES} */ (event.key)];
      return;
    }
    going = event.key === "g" ? Date.now() : 0;
    // "e" and "E": the next error of a log and the one before.
    const way = { e: "error on", E: "error back" }[event.key];
    const step = way && document.querySelector(`[data-step="${way}"]`);
    if (step instanceof HTMLElement) step.click();
    const find = document.querySelector("[data-find]");
    if (event.key === "/" && find instanceof HTMLElement) {
      event.preventDefault();
      find.focus();
    }
  });
}
