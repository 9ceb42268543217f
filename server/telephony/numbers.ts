import { AppError } from '@teleconsult/protocol';
import { type CountryCode, parsePhoneNumberWithError } from 'libphonenumber-js/max';
import type { z } from 'zod';

/** A telephone number as E.164 has it, `+` and digits. It is never logged, and never leaves for the other side. */
export type PhoneNumber = string & z.BRAND<'PhoneNumber'>;

/** A country as ISO 3166 has it, such as `CN`: whose numbers need no country code. */
export type PhoneRegion = CountryCode;

/** What kind of line a number is, as its country's numbering plan says; `unknown` where it does not. */
export type PhoneLine =
  | NonNullable<ReturnType<ReturnType<typeof parsePhoneNumberWithError>['getType']>>
  | 'unknown';

/** Longer than any way in which people write a number down. */
const MAX_TEXT = 64;

/** E.164 alone, as it lies in our own store or settings; what people type goes through `normalise`. */
export const isPhoneNumber = (text: string): text is PhoneNumber => /^\+[1-9]\d{6,14}$/.test(text);

/**
 * A number as people write it, made E.164.
 * @param defaultRegion whose number it is when it begins without `+`
 * @throws AppError INVALID with what is wrong in `detail`, never with the number
 */
export function normalise(text: string, defaultRegion: PhoneRegion): PhoneNumber {
  if (text.length > MAX_TEXT) throw invalid('it is too long');
  const parsed = parse(text, defaultRegion);
  if (parsed.ext !== undefined) throw invalid('it has an extension');
  const number: string = parsed.number;
  if (!parsed.isValid() || !isPhoneNumber(number)) throw invalid('its country has no such number');
  return number;
}

/** What kind of line a number is. */
export function lineOf(number: PhoneNumber): PhoneLine {
  try {
    return parsePhoneNumberWithError(number, { extract: false }).getType() ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

function parse(text: string, defaultCountry: PhoneRegion) {
  try {
    return parsePhoneNumberWithError(text, { defaultCountry, extract: false });
  } catch (error) {
    // The library's error is not the cause: whoever writes it down might write what was parsed.
    throw invalid(whyOf(error));
  }
}

function whyOf(error: unknown): string {
  switch (error instanceof Error ? error.message : '') {
    case 'TOO_SHORT':
      return 'it is too short';
    case 'TOO_LONG':
      return 'it is too long';
    case 'INVALID_COUNTRY':
      return 'there is no such country code';
    default:
      return 'it is no telephone number';
  }
}

const invalid = (why: string): AppError => new AppError('INVALID', { detail: `number: ${why}` });
