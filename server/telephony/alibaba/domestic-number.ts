/** Numbers as the service writes them: mobile numbers with eleven digits, others with 0 and their area code. Mainland China alone. */
import { isPhoneNumber, type PhoneNumber } from '../numbers.ts';

/** null: not a number of mainland China, which the service cannot bind. */
export function domesticNumber(number: PhoneNumber): string | null {
  const national = /^\+86(\d{7,11})$/.exec(number)?.[1];
  if (national === undefined) return null;
  return /^1\d{10}$/.test(national) ? national : `0${national}`;
}

/** null: not a number, masked, or a short one. */
export function numberOfReport(text: string): PhoneNumber | null {
  const digits = text.replace(/^(?:\+|00)?86(?=1\d{10}$|0?[2-9]\d{8,10}$)/, '');
  if (!/^(?:1\d{10}|0\d{9,11})$/.test(digits)) return null;
  const number = `+86${digits.replace(/^0/, '')}`;
  return isPhoneNumber(number) ? number : null;
}
