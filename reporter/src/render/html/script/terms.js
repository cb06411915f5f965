// What the filter's text says: its terms.

const KEYS = {
  verdict: "verdict", v: "verdict", app: "app", agent: "agent", class: "class", file: "file",
  is: "verdict", cause: "cause", tries: "tries", slot: "slot", at: "at", run: "run",
};

const TERM = /([-!]?)(?:\/((?:\\.|[^\/\\])+)\/(?!\S)|((?:[a-z][\w-]*:)?)(?:"([^"]*)"?|(\S+)))/gi;
const TIME = /^(>=|<=|>|<)(\d+(?:\.\d+)?)(ms|s|m|h)?$/;
const STRETCH = /^(?:(\d+(?:\.\d+)?)(ms|s|m|h)?)?(\.\.)?(?:(\d+(?:\.\d+)?)(ms|s|m|h)?)?$/;
const UNITS = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** Parts of the text: blanks part them except in quotes, and a minus or ! turns one round. */
function parseFilter(text) {
  const terms = [];
  for (const [raw, minus, expression, key, quoted, plain] of text.matchAll(TERM)) {
    const term = expression === undefined ? keyTerm(key, quoted ?? plain, quoted !== undefined) : { key: "expression", value: expression };
    if (term.value === "") continue;
    // A quote that is left open goes to the end, also when something is written after it.
    const isOpen = quoted !== undefined && !raw.slice(minus.length + key.length + 1).endsWith('"');
    terms.push({ ...term, raw: isOpen ? raw + '"' : raw, negated: minus !== "" });
  }
  return terms;
}

function keyTerm(key, value, isQuoted) {
  const name = key.slice(0, -1).toLowerCase();
  if (Object.hasOwn(KEYS, name)) return { key: KEYS[name], value };
  const found = key === "" && !isQuoted && TIME.exec(value);
  if (found) return { key: "time", operator: found[1], seconds: Number(found[2]) * UNITS[found[3] ?? "s"] };
  // Two colons part what stands in ids of some tools.
  const unknown = key !== "" && !value.startsWith(":") ? name : undefined;
  return { key: "word", value: key + value, unknown };
}

/** Milliseconds from and to of `12s..40s`, where each end may be left out, and of a moment. */
function parseStretch(text) {
  const [whole, from, fromUnit, dots, to, toUnit] = STRETCH.exec(text) ?? [];
  if (!whole || (from === undefined && to === undefined) || (!dots && to !== undefined)) return null;
  const moment = (number, unit) => Number(number) * UNITS[unit ?? "s"] * 1000;
  const begin = from === undefined ? 0 : moment(from, fromUnit);
  const end = to !== undefined ? moment(to, toUnit) : dots ? Infinity : begin;
  return begin <= end && Number.isFinite(begin) ? [begin, end] : null;
}

/** The same as text, not finer than anybody can tell on a screen. */
function stretchText([from, to]) {
  const step = Math.max(1, 10 ** Math.floor(Math.log10(Math.max(1, to - from)) - 2));
  const seconds = (moment) => String(Math.round(moment) / 1000) + "s";
  return seconds(Math.floor(from / step) * step) + ".." + seconds(Math.ceil(to / step) * step);
}

/** A filter's text with other terms in the place of those of some keys. */
function replacedTerms(text, keys, ...others) {
  const kept = parseFilter(text).filter((term) => term.negated || !keys.includes(term.key));
  return [...kept.map((term) => term.raw), ...others].join(" ");
}
