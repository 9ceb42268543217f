/** The key of an INFO with `application/dtmf-relay` (`Signal=5`) or `application/dtmf` (`5`). null: neither. */
export function digitOfInfo(contentType: string, body: Buffer): string | null {
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  const text = body.toString('latin1', 0, 256);
  const found =
    type === 'application/dtmf-relay'
      ? /^\s*signal\s*=\s*([0-9*#a-d]|1[0-5])\s*$/im.exec(text)?.[1]
      : type === 'application/dtmf'
        ? /^\s*([0-9*#a-d])\s*$/i.exec(text)?.[1]
        : undefined;
  if (found === undefined) return null;
  // Some gateways write the number of the event (RFC 4733): 10 is *, 11 is #, 12 to 15 are A to D.
  return found.length === 2 ? ('*#ABCD'[Number(found) - 10] ?? null) : found.toUpperCase();
}
