import { randomInt } from 'node:crypto';
import type { PhoneBindingId, PhoneCallId } from '@teleconsult/protocol';
import type { PhoneIds } from './ports.ts';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 22 of 62 symbols carry 131 bits: nobody guesses one. */
const LENGTH = 22;

const letters = (): string =>
  Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');

export const randomPhoneIds: PhoneIds = {
  phoneBindingId: () => `pbd_${letters()}` as PhoneBindingId,
  phoneCallId: () => `pcl_${letters()}` as PhoneCallId,
};
