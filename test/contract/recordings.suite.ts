/** What every adapter of the recording store keeps. */
import { ConsultationId, FileId, RecordingId } from '@teleconsult/protocol';
import type { ConsultationStore } from '@teleconsult/server/host/ports';
import type { RecordingStore, StoredFile, StoredRecording } from '@teleconsult/server/recordings/ports';
import { describe, expect, test } from 'vitest';
import { newConsultation, person, sealed } from './store.fixtures.ts';

export interface RecordingsUnderTest extends AsyncDisposable {
  readonly recordings: RecordingStore;
  /** Where recordings lie beside consultations that must be there. */
  readonly consultations: ConsultationStore | null;
}

const numbered = (prefix: string, number: number): string => `${prefix}_${String(number).padStart(22, '0')}`;
const consultationId = (number: number) => ConsultationId.parse(numbered('cns', number));
const recordingId = (number: number) => RecordingId.parse(numbered('rec', number));
const fileId = (number: number) => FileId.parse(numbered('fil', number));

const newRecording = (number: number, change: Partial<StoredRecording> = {}): StoredRecording => ({
  recordingId: recordingId(number),
  consultationId: consultationId(1),
  purpose: 'consultation',
  startedBy: person('ann'),
  startedAt: 1_000 + number,
  endedAt: null,
  state: 'running',
  clientId: null,
  sealed: sealed(`recording ${number}`),
  ...change,
});

const newFile = (number: number, change: Partial<StoredFile> = {}): StoredFile => ({
  fileId: fileId(number),
  recordingId: recordingId(1),
  consultationId: consultationId(1),
  kind: 'track',
  createdAt: 1_000 + number,
  state: 'growing',
  byteSize: 0,
  parts: 0,
  sealed: sealed(`file ${number}`),
  ...change,
});

/** Bytes of any kind as text, so that adapters may answer what they like. */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, one: unknown) =>
      one instanceof Uint8Array ? Buffer.from(one).toString('latin1') : one,
    ),
  );

