// How a failure reads.

function raised({ exception, message, traceback, subtest }) {
  const parts = [];
  if (subtest) parts.push(make("p.subtest", "in subtest " + visible(subtest)));
  const plain = unmarked(traceback);
  if (!plain.trim() || !plain.includes(message.trim())) {
    const name = exception.replace(/^muletrain\./, "");
    parts.push(make("p.message", message && name ? `${name}: ${message}` : message || name));
  }
  if (plain.trim()) parts.push(trace(traceback));
  return parts;
}

const FRAME = /^(\s*File ")(.*)(", line )(\d+)(.*)$/;
const LIBRARY = /site-packages|dist-packages|\/lib\/python\d|<frozen /;

/** A traceback: the project's own frames stand out from those of libraries. Other lines keep the
 * colours they came with. */
function trace(text) {
  const pre = make("pre.trace", { tabindex: "0" });
  let library = false;
  for (const own of text.trimEnd().split("\n")) {
    const line = unmarked(own), frame = FRAME.exec(line);
    if (frame) {
      library = LIBRARY.test(frame[2]);
      const [, open, path, between, number, rest] = frame;
      pre.append(make(library ? "span.frame.library" : "span.frame",
        open, make("span.path", path), between, make("span.number", number), rest + "\n"));
    } else if (line !== own) {
      pre.append(coloured(own + "\n"));
    } else if (/^\s/.test(line)) {
      pre.append(make(library ? "span.library" : "span", line + "\n"));
    } else {
      pre.append(make(/^[\w.]+(Error|Exception|Failure|Warning|Exit|Interrupt)\b/.test(line) ? "span.raised" : "span", line + "\n"));
    }
  }
  return pre;
}
