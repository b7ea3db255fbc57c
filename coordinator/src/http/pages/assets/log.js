// @ts-check
// The log: stays at its end while one reads there, and lets go when one scrolls up.

/** Follows every log of the page that is open. @param {ParentNode} root */
export function follow(root) {
  for (const box of root.querySelectorAll(".log[data-follow]")) {
    if (!(box instanceof HTMLElement)) continue;
    if (box.dataset.let !== "go") box.scrollTop = box.scrollHeight;
    box.addEventListener("scroll", () => {
      const end = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
      box.dataset.let = end ? "" : "go";
    });
  }
}