export function recordingStoreContract(adapter: string, open: () => Promise<RecordingsUnderTest>): void {
  const prepared = async () => {
    const under = await open();
    for (const number of [1, 2]) await under.consultations?.create(newConsultation(number));
    return under;
  };

  describe(`the recording store: ${adapter}`, () => {
    test('[RECS16] recordings and files are read as they were written, in order', async () => {
      await using under = await prepared();
      const { recordings } = under;
      for (const number of [1, 3, 2]) await recordings.createRecording(newRecording(number));
      await recordings.createRecording(newRecording(4, { consultationId: consultationId(2) }));
      expect(plain(await recordings.loadRecording(recordingId(1)))).toEqual(plain(newRecording(1)));
      expect(await recordings.loadRecording(recordingId(9))).toBeNull();
      const listed = await recordings.recordingsOf(consultationId(1));
      expect(listed.map((one) => one.recordingId)).toEqual([3, 2, 1].map(recordingId));
      for (const number of [2, 1]) await recordings.createFile(newFile(number));
      expect(plain(await recordings.loadFile(fileId(1)))).toEqual(plain(newFile(1)));
      expect(await recordings.loadFile(fileId(9))).toBeNull();
      const files = await recordings.filesOf(recordingId(1));
      expect(files.map((one) => one.fileId)).toEqual([1, 2].map(fileId));
      await expect(recordings.createFile(newFile(1))).rejects.toThrow();
      await expect(recordings.createFile(newFile(7, { recordingId: recordingId(9) }))).rejects.toThrow();
    });

    test('[RECS17] the same id, or the same dictation of a person, is created once', async () => {
      await using under = await prepared();
      const { recordings } = under;
      const first = await recordings.createRecording(newRecording(1));
      expect(first.created).toBe(true);
      const again = await recordings.createRecording(newRecording(1, { sealed: sealed('other') }));
      expect(again.created).toBe(false);
      expect(plain(again.recording)).toEqual(plain(newRecording(1)));
      const dictation = { purpose: 'summary', clientId: 'dictation-1' } as const;
      const raced = await Promise.all(
        [5, 6, 7, 8].map((number) => recordings.createRecording(newRecording(number, dictation))),
      );
      expect(raced.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(raced.map(({ recording }) => recording.recordingId)).size).toBe(1);
      const of = (change: Partial<StoredRecording>) =>
        recordings.createRecording(newRecording(20, { ...dictation, ...change }));
      expect(await of({ startedBy: person('bob') })).toMatchObject({ created: true });
      expect(await of({ recordingId: recordingId(21), consultationId: consultationId(2) })).toMatchObject({
        created: true,
      });
    });

    test('[RECS18] a recording changes only out of the states that were named', async () => {
      await using under = await prepared();
      const { recordings } = under;
      await recordings.createRecording(newRecording(1));
      const ready = {
        recordingId: recordingId(1),
        state: 'ready',
        endedAt: 2_000,
        sealed: sealed('b'),
      } as const;
      expect(await recordings.updateRecording(ready, ['ready', 'erased'])).toBe(false);
      expect((await recordings.runningRecordings()).map((one) => one.recordingId)).toEqual([recordingId(1)]);
      expect(await recordings.updateRecording(ready, ['running'])).toBe(true);
      expect(await recordings.updateRecording(ready, ['running'])).toBe(false);
      expect(plain(await recordings.loadRecording(recordingId(1)))).toEqual(
        plain(newRecording(1, { state: 'ready', endedAt: 2_000, sealed: sealed('b') })),
      );
      expect(await recordings.runningRecordings()).toEqual([]);
    });

    test('[RECS18] a file changes while it grows, and never afterwards', async () => {
      await using under = await prepared();
      const { recordings } = under;
      await recordings.createRecording(newRecording(1));
      await recordings.createFile(newFile(1));
      const grown = { fileId: fileId(1), byteSize: 5, parts: 1, sealed: sealed('b') } as const;
      expect(await recordings.updateFile({ ...grown, state: 'growing' })).toBe(true);
      expect((await recordings.growingFiles()).map((one) => one.fileId)).toEqual([fileId(1)]);
      expect(await recordings.updateFile({ ...grown, state: 'truncated' })).toBe(true);
      expect(await recordings.updateFile({ ...grown, state: 'whole', byteSize: 9 })).toBe(false);
      expect(await recordings.loadFile(fileId(1))).toMatchObject({
        state: 'truncated',
        byteSize: 5,
        parts: 1,
      });
      expect(await recordings.growingFiles()).toEqual([]);
      expect(await recordings.updateFile({ ...grown, fileId: fileId(9), state: 'whole' })).toBe(false);
      const { fileId: id } = grown;
      expect((await recordings.unmeasuredFiles(5)).map((one) => one.fileId)).toEqual([id]);
      expect(await recordings.measuredFile({ fileId: id, sealed: sealed('m') })).toBe(true);
      expect(await recordings.unmeasuredFiles(5)).toEqual([]);
      expect(plain(await recordings.loadFile(id))).toMatchObject({ sealed: 'm', state: 'truncated' });
      await recordings.createFile(newFile(2));
      expect(await recordings.measuredFile({ fileId: fileId(2), sealed: sealed('m') })).toBe(false);
      const erased = {
        recordingId: recordingId(1),
        state: 'erased',
        endedAt: 1,
        sealed: sealed('e'),
      } as const;
      expect(await recordings.halfErased(5)).toEqual([]);
      await recordings.updateRecording(erased, ['running']);
      expect((await recordings.halfErased(5)).map((one) => one.recordingId)).toEqual([recordingId(1)]);
      await recordings.removeFile(fileId(2));
      await recordings.removeFile(fileId(1));
      await recordings.removeFile(fileId(1));
      expect(await recordings.halfErased(5)).toEqual([]);
      expect(await recordings.loadFile(fileId(1))).toBeNull();
    });
  });
}
