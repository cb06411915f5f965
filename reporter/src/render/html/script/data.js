// The results: columns with a number for every test, and pieces that are unpacked when they are
// looked at.

const UNKNOWN = 0xffffffff;
const WHOLE = "\u0001";
const RED = new Set(["failed", "error", "crashed", "timed_out", "unexpected_success"]);

async function unpack(name) {
  const element = document.getElementById("data-" + name);
  const packed = fromBase64(element.textContent);
  if (typeof DecompressionStream === "undefined") return inflate(packed);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text), bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

async function unpackNumbers(name) {
  const bytes = await unpack(name);
  return new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

async function unpackText(name) {
  return new TextDecoder().decode(await unpack(name));
}

/** Everything the page knows. */
class Results {
  static async load() {
    const numbers = ["class", "time", "start", "lease", "cause", "line", "detailed"];
    const [meta, names, outcome, tries, ...columns] = await Promise.all([
      unpackText("meta"), unpackText("names"), unpack("outcome"), unpack("tries"), ...numbers.map(unpackNumbers),
    ]);
    const results = new Results();
    Object.assign(results, JSON.parse(meta), { outcome, tries });
    numbers.forEach((name, index) => { results[name + "Of"] = columns[index]; });
    results.names = new Names(names, outcome.length);
    results.count = outcome.length;
    results.unpacked = new Map();
    return results;
  }

  className(index) {
    return this.classes[this.classOf[index]][0];
  }

  appOf(index) {
    return this.apps[this.classes[this.classOf[index]][1]];
  }

  agentOf(index) {
    const lease = this.leases[this.leaseOf[index]];
    return lease ? this.agents[lease[1]] : "";
  }

  /** The part of its id that its class does not say. */
  name(index) {
    const name = this.names.at(index);
    return name.startsWith(WHOLE) ? name.slice(1) : name;
  }

  id(index) {
    const name = this.names.at(index);
    return name.startsWith(WHOLE) ? name.slice(1) : this.className(index) + "." + name;
  }

  isWhole(index) {
    return this.names.beginsWith(WHOLE, index);
  }

  outcomeOf(index) {
    return this.outcomes[this.outcome[index]];
  }

  /** Milliseconds from the beginning of its run to that of each test; not a number where nobody
   * knows. Results without a clock begin where the timeline has them. */
  starts() {
    if (this.allStarts) return this.allStarts;
    const starts = Float64Array.from(this.startOf, (start) => (start === UNKNOWN ? NaN : start));
    for (const run of this.runs) if (run.foreign) for (const [index, start] of laidEndToEnd(this, run)) starts[index] = start;
    return this.allStarts = starts;
  }

  isRed(index) {
    return RED.has(this.outcomeOf(index));
  }

  /** Seconds; null where nobody knows. */
  seconds(index) {
    return this.timeOf[index] === UNKNOWN ? null : this.timeOf[index] / 10000;
  }

  run(index) {
    let run = this.runs.length - 1;
    while (run > 0 && this.runs[run].first > index) run--;
    return run;
  }

  file(index) {
    const [, , file, line] = this.classes[this.classOf[index]];
    const own = this.lineOf[index];
    const known = own === UNKNOWN ? line : own;
    return file ? file + (known ? ":" + known : "") : "";
  }

  /** The place of a test by its id; -1 where there is none. */
  find(id, run) {
    const fits = (index) => run === undefined || this.run(index) === run;
    for (const index of this.names.equal(WHOLE + id)) if (fits(index)) return index;
    for (let dot = id.lastIndexOf("."); dot > 0; dot = id.lastIndexOf(".", dot - 1)) {
      const owner = id.slice(0, dot);
      for (const index of this.names.equal(id.slice(dot + 1))) {
        if (this.className(index) === owner && fits(index)) return index;
      }
    }
    return -1;
  }

  /** Every try of a test. */
  async attempts(index) {
    const place = lowerBound(this.detailedOf, index);
    if (this.detailedOf[place] !== index) return [this.plain(index)];
    let piece = 0, first = 0;
    while (place >= first + this.pieces[piece]) first += this.pieces[piece++];
    if (!this.unpacked.has(piece)) this.unpacked.set(piece, unpackText("piece-" + piece).then(JSON.parse));
    return (await this.unpacked.get(piece))[place - first];
  }

  /** The only try of a test of which there is no more to tell. */
  plain(index) {
    const known = (number) => (number === UNKNOWN ? undefined : number);
    return {
      number: 1,
      verdict: this.outcomeOf(index),
      seconds: this.seconds(index) ?? undefined,
      start: known(this.startOf[index]),
      lease: known(this.leaseOf[index]),
    };
  }
}

/** The first place whose number is not below another. */
function lowerBound(numbers, wanted) {
  let low = 0, high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Names in one long text: a million small ones would take seconds to make. */
class Names {
  constructor(text, count) {
    this.text = text;
    this.ends = Names.ends(text, count);
  }

  static ends(text, count) {
    const ends = new Uint32Array(count);
    for (let index = 0, at = -1; index < count; index++) ends[index] = at = text.indexOf("\0", at + 1);
    return ends;
  }

  at(index) {
    return this.text.slice(index ? this.ends[index - 1] + 1 : 0, this.ends[index]);
  }

  beginsWith(part, index) {
    return this.text.startsWith(part, index ? this.ends[index - 1] + 1 : 0);
  }

  /** Places of names that are just so. */
  *equal(name) {
    for (const index of this.holding(name, this.text, this.ends)) if (this.at(index) === name) yield index;
  }

  /** Places of names with a part in them, in order. */
  *holding(part, text, ends) {
    if (part === "") return;
    let index = 0;
    for (let at = text.indexOf(part); at >= 0 && index < ends.length;) {
      if (ends[index] < at) index = lowerBound(ends, at);
      if (at + part.length <= ends[index]) yield index;
      at = text.indexOf(part, ends[index]);
      index++;
    }
  }

  /** The same without regard to case. */
  holdingAnyCase(part) {
    if (this.lower === undefined) {
      this.lower = this.text.toLowerCase();
      const same = this.lower.length === this.text.length;
      this.lowerEnds = same ? this.ends : Names.ends(this.lower, this.ends.length);
    }
    return this.holding(part.toLowerCase(), this.lower, this.lowerEnds);
  }
}
