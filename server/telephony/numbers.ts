import type { z } from 'zod';

/** A telephone number as E.164 has it, `+` and digits. It is never logged, and never leaves for the other side. */
export type PhoneNumber = string & z.BRAND<'PhoneNumber'>;

/** E.164 alone, as it lies in our own store or settings; what people type goes through `normalise`. */
export const isPhoneNumber = (text: string): text is PhoneNumber => /^\+[1-9]\d{6,14}$/.test(text);
