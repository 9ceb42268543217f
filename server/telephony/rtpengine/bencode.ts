/** Bencode, as the control protocol of rtpengine is written: numbers, strings of bytes, lists, dictionaries. */

export type Bencoded =
  | number
  | string
  | Uint8Array
  | readonly Bencoded[]
  | { readonly [key: string]: Bencoded };

/** As it is read: strings are bytes, for they need not be text. */
export type BencodedAnswer = number | Buffer | readonly BencodedAnswer[] | BencodedDictionary;
export type BencodedDictionary = ReadonlyMap<string, BencodedAnswer>;

/** Answers are not nested deeper, and whoever sends one that is wants our stack. */
const DEEPEST = 16;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COLON = 0x3a;
const DICTIONARY = 0x64;
const END = 0x65;
const NUMBER = 0x69;
const LIST = 0x6c;

export function encode(value: Bencoded): Buffer {
  const parts: Uint8Array[] = [];
  write(value, parts);
  return Buffer.concat(parts);
}

/** Null for what is not one value and nothing else. */
export function decode(bytes: Buffer): BencodedAnswer | null {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  return value === null || reader.at !== bytes.length ? null : value;
}

export const isDictionary = (value: BencodedAnswer | null | undefined): value is BencodedDictionary =>
  value instanceof Map;

/** What is no text of at most `most` bytes is null. */
export const textAt = (of: BencodedDictionary, key: string, most = 0xffff): string | null => {
  const value = of.get(key);
  return Buffer.isBuffer(value) && value.length <= most ? value.toString('utf8') : null;
};

function write(value: Bencoded, parts: Uint8Array[]): void {
  if (typeof value === 'number') parts.push(Buffer.from(`i${Math.trunc(value)}e`));
  else if (typeof value === 'string' || value instanceof Uint8Array) {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    parts.push(Buffer.from(`${bytes.length}:`), bytes);
  } else if (isList(value)) {
    parts.push(Buffer.from('l'));
    for (const item of value) write(item, parts);
    parts.push(Buffer.from('e'));
  } else {
    parts.push(Buffer.from('d'));
    for (const key of Object.keys(value).toSorted()) {
      const item = value[key];
      if (item === undefined) continue;
      write(key, parts);
      write(item, parts);
    }
    parts.push(Buffer.from('e'));
  }
}

/** `Array.isArray` alone leaves read-only lists among the dictionaries. */
const isList = (value: Bencoded): value is readonly Bencoded[] => Array.isArray(value);

class Reader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  value(depth: number): BencodedAnswer | null {
    if (depth > DEEPEST) return null;
    switch (this.#bytes[this.at]) {
      case undefined:
        return null;
      case NUMBER:
        this.at += 1;
        return this.#number(END);
      case LIST:
        return this.#list(depth);
      case DICTIONARY:
        return this.#dictionary(depth);
      default:
        return this.#string();
    }
  }

  #number(end: number): number | null {
    const from = this.at;
    let value = 0;
    const isNegative = end === END && this.#bytes[from] === 0x2d;
    if (isNegative) this.at += 1;
    const first = this.at;
    for (;;) {
      const byte = this.#bytes[this.at];
      if (byte === end && this.at > first) break;
      // Seventeen digits are more than a number of ours holds exactly.
      if (byte === undefined || byte < DIGIT_0 || byte > DIGIT_9 || this.at - first >= 20) return null;
      value = value * 10 + (byte - DIGIT_0);
      this.at += 1;
    }
    this.at += 1;
    return isNegative ? -value : value;
  }

  #string(): Buffer | null {
    const length = this.#number(COLON);
    if (length === null || length > this.#bytes.length - this.at) return null;
    const from = this.at;
    this.at += length;
    return this.#bytes.subarray(from, this.at);
  }

  #list(depth: number): readonly BencodedAnswer[] | null {
    this.at += 1;
    const items: BencodedAnswer[] = [];
    while (this.#bytes[this.at] !== END) {
      const item = this.value(depth + 1);
      if (item === null) return null;
      items.push(item);
    }
    this.at += 1;
    return items;
  }

  #dictionary(depth: number): BencodedDictionary | null {
    this.at += 1;
    const entries = new Map<string, BencodedAnswer>();
    while (this.#bytes[this.at] !== END) {
      const key = this.#string();
      const value = key === null ? null : this.value(depth + 1);
      if (key === null || value === null) return null;
      entries.set(key.toString('utf8'), value);
    }
    this.at += 1;
    return entries;
  }
}
