/** What the daemon has counted of a call (`query`, and the answer to `delete`). */
import type { LegName } from '../rtp/ports.ts';
import { type BencodedAnswer, type BencodedDictionary, isDictionary } from './bencode.ts';

export interface LegCount {
  /** Datagrams that came, also such as were dropped. */
  readonly packets: number;
  readonly dropped: number;
}

/** Null where the answer holds no such call of two legs. */
export function readCounts(answer: BencodedDictionary): Readonly<Record<LegName, LegCount>> | null {
  const a = legOf(answer, 'a');
  const b = legOf(answer, 'b');
  return a === null || b === null ? null : { a, b };
}

function legOf(answer: BencodedDictionary, name: LegName): LegCount | null {
  const tag = at(at(answer, 'tags'), name);
  const stream = first(at(first(at(tag, 'medias')), 'streams'));
  const counted = at(stream, 'stats');
  const packets = at(counted, 'packets');
  const errors = at(counted, 'errors');
  return typeof packets === 'number' && typeof errors === 'number'
    ? { packets, dropped: Math.min(errors, packets) }
    : null;
}

const at = (of: BencodedAnswer | undefined, key: string): BencodedAnswer | undefined =>
  isDictionary(of) ? of.get(key) : undefined;

/** The first of a list: of the media, the sound; of its streams, RTP. */
const first = (of: BencodedAnswer | undefined): BencodedAnswer | undefined => {
  if (!Array.isArray(of)) return undefined;
  const [item]: readonly BencodedAnswer[] = of;
  return item;
};
