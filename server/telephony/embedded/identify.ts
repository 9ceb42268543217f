import { normalise, type PhoneNumber, type PhoneRegion } from '../numbers.ts';
import { splitOutside } from '../sip/grammar.ts';
import type { IncomingCall } from '../sip/incoming-call.ts';
import { parseNameAddress, type SipUri } from '../sip/uri.ts';

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
 * asserts nothing it has checked what From says, or hides it.
 */
export function identify(
  call: Pick<IncomingCall, 'from' | 'to' | 'requestUri' | 'header'>,
  region: PhoneRegion,
): Identified {
  const asserted = call
    .header('p-asserted-identity')
    .flatMap((value) => splitOutside(value, ',') ?? [])
    .slice(0, MOST_ASSERTED)
    .map((value) => parseNameAddress(value)?.uri ?? null);
  const callers = asserted.length > 0 ? asserted : [call.from.uri];
  return {
    from: firstNumber(callers, region),
    x: firstNumber([call.requestUri, call.to.uri], region),
  };
}

function firstNumber(uris: readonly (SipUri | null)[], region: PhoneRegion): PhoneNumber | null {
  for (const uri of uris) {
    const number = uri === null ? null : numberOf(uri, region);
    if (number !== null) return number;
  }
  return null;
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
