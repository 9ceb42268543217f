import type { ConsultationId } from '@teleconsult/protocol';
import type { Log } from '../host/ports.ts';
import type { ObjectStore } from '../storage/objects/object-store.ts';

/** What the store of record does for erasing. */
export interface ErasableRecords {
  /** The names of the objects that belong to a consultation, as far as its records know of them. */
  objectsOf(consultationId: ConsultationId): Promise<readonly string[]>;
  /**
   * Destroys the wrapped key, in one write with everything that was said and who took part. On disk when it resolves.
   * False: there is no such consultation. Again changes nothing. What names its objects stays.
   */
  eraseConsultation(consultationId: ConsultationId): Promise<boolean>;
  /** The objects are gone: forgets their names, and what was still being written while the key was destroyed. */
  forgetObjects(consultationId: ConsultationId): Promise<void>;
  /** Consultations without a key whose objects may still be there: erasing them was cut off. Looks through all there are. */
  halfErased(): Promise<readonly ConsultationId[]>;
  /**
   * Overwrites what the database's log still holds of what was erased. False: somebody was reading from the log all the
   * time; it goes with the next checkpoint.
   */
  scrub(): Promise<boolean>;
}

export interface ShredParts {
  readonly records: ErasableRecords;
  readonly objects: ObjectStore;
  /**
   * Takes the consultation out of memory: ends its call, waits for what is being written, and forgets state and key. Is
   * called before and after the key is destroyed: whoever asks for the consultation in between may load it again.
   */
  readonly letGo: (consultationId: ConsultationId) => Promise<void>;
  /** Names of further objects, such as parts of recordings. Asked before anything is erased. */
  readonly furtherObjects?: (consultationId: ConsultationId) => AsyncIterable<string>;
  /** Removes what is not in the object store yet: journals of recordings. Asked before anything is erased. */
  readonly removeJournals?: (consultationId: ConsultationId) => Promise<void>;
  readonly log: Log;
}

export interface Shredded {
  readonly wasThere: boolean;
  readonly objects: number;
  /** Whether no byte of the wrapped key is left in the database's files. */
  readonly scrubbed: boolean;
}

/**
 * Erases a consultation for good: its key is destroyed first, durably, and with it everything it sealed, wherever copies
 * of that are. Then the objects are deleted. A kill in between leaves objects that nobody can open; asked for again, or by
 * `finishShredding`, it goes on. The next backup takes the key out of the key archive (`server/backup`).
 *
 * What is erased can be opened no more from memory either, once `letGo` has returned.
 * @throws AppError STORAGE_UNAVAILABLE, STORAGE_FULL; it may be asked for again
 */
export async function shred(parts: ShredParts, consultationId: ConsultationId): Promise<Shredded> {
  const { records, objects, letGo, furtherObjects, removeJournals, log } = parts;
  await letGo(consultationId);
  const names = [...(await records.objectsOf(consultationId))];
  if (furtherObjects !== undefined) for await (const name of furtherObjects(consultationId)) names.push(name);
  await removeJournals?.(consultationId);
  const wasThere = await records.eraseConsultation(consultationId);
  await letGo(consultationId);
  for (const name of names) await objects.delete(name);
  await records.forgetObjects(consultationId);
  const scrubbed = await records.scrub();
  if (wasThere) log.info('consultation.erased', { consultation: consultationId, count: names.length });
  if (!scrubbed) log.warn('consultation.eraseNotScrubbed', { consultation: consultationId });
  return { wasThere, objects: names.length, scrubbed };
}

/** Goes on with what a kill has cut off: for the start of a server. Answers how many consultations that were. */
export async function finishShredding(parts: ShredParts): Promise<number> {
  const left = await parts.records.halfErased();
  for (const consultationId of left) await shred(parts, consultationId);
  return left.length;
}
