/** What every adapter of the note store keeps. */
import { NoteId } from '@teleconsult/protocol';
import type { ConsultationStore } from '@teleconsult/server/host/ports';
import type { NoteStore, StoredNote, StoredNoteVersion } from '@teleconsult/server/notes/ports';
import { describe, expect, test } from 'vitest';
import { consultationId, newConsultation, person, plain, sealed } from './store.fixtures.ts';

export interface NotesUnderTest extends AsyncDisposable {
  readonly notes: NoteStore;
  /** Where notes lie beside consultations that must be there. */
  readonly consultations: ConsultationStore | null;
}

const id = (number: number) => NoteId.parse(`not_${String(number).padStart(22, '0')}`);
const doctor = person('doctor');

const note = (number: number, change: Partial<StoredNote> = {}): StoredNote => ({
  noteId: id(number),
  consultationId: consultationId(1),
  author: doctor,
  clientId: `client-${number}`,
  createdAt: 1_000 + number,
  state: 'draft',
  announced: 0,
  sealed: sealed(`note ${number}`),
  ...change,
});

const version = (
  noteId: NoteId,
  number: number,
  change: Partial<StoredNoteVersion> = {},
): StoredNoteVersion => ({
  noteId,
  kind: 'version',
  number,
  at: 2_000 + number,
  by: doctor,
  clientId: null,
  sealed: sealed(`version ${number}`),
  ...change,
});

const addition = (noteId: NoteId, number: number): StoredNoteVersion =>
  version(noteId, number, { kind: 'addition', clientId: `addition-${number}` });

export function noteStoreContract(adapter: string, open: () => Promise<NotesUnderTest>): void {
  const opened = async (): Promise<NotesUnderTest> => {
    const under = await open();
    await under.consultations?.create(newConsultation(1));
    return under;
  };

  describe(`the note store: ${adapter}`, () => {
    test('[NOTE6] a note comes with its first version, once for each id of its author', async () => {
      await using under = await opened();
      const { notes } = under;
      expect((await notes.createNote(note(1), version(id(1), 1))).created).toBe(true);
      const again = await notes.createNote(note(2, { clientId: 'client-1' }), version(id(2), 1));
      expect(plain(again)).toEqual(plain({ created: false, note: note(1) }));
      expect(await notes.loadNote(id(2))).toBeNull();
      expect(plain(await notes.versionsOf(id(1)))).toEqual(plain([version(id(1), 1)]));
      const other = note(2, { clientId: 'client-1', author: person('other') });
      expect((await notes.createNote(other, version(id(2), 1))).created).toBe(true);
      expect((await notes.notesOf(consultationId(1))).map(({ noteId }) => noteId)).toEqual([id(1), id(2)]);
    });

    test('[NOTE7] versions are numbered on and never overwritten: of many at once one is taken', async () => {
      await using under = await opened();
      const { notes } = under;
      await notes.createNote(note(1), version(id(1), 1));
      const taken = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          notes.addVersion(version(id(1), 2, { sealed: sealed(`device ${index}`) })),
        ),
      );
      expect(taken.filter(Boolean)).toHaveLength(1);
      expect(await notes.addVersion(version(id(1), 2))).toBe(false);
      expect(await notes.addVersion(version(id(1), 4))).toBe(false);
      expect(await notes.addVersion(addition(id(1), 1))).toBe(false);
      expect((await notes.versionsOf(id(1))).map(({ number }) => number)).toEqual([1, 2]);
    });

    test('[NOTE8] the newest version alone is signed; then only additions come', async () => {
      await using under = await opened();
      const { notes } = under;
      await notes.createNote(note(1), version(id(1), 1));
      await notes.addVersion(version(id(1), 2));
      expect(await notes.signNote(id(1), 1, sealed('signed'))).toBe(false);
      expect(await notes.signNote(id(1), 2, sealed('signed'))).toBe(true);
      expect(await notes.signNote(id(1), 2, sealed('again'))).toBe(false);
      expect(await notes.addVersion(version(id(1), 3))).toBe(false);
      expect(await notes.removeDraft(id(1))).toBe(false);
      expect(plain(await notes.loadNote(id(1)))).toEqual(
        plain(note(1, { state: 'signed', sealed: sealed('signed') })),
      );
      expect(await notes.addVersion(addition(id(1), 1))).toBe(true);
      expect(await notes.addVersion({ ...addition(id(1), 2), clientId: 'addition-1' })).toBe(false);
      expect(await notes.addVersion(addition(id(1), 2))).toBe(true);
      expect((await notes.versionsOf(id(1))).map(({ kind, number }) => `${kind} ${number}`)).toEqual([
        'version 1',
        'version 2',
        'addition 1',
        'addition 2',
      ]);
    });

    test('[NOTE9] a draft is removed with its versions', async () => {
      await using under = await opened();
      const { notes } = under;
      await notes.createNote(note(1), version(id(1), 1));
      expect(await notes.removeDraft(id(1))).toBe(true);
      expect(await notes.removeDraft(id(1))).toBe(false);
      expect(await notes.loadNote(id(1))).toBeNull();
      expect(await notes.versionsOf(id(1))).toEqual([]);
    });

    test('[NOTE10] what the thread does not tell yet is found until it is marked, and marks never fall', async () => {
      await using under = await opened();
      const { notes } = under;
      const waiting = async () => (await notes.unannounced()).map(({ announced }) => announced);
      await notes.createNote(note(1), version(id(1), 1));
      expect(await waiting()).toEqual([]);
      await notes.signNote(id(1), 1, sealed('signed'));
      expect(await waiting()).toEqual([0]);
      await notes.markAnnounced(id(1), 1);
      expect(await waiting()).toEqual([]);
      await notes.addVersion(addition(id(1), 1));
      await notes.markAnnounced(id(1), 0);
      expect(await waiting()).toEqual([1]);
      await notes.markAnnounced(id(1), 2);
      expect(await waiting()).toEqual([]);
    });
  });
}
