// @ts-check
// Words that somebody typed and did not send yet: a patch carries them over, or waits.

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field */

/** @param {ParentNode} root */
function fields(root) {
  return /** @type {Field[]} */ ([...root.querySelectorAll("input:not([type=hidden]), textarea, select")]);
}

/** Whether a field holds something else than what the server drew. @param {Field} field */
function changed(field) {
  if (field instanceof HTMLSelectElement) {
    const options = [...field.options];
    // Where none is drawn as chosen, the first one of a list of one choice is.
    const drawn = field.multiple || options.some((option) => option.defaultSelected);
    return options.some((option, place) => option.selected !== (drawn ? option.defaultSelected : place === 0));
  }
  if (field.type === "checkbox" || field.type === "radio") {
    return /** @type {HTMLInputElement} */ (field).checked !== /** @type {HTMLInputElement} */ (field).defaultChecked;
  }
  return field.value !== field.defaultValue;
}

/** What a field is for, whatever it holds: where its form goes, and what that says beside it. @param {Field} field */
function purpose(field) {
  const form = field.closest("form");
  const hidden = /** @type {HTMLInputElement[]} */ ([...(form?.querySelectorAll("input[type=hidden]") ?? [])]);
  const beside = hidden.filter((one) => one.name !== "proof").map((one) => `${one.name}=${one.value}`);
  const choice = field.type === "checkbox" || field.type === "radio" ? field.value : "";
  return JSON.stringify([form?.getAttribute("action"), beside, field.name, field.type, choice]);
}

/** The one field among others for the same purpose that can hold the same. @param {Field} field @param {Field[]} among */
function same(field, among) {
  const wanted = purpose(field);
  const alike = among.filter((other) => purpose(other) === wanted);
  const values = (/** @type {Field} */ one) => [.../** @type {HTMLSelectElement} */ (one).options].map((option) => option.value);
  if (alike.length !== 1) return null;
  if (field instanceof HTMLSelectElement && !values(alike[0]).includes(field.value)) return null;
  return alike[0];
}

/** Fields that hold what was not sent. @param {ParentNode} root */
export function typed(root) {
  return fields(root).filter(changed);
}

/** Whether newer elements have no place for something typed. @param {Field[]} words @param {ParentNode} newer */
export function homeless(words, newer) {
  const among = fields(newer);
  return words.some((field) => !same(field, among));
}

/** Writes what was typed into newer elements. @param {Field[]} words @param {ParentNode} newer */
export function carry(words, newer) {
  const among = fields(newer);
  for (const field of words) {
    const to = same(field, among);
    if (to instanceof HTMLSelectElement) {
      const chosen = [.../** @type {HTMLSelectElement} */ (field).selectedOptions].map((option) => option.value);
      for (const option of to.options) option.selected = chosen.includes(option.value);
    } else if (to instanceof HTMLInputElement && (to.type === "checkbox" || to.type === "radio")) {
      to.checked = /** @type {HTMLInputElement} */ (field).checked;
    } else if (to) {
      to.value = field.value;
    }
  }
}
