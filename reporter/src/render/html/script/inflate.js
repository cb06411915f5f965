// Unpacks zlib data where the browser cannot: RFC 1950 and 1951, without checking the sum.

/** Lengths and distances begin so, and take so many bits more. */
const LENGTHS = codes(29, 4, 3, [[28, 258, 0]]);
const DISTANCES = codes(30, 2, 1, []);
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

function codes(count, each, first, exceptions) {
  const base = [], bits = [];
  for (let code = 0, value = first; code < count; code++) {
    const more = Math.max(0, Math.floor(code / each) - 1);
    base.push(value);
    bits.push(more);
    value += 1 << more;
  }
  for (const [code, value, more] of exceptions) {
    base[code] = value;
    bits[code] = more;
  }
  return { base, bits };
}

/** A table that leads from bits to symbols: how many codes there are of each length, and whose. */
function huffman(lengths) {
  const counts = new Uint16Array(16), offsets = new Uint16Array(16);
  for (const length of lengths) counts[length]++;
  counts[0] = 0;
  for (let length = 1; length < 16; length++) offsets[length] = offsets[length - 1] + counts[length - 1];
  const symbols = new Uint16Array(lengths.length);
  lengths.forEach((length, symbol) => { if (length) symbols[offsets[length]++] = symbol; });
  return { counts, symbols };
}

class Bits {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 2;
    this.held = 0;
    this.count = 0;
  }

  take(count) {
    while (this.count < count) {
      this.held |= this.bytes[this.at++] << this.count;
      this.count += 8;
    }
    const value = this.held & ((1 << count) - 1);
    this.held >>>= count;
    this.count -= count;
    return value;
  }

  symbol({ counts, symbols }) {
    let code = 0, first = 0, index = 0;
    for (let length = 1; length < 16; length++) {
      code |= this.take(1);
      const count = counts[length];
      if (code - count < first) return symbols[index + (code - first)];
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new Error("the data of this page is damaged");
  }
}

class Growing {
  constructor(size) {
    this.bytes = new Uint8Array(size);
    this.length = 0;
  }

  room(more) {
    if (this.length + more <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

function readTables(bits) {
  const literals = bits.take(5) + 257, distances = bits.take(5) + 1, count = bits.take(4) + 4;
  const small = new Uint8Array(19);
  for (let index = 0; index < count; index++) small[CODE_ORDER[index]] = bits.take(3);
  const code = huffman(small);
  const lengths = new Uint8Array(literals + distances);
  for (let index = 0; index < lengths.length;) {
    const symbol = bits.symbol(code);
    if (symbol < 16) {
      lengths[index++] = symbol;
      continue;
    }
    const value = symbol === 16 ? lengths[index - 1] : 0;
    const times = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
    lengths.fill(value, index, index + times);
    index += times;
  }
  return [huffman(lengths.subarray(0, literals)), huffman(lengths.subarray(literals))];
}

function fixedTables() {
  const lengths = new Uint8Array(288);
  lengths.fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280);
  return [huffman(lengths), huffman(new Uint8Array(30).fill(5))];
}

function readBlock(bits, out, [literals, distances]) {
  for (;;) {
    const symbol = bits.symbol(literals);
    if (symbol === 256) return;
    if (symbol < 256) {
      out.room(1);
      out.bytes[out.length++] = symbol;
      continue;
    }
    const length = LENGTHS.base[symbol - 257] + bits.take(LENGTHS.bits[symbol - 257]);
    const code = bits.symbol(distances);
    const distance = DISTANCES.base[code] + bits.take(DISTANCES.bits[code]);
    out.room(length);
    for (let step = 0; step < length; step++, out.length++) out.bytes[out.length] = out.bytes[out.length - distance];
  }
}

function readStored(bits, out) {
  bits.held = bits.count = 0;
  const length = bits.bytes[bits.at] | (bits.bytes[bits.at + 1] << 8);
  const from = bits.at + 4;
  out.room(length);
  out.bytes.set(bits.bytes.subarray(from, from + length), out.length);
  out.length += length;
  bits.at = from + length;
}

function inflate(bytes) {
  const bits = new Bits(bytes), out = new Growing(bytes.length * 4 + 1024);
  for (let last = 0; !last;) {
    last = bits.take(1);
    const kind = bits.take(2);
    if (kind === 0) readStored(bits, out);
    else readBlock(bits, out, kind === 1 ? fixedTables() : readTables(bits));
  }
  return out.bytes.subarray(0, out.length);
}
