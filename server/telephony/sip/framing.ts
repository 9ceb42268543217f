/** Cuts the messages of one TCP stream apart by Content-Length (RFC 3261 §18.3). */
export class StreamFraming {
  readonly #maxBytes: number;
  #held: Buffer = Buffer.alloc(0);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a message has begun and is not whole yet. */
  get partial(): boolean {
    return this.#held.length > 0;
  }

  /**
   * What is whole after these bytes: messages, and the pings of RFC 5626 §3.5.1 that want a CRLF back. `broken`: the
   * stream cannot be cut any further, and has to be closed.
   */
  push(bytes: Buffer): { readonly messages: Buffer[]; readonly pings: number; readonly broken: boolean } {
    const messages: Buffer[] = [];
    let pings = 0;
    let rest = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    for (;;) {
      let skipped = 0;
      while (rest[skipped] === 0x0d && rest[skipped + 1] === 0x0a) skipped += 2;
      pings += skipped >> 2;
      rest = rest.subarray(skipped);
      const end = rest.indexOf('\r\n\r\n', 0, 'latin1');
      if (end < 0) {
        this.#held = Buffer.from(rest);
        return { messages, pings, broken: rest.length > this.#maxBytes };
      }
      const length = contentLength(rest.toString('latin1', 0, end));
      const whole = end + 4 + (length ?? 0);
      if (length === null || whole > this.#maxBytes) return { messages, pings, broken: true };
      if (rest.length < whole) {
        this.#held = Buffer.from(rest);
        return { messages, pings, broken: false };
      }
      messages.push(Buffer.from(rest.subarray(0, whole)));
      rest = rest.subarray(whole);
    }
  }
}

/** null: missing, or there are two of them, or not a number: nobody can say where the next message begins. */
function contentLength(head: string): number | null {
  const found = [...head.matchAll(/\r\n(?:content-length|l)[ \t]*:[ \t]*(?:\r\n[ \t]+)?([^\r\n]*)/gi)];
  const text = found[0]?.[1]?.trim();
  return found.length === 1 && text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : null;
}
