/**
 * The vault's claims as functions. Each takes the thing under test and tells what it found wrong, so that a test
 * can also feed it something that is wrong and see it found.
 */
import { AppError } from '@teleconsult/protocol';

export interface Changed {
  /** Says what was done, such as `bit 3 of byte 17`. */
  readonly change: string;
  readonly bytes: Uint8Array;
}

type Opens = (bytes: Uint8Array) => unknown;

/** E4: the changes after which something still opened, or failed in another way than `INTEGRITY`. */
export async function unnoticedChanges(changes: Iterable<Changed>, open: Opens): Promise<string[]> {
  const unnoticed: string[] = [];
  for (const { change, bytes } of changes) {
    try {
      await open(bytes);
      unnoticed.push(change);
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'INTEGRITY'))
        unnoticed.push(`${change}: ${String(error)}`);
    }
  }
  return unnoticed;
}

/** Every bit flipped, one at a time. */
export function* everyBit(sealed: Uint8Array): Generator<Changed> {
  for (let bit = 0; bit < sealed.byteLength * 8; bit += 1) {
    const bytes = Uint8Array.from(sealed);
    const at = bit >> 3;
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
    yield { change: `bit ${bit & 7} of byte ${at}`, bytes };
  }
}

/** Cut at every place, from both sides. */
export function* everyCut(sealed: Uint8Array): Generator<Changed> {
  for (let length = 0; length < sealed.byteLength; length += 1) {
    yield { change: `cut to ${length}`, bytes: sealed.slice(0, length) };
    if (length > 0) yield { change: `without the first ${length}`, bytes: sealed.slice(length) };
  }
}

/** Something added behind, before and in the middle. */
export function* additions(sealed: Uint8Array): Generator<Changed> {
  const middle = sealed.byteLength >> 1;
  for (const added of [Buffer.alloc(1), Buffer.from([255]), Buffer.alloc(16), Buffer.from(sealed)]) {
    yield { change: `${added.byteLength} appended`, bytes: Buffer.concat([sealed, added]) };
    yield { change: `${added.byteLength} put before`, bytes: Buffer.concat([added, sealed]) };
    yield {
      change: `${added.byteLength} put in`,
      bytes: Buffer.concat([sealed.subarray(0, middle), added, sealed.subarray(middle)]),
    };
  }
}

/** E6: what occurs more than once. Uses are named by key and nonce. */
export function repeats(uses: Iterable<string>): string[] {
  const seen = new Set<string>();
  const repeated: string[] = [];
  for (const use of uses) {
    if (seen.has(use)) repeated.push(use);
    seen.add(use);
  }
  return repeated;
}

/** M12 and its like for fields: pairs that open as what they are not. `open` must throw for every wrong pair. */
export async function opensAsAnother<Place>(
  sealed: readonly { readonly place: Place; readonly bytes: Uint8Array }[],
  open: (bytes: Uint8Array, place: Place) => unknown,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const one of sealed) {
    for (const other of sealed) {
      const opened = await Promise.resolve()
        .then(() => open(one.bytes, other.place))
        .then(
          () => true,
          () => false,
        );
      if (opened !== (one === other))
        wrong.push(
          `${JSON.stringify(one.place)} ${opened ? 'opens' : 'does not open'} as ${JSON.stringify(other.place)}`,
        );
    }
  }
  return wrong;
}
