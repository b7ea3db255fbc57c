// @ts-check
// Forms: a second press of the same button is not sent twice, and a page says once what a press came to.

/** Watches every form of the page. */
export function watch() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
  });
  // A page that comes back by the back button can be sent again.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      form.removeAttribute("data-sent");
      form.removeAttribute("aria-busy");
    }
  });
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    if (button instanceof HTMLElement) {
      navigator.clipboard?.writeText(button.dataset.copy ?? "").then(() => {
        button.textContent = "Copied";
      });
    }
  });
}

/** Tells of what a press came to, and takes its word out of the address, which people share. */
export function came() {
  const told = document.getElementById("done");
  const said = document.getElementById("said");
  // What stands there from the beginning is no news to a screen reader.
  if (told && said) setTimeout(() => (said.textContent = told.textContent), 500);
  const bare = document.body.dataset.path;
  if (bare && /[?&]done=/.test(location.search)) history.replaceState(history.state, "", bare + location.hash);
}
