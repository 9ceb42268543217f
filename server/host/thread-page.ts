import type { ReadEntry } from './ports.ts';

/**
 * Most bytes of entries one answer holds, about. A page of long texts would otherwise be a frame of megabytes, which
 * a device that reads slowly makes the server keep.
 */
const PAGE_BYTES = 256 * 1024;
/** What an entry takes on the wire beside what is sealed of it: ids, moment, names of fields. */
const FRAME_BYTES = 300;

/** Adds up what goes into one answer. The first always fits, so that every answer leads on. */
export class PageSpace {
  #taken = 0;

  /** Whether this entry goes in as well. Its size is known without opening it. */
  takes({ sealed }: Pick<ReadEntry, 'sealed'>): boolean {
    const bytes = sealed.byteLength + FRAME_BYTES;
    if (this.#taken > 0 && this.#taken + bytes > PAGE_BYTES) return false;
    this.#taken += bytes;
    return true;
  }
}

/** The entries of a page that fit, from its beginning, or from its end where it is read backwards. */
export function fitting<E extends Pick<ReadEntry, 'sealed'>>(
  entries: readonly E[],
  from: 'beginning' | 'end',
): readonly E[] {
  const space = new PageSpace();
  if (from === 'beginning') {
    const first = entries.findIndex((entry) => !space.takes(entry));
    return first < 0 ? entries : entries.slice(0, first);
  }
  const last = entries.findLastIndex((entry) => !space.takes(entry));
  return entries.slice(last + 1);
}
