/**
 * A file of a recording lies in chunks, numbered from 0. Each is a journal on the local disk while it grows, and a sealed
 * object of the object store afterwards; while it is both, both say the same.
 */
import { FileId, RecordingId } from '@teleconsult/protocol';
import type { ObjectContext } from '../vault/encryption-context.ts';
import type { FilePlace } from './ports.ts';

export type FileIds = Pick<FilePlace, 'recordingId' | 'fileId'>;

const SUFFIX = '.journal';

/** Where the sealed object of a chunk lies. */
export const partKey = ({ recordingId, fileId }: FileIds, index: number): string =>
  `recordings/${recordingId}/${fileId}/${index}`;

export const partContext = (place: Omit<FilePlace, 'key'>, index: number): ObjectContext =>
  contextOf(place, index, 'recording');

/** Of another purpose, so that a journal never opens as a part, nor a part as a journal. */
export const journalContext = (place: Omit<FilePlace, 'key'>, index: number): ObjectContext =>
  contextOf(place, index, 'recording-journal');

export const journalName = ({ recordingId, fileId }: FileIds, index: number): string =>
  `${recordingId}.${fileId}.${index}${SUFFIX}`;

/** What a journal's name says; null for a file of any other name. */
export function parseJournalName(name: string): (FileIds & { readonly index: number }) | null {
  if (!name.endsWith(SUFFIX)) return null;
  const [recording, file, number, ...more] = name.slice(0, -SUFFIX.length).split('.');
  const recordingId = RecordingId.safeParse(recording);
  const fileId = FileId.safeParse(file);
  if (!recordingId.success || !fileId.success || more.length > 0) return null;
  if (number === undefined || !/^(0|[1-9]\d{0,5})$/.test(number)) return null;
  return { recordingId: recordingId.data, fileId: fileId.data, index: Number(number) };
}

const contextOf = (
  { consultationId, recordingId, fileId }: Omit<FilePlace, 'key'>,
  index: number,
  purpose: string,
): ObjectContext => ({
  consultation: consultationId,
  purpose,
  object: `${recordingId}/${fileId}/${index}`,
});
