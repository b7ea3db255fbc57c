// @ts-check
// The one door through which text becomes elements.

/** @type {{createHTML: (html: string) => any}} */
export const policy =
  "trustedTypes" in window
    ? /** @type {any} */ (window).trustedTypes.createPolicy("pointsman", {
        // Only what our own server drew comes here, from our own origin.
        createHTML: (/** @type {string} */ html) => html,
      })
    : { createHTML: (/** @type {string} */ html) => html };

/** Elements of what the server drew. @param {string} html */
export function drawn(html) {
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(html);
  return template.content;
}
