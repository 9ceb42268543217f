import type { PairNumbers, PhoneSeals } from './phone-seals.ts';
import type { PairHashes } from './store.ts';

/** What the store tells people apart by. */
export const hashesOf = (seals: PhoneSeals, numbers: PairNumbers): PairHashes => ({
  a: seals.hashOf(numbers.a),
  b: seals.hashOf(numbers.b),
  pair: seals.pairHashOf(numbers),
});
