/** Which bytes were asked for: `whole` where no range was, or none that is understood (RFC 9110 §14.2). */
export type AskedRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly start: number; readonly endExclusive: number }
  | { readonly kind: 'unsatisfiable' };

const WHOLE: AskedRange = { kind: 'whole' };
const UNSATISFIABLE: AskedRange = { kind: 'unsatisfiable' };
/** `bytes=0-99`, `bytes=100-`, `bytes=-100`. Fifteen digits are exact as a number. */
const RANGE = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/;

/**
 * Reads a Range header for a representation of this size. Several ranges, other units and what is malformed are answered
 * with the whole, as RFC 9110 §14.2 allows.
 * @param header undefined where there is none, or where If-Range says that it does not count
 */
export function askedRange(header: string | undefined, byteSize: number): AskedRange {
  const found = header === undefined ? null : RANGE.exec(header.trim());
  if (found === null) return WHOLE;
  const [, from, to, suffix] = found;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), byteSize);
    return length === 0 ? UNSATISFIABLE : { kind: 'part', start: byteSize - length, endExclusive: byteSize };
  }
  const start = Number(from);
  const last = to === undefined ? byteSize - 1 : Number(to);
  // A range that ends before it begins is malformed, not unsatisfiable.
  if (to !== undefined && last < start) return WHOLE;
  if (start >= byteSize) return UNSATISFIABLE;
  return { kind: 'part', start, endExclusive: Math.min(last + 1, byteSize) };
}
