import { normalise, type PhoneNumber, type PhoneRegion } from '../numbers.ts';
import { splitOutside } from '../sip/grammar.ts';
import type { IncomingCall } from '../sip/incoming-call.ts';
import { type NameAddress, parseNameAddress, type SipUri } from '../sip/uri.ts';

export interface Identified {
  /** null: withheld, or no number. */
  readonly from: PhoneNumber | null;
  /** null: not one of anybody's numbers. */
  readonly x: PhoneNumber | null;
}

/** P-Asserted-Identity holds a SIP and a TEL URI at most (RFC 3325 §9.1). */
const MOST_ASSERTED = 4;

/**
 * Who calls, and what they dialled. What the trunk asserts is believed: only its addresses are let in at all. Where it
 * asserts nothing it has checked what From says, or hides it. Who is asserted to be two, or was found to show a number that is
 * not theirs (RFC 8224, `verstat`), is nobody.
 */
export function identify(
  call: Pick<IncomingCall, 'from' | 'to' | 'requestUri' | 'header'>,
  region: PhoneRegion,
): Identified {
  // One that cannot be read is an assertion all the same: what the phone says does not take its place.
  const asserted = call
    .header('p-asserted-identity')
    .flatMap((value) => splitOutside(value, ',') ?? [''])
    .map((value) => parseNameAddress(value));
  return {
    from: callerOf(asserted, call.from, region),
    x: numberOf(call.requestUri, region) ?? numberOf(call.to.uri, region),
  };
}

function callerOf(
  asserted: readonly (NameAddress | null)[],
  from: NameAddress,
  region: PhoneRegion,
): PhoneNumber | null {
  if (asserted.length > MOST_ASSERTED || [...asserted, from].some(isDisproved)) return null;
  const numbers = (asserted.length > 0 ? asserted : [from]).flatMap((caller) => {
    const number = caller === null ? null : numberOf(caller.uri, region);
    return number === null ? [] : [number];
  });
  return new Set(numbers).size === 1 ? (numbers[0] ?? null) : null;
}

/** The carrier has checked who signed for the number, and found it wrong. It says so in one of three places. */
function isDisproved(caller: NameAddress | null): boolean {
  if (caller === null) return false;
  const { uri, parameters } = caller;
  const inUser = /;verstat=([^;]*)/i.exec(uri.user ?? '')?.[1];
  return [parameters.get('verstat'), uri.parameters.get('verstat'), inUser].some((verstat) =>
    /^TN-Validation-Failed/i.test(verstat ?? ''),
  );
}

function numberOf({ user }: SipUri, region: PhoneRegion): PhoneNumber | null {
  // Parameters of a telephone number may stand in the user part (RFC 3261 §19.1.6).
  const text = user?.split(';', 1)[0] ?? '';
  if (!/^\+?[0-9().-]{3,32}$/.test(text)) return null;
  try {
    return normalise(text, region);
  } catch {
    return null;
  }
}
