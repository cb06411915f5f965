// Elements and words. Text from outside is only ever set as text.

const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text on a line: what cannot be seen, or reorders what can, is shown by its picture or name. */
function visible(text) {
  return text.replace(HIDDEN, (one) => {
    const code = one.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
  });
}

/** An element: `make("a.name", { href }, "text", child)`. */
function make(what, ...parts) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const part of parts) {
    if (part === null || part === undefined || part === false) continue;
    if (typeof part === "string") element.append(part);
    else if (part instanceof Node) element.append(part);
    else for (const [name, value] of Object.entries(part)) set(element, name, value);
  }
  return element;
}

function set(element, name, value) {
  if (typeof value === "function") element.addEventListener(name, value);
  else if (value === true) element.setAttribute(name, "");
  else if (value !== false && value !== undefined) element.setAttribute(name, value);
}

const SVG = "http://www.w3.org/2000/svg";

/** The mark of an outcome. */
function mark(outcome) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "mark is-" + outcome);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", "#mark-" + outcome);
  svg.append(use);
  return svg;
}

function words(outcome) {
  return outcome.replaceAll("_", " ");
}

const NUMBERS = new Intl.NumberFormat("en");

function grouped(number) {
  return NUMBERS.format(number);
}

function counted(number, thing) {
  return grouped(number) + " " + thing + (number === 1 ? "" : "s");
}

/** A length of time as people write it. */
function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds === 0) return "0 s";
  if (seconds < 0.0095) return (seconds * 1000).toFixed(1) + " ms";
  if (seconds < 0.9995) return Math.round(seconds * 1000) + " ms";
  if (seconds < 59.95) return seconds.toFixed(seconds < 9.995 ? 2 : 1) + " s";
  return clock(seconds);
}

/** Minutes and seconds, and hours where there are any. */
function clock(seconds) {
  const whole = Math.round(seconds);
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Puts text where it can be pasted from. */
async function copy(text, button) {
  const said = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Cannot copy here";
  }
  setTimeout(() => { button.textContent = said; }, 1500);
}
