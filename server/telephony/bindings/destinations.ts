import { lineOf, type PhoneNumber } from '../numbers.ts';
import type { Destinations } from './settings.ts';

/** Whether a number may be dialled at all: toll fraud calls abroad and premium lines. */
export function mayDial(number: PhoneNumber, { allowed, denied, lines }: Destinations): boolean {
  const begins = (prefix: string): boolean => prefix !== '' && number.startsWith(prefix);
  return allowed.some(begins) && !denied.some(begins) && lines.has(lineOf(number));
}
