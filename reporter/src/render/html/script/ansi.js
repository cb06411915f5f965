// Colours of terminals: the program that wrote the page left a mark of one character wherever the
// style changes. A style ends with its line.

const MARK = /[\u{10e000}-\u{10e7ff}]/gu;
const ANSI_COLORS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const ANSI_FLAGS = ["bold", "italic", "underline"];

function unmarked(text) {
  return text.replace(MARK, "");
}

/** The classes of a mark: a colour, a ground, and what else there is. */
function ansiClasses(mark) {
  const bits = mark.codePointAt(0) - 0x10e000, classes = [];
  const color = ANSI_COLORS[(bits & 15) - 1], ground = ANSI_COLORS[((bits >> 4) & 15) - 1];
  if (color) classes.push("ansi-" + color);
  if (ground) classes.push("ansi-on-" + ground);
  ANSI_FLAGS.forEach((flag, place) => { if ((bits >> (8 + place)) & 1) classes.push("ansi-" + flag); });
  return classes;
}

/** Text of several lines with its styles. */
function coloured(text) {
  const all = document.createDocumentFragment();
  text.split("\n").forEach((line, number) => {
    if (number) all.append("\n");
    let at = 0, classes = [];
    const take = (end) => {
      if (end > at) all.append(classes.length ? make(["span", ...classes].join("."), line.slice(at, end)) : line.slice(at, end));
    };
    for (const found of line.matchAll(MARK)) {
      take(found.index);
      [at, classes] = [found.index + found[0].length, ansiClasses(found[0])];
    }
    take(line.length);
  });
  return all;
}
