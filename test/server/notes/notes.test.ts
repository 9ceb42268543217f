import {
  AppError,
  FollowUpId,
  MAX_NOTE_VERSIONS,
  MAX_NOTES,
  type NoteAudio,
  type PersonId,
  RecordingId,
} from '@teleconsult/protocol';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { createLog } from '@teleconsult/server/log';
import { Notes } from '@teleconsult/server/notes/notes';
import { MemoryNotes } from '@teleconsult/server/storage/memory/memory-notes';
import { expect, test } from 'vitest';
import { colleague, doctor, FakeVisit, interpreter, patient, stranger, VISIT } from './fake-visit.ts';

const followUpId = FollowUpId.parse(`fup_${'F'.repeat(22)}`);
const dictation = (letter: string) => RecordingId.parse(`rec_${letter.repeat(22)}`);
const audio = (letter: string): NoteAudio => ({ recordingId: dictation(letter), startMs: 0, endMs: null });

function room(visit = new FakeVisit(), store = new MemoryNotes()) {
  const erased: string[] = [];
  const results = new Set<string>();
  /** What erasing fails with next. */
  const failing: Error[] = [];
  const logs: string[] = [];
  const notes = new Notes({
    notes: store,
    host: visit.host,
    ids: randomIds,
    clock: visit.clock,
    log: createLog({ level: 'info', destination: { write: (line) => void logs.push(line) } }),
    publisher: visit.publisher,
    checkAudio: async ({ startMs, recordingId }) => {
      if (erased.includes(recordingId)) throw new AppError('WRONG_STATE');
      if (startMs > 60_000) throw new RangeError('beyond its end');
    },
    eraseDictation: async (_id, recordingId) => {
      const failure = failing.shift();
      if (failure !== undefined) throw failure;
      erased.push(recordingId);
    },
    hasFollowUp: async (_id, id) => id === followUpId,
    isResult: async (_id, noteId) => results.has(noteId),
  });
  return { visit, store, notes, erased, failing, results, logs };
}

let made = 0;
const draft = (notes: Notes, change: object = {}, by: PersonId = doctor) =>
  notes.create(by, {
    consultationId: VISIT,
    clientNoteId: `client-${++made}`,
    purpose: 'summary',
    text: 'first words',
    audio: null,
    ...change,
  });

const codeOf = (failing: Promise<unknown>): Promise<string> =>
  failing.then(
    () => 'ok',
    (error: AppError) => error.code ?? String(error),
  );

async function signed(notes: Notes, change: object = {}) {
  const { note } = await draft(notes, change);
  return (await notes.sign(doctor, { consultationId: VISIT, noteId: note.noteId, version: 1 })).note;
}

test('[NOTE11] a save makes a further version, and the versions before it stay', async () => {
  const { notes } = room();
  const { note } = await draft(notes);
  const place = { consultationId: VISIT, noteId: note.noteId };
  await notes.save(doctor, { ...place, from: 1, text: 'second', audio: null });
  const saved = await notes.save(doctor, { ...place, from: 2, text: 'third', audio: audio('A') });
  expect(saved.note).toMatchObject({
    state: 'draft',
    current: { version: 3, text: 'third', audio: audio('A') },
  });
  const { versions } = await notes.history(doctor, place);
  expect(versions.map(({ version, text }) => [version, text])).toEqual([
    [1, 'first words'],
    [2, 'second'],
    [3, 'third'],
  ]);
});

test('[NOTE12] of two devices that save from the same version one is told of the conflict, and nothing is lost', async () => {
  const { notes } = room();
  const { note } = await draft(notes);
  const save = (text: string) =>
    codeOf(notes.save(doctor, { consultationId: VISIT, noteId: note.noteId, from: 1, text, audio: null }));
  expect((await Promise.all([save('from the desk'), save('from the phone')])).sort()).toEqual([
    'CONFLICT',
    'ok',
  ]);
  expect(await save('later')).toBe('CONFLICT');
  expect((await notes.history(doctor, { consultationId: VISIT, noteId: note.noteId })).versions).toHaveLength(
    2,
  );
});

test('[NOTE13] saying the same again changes nothing: creating, saving, signing and adding', async () => {
  const { notes, visit } = room();
  const wish = { clientNoteId: 'client-same' };
  const { note } = await draft(notes, wish);
  expect((await draft(notes, wish)).note.noteId).toBe(note.noteId);
  expect(await codeOf(draft(notes, { ...wish, text: 'other words' }))).toBe('CONFLICT');
  const place = { consultationId: VISIT, noteId: note.noteId };
  for (let time = 0; time < 2; time++)
    expect(
      (await notes.save(doctor, { ...place, from: 1, text: 'second', audio: null })).note.current.version,
    ).toBe(2);
  expect(
    (await notes.save(doctor, { ...place, from: 2, text: 'second', audio: null })).note.current.version,
  ).toBe(2);
  for (let time = 0; time < 3; time++) await notes.sign(doctor, { ...place, version: 2 });
  const addition = { ...place, clientNoteId: 'addition-1', text: 'more', audio: null };
  const added = await Promise.all([notes.add(doctor, addition), notes.add(doctor, addition)]);
  expect(added.map(({ note: { additions } }) => additions.length)).toEqual([1, 1]);
  expect(await codeOf(notes.add(doctor, { ...addition, text: 'other' }))).toBe('CONFLICT');
  expect(visit.entries.map(({ kind }) => kind)).toEqual(['note.signed', 'note.added']);
});

test('[NOTE14] a signed note cannot be changed, signed anew or thrown away, only added to', async () => {
  const { notes } = room();
  const note = await signed(notes);
  expect(note).toMatchObject({ state: 'signed', signedAt: expect.any(Number) });
  const place = { consultationId: VISIT, noteId: note.noteId };
  expect(await codeOf(notes.save(doctor, { ...place, from: 1, text: 'changed', audio: null }))).toBe(
    'WRONG_STATE',
  );
  expect(await codeOf(notes.sign(doctor, { ...place, version: 2 }))).toBe('CONFLICT');
  expect(await codeOf(notes.discard(doctor, place))).toBe('WRONG_STATE');
  await notes.add(doctor, { ...place, clientNoteId: 'addition-1', text: 'one more thing', audio: null });
  await notes.add(doctor, { ...place, clientNoteId: 'addition-2', text: '', audio: audio('B') });
  const [listed] = (await notes.list(patient, VISIT)).notes;
  expect(listed).toMatchObject({
    current: { version: 1, text: 'first words' },
    additions: [
      { version: 1, text: 'one more thing' },
      { version: 2, audio: audio('B') },
    ],
  });
});

test('[NOTE15] only the newest version is signed, and only when it says something', async () => {
  const { notes } = room();
  const { note } = await draft(notes, { text: ' ' });
  const place = { consultationId: VISIT, noteId: note.noteId };
  expect(await codeOf(notes.sign(doctor, { ...place, version: 1 }))).toBe('WRONG_STATE');
  await notes.save(doctor, { ...place, from: 1, text: '', audio: audio('A') });
  expect(await codeOf(notes.sign(doctor, { ...place, version: 1 }))).toBe('CONFLICT');
  expect(await codeOf(notes.sign(doctor, { ...place, version: 2 }))).toBe('ok');
});

test('[NOTE16] a draft is its author’s alone; a signed note is read by patient, doctor and colleague', async () => {
  const { notes } = room();
  const { note } = await draft(notes);
  const place = { consultationId: VISIT, noteId: note.noteId };
  const readers = async () =>
    Object.fromEntries(
      await Promise.all(
        [doctor, patient, colleague, interpreter].map(
          async (by) => [by, (await notes.list(by, VISIT)).notes.length] as const,
        ),
      ),
    );
  expect(await readers()).toEqual({ [doctor]: 1, [patient]: 0, [colleague]: 0, [interpreter]: 0 });
  for (const by of [patient, colleague, interpreter])
    expect(await codeOf(notes.history(by, place))).toBe('NOT_FOUND');
  await notes.sign(doctor, { ...place, version: 1 });
  expect(await readers()).toEqual({ [doctor]: 1, [patient]: 1, [colleague]: 1, [interpreter]: 0 });
  expect(await codeOf(notes.history(patient, place))).toBe('FORBIDDEN');
  expect(await codeOf(notes.history(interpreter, place))).toBe('NOT_FOUND');
  expect(await codeOf(notes.list(stranger, VISIT))).toBe('NOT_FOUND');
});

test('[NOTE17] nobody but the doctor of a visit that has begun writes, whichever way they ask', async () => {
  const { notes, visit } = room();
  const { note } = await draft(notes);
  const place = { consultationId: VISIT, noteId: note.noteId };
  const tries = (by: PersonId) => [
    draft(notes, {}, by),
    notes.save(by, { ...place, from: 1, text: 'x', audio: null }),
    notes.sign(by, { ...place, version: 1 }),
    notes.add(by, { ...place, clientNoteId: 'addition-1', text: 'x', audio: null }),
    notes.discard(by, place),
  ];
  for (const by of [patient, colleague, interpreter])
    for (const code of await Promise.all(tries(by).map(codeOf)))
      expect(code).toMatch(/^(FORBIDDEN|NOT_FOUND)$/);
  expect(new Set(await Promise.all(tries(stranger).map(codeOf)))).toEqual(new Set(['NOT_FOUND']));
  visit.phase = 'waiting';
  expect(await codeOf(draft(notes))).toBe('WRONG_STATE');
  visit.phase = 'ended';
  expect(await codeOf(draft(notes))).toBe('ok');
  visit.kind = 'colleagues';
  expect(await codeOf(draft(notes))).toBe('FORBIDDEN');
});

test('[NOTE18] the note of a follow-up names one that there is', async () => {
  const { notes } = room();
  const other = FollowUpId.parse(`fup_${'G'.repeat(22)}`);
  expect(await codeOf(draft(notes, { purpose: 'follow_up' }))).toBe('INVALID');
  expect(await codeOf(draft(notes, { followUpId }))).toBe('INVALID');
  expect(await codeOf(draft(notes, { purpose: 'follow_up', followUpId: other }))).toBe('NOT_FOUND');
  const note = await signed(notes, { purpose: 'follow_up', followUpId });
  expect(note).toMatchObject({ purpose: 'follow_up', followUpId });
});

test('[NOTE19] the dictation of a note is checked before it is saved', async () => {
  const { notes } = room();
  await expect(draft(notes, { audio: { ...audio('A'), startMs: 60_001 } })).rejects.toThrow('beyond its end');
  const { note } = await draft(notes);
  const save = { consultationId: VISIT, noteId: note.noteId, from: 1, text: '' };
  await expect(notes.save(doctor, { ...save, audio: { ...audio('A'), startMs: 60_001 } })).rejects.toThrow(
    'beyond its end',
  );
});

test('[NOTE20] a draft that is thrown away takes the dictations along that no other note holds', async () => {
  const { notes, erased } = room();
  const { note } = await draft(notes, { audio: audio('A') });
  const place = { consultationId: VISIT, noteId: note.noteId };
  await notes.save(doctor, { ...place, from: 1, text: '', audio: audio('B') });
  await signed(notes, { audio: audio('B') });
  await notes.discard(doctor, place);
  expect(erased).toEqual([dictation('A')]);
  expect(await notes.isHeld(VISIT, dictation('B'))).toBe(true);
  expect(await notes.isHeld(VISIT, dictation('A'))).toBe(false);
  expect(await codeOf(notes.discard(doctor, place))).toBe('ok');
});

test('[NOTE27] a draft that a follow-up names as its result stays', async () => {
  const { notes, results, erased } = room();
  const { note } = await draft(notes, { purpose: 'follow_up', followUpId, audio: audio('A') });
  const place = { consultationId: VISIT, noteId: note.noteId };
  results.add(note.noteId);
  expect(await codeOf(notes.discard(doctor, place))).toBe('WRONG_STATE');
  expect(erased).toEqual([]);
  results.clear();
  expect(await codeOf(notes.discard(doctor, place))).toBe('ok');
});

test('[NOTE21] a dictation that a later version replaced before signing is not held by the note', async () => {
  const { notes } = room();
  const { note } = await draft(notes, { audio: audio('A') });
  const place = { consultationId: VISIT, noteId: note.noteId };
  await notes.save(doctor, { ...place, from: 1, text: '', audio: audio('B') });
  await notes.sign(doctor, { ...place, version: 2 });
  await notes.add(doctor, { ...place, clientNoteId: 'addition-1', text: '', audio: audio('C') });
  const held = await Promise.all(['A', 'B', 'C'].map((letter) => notes.isHeld(VISIT, dictation(letter))));
  expect(held).toEqual([false, true, true]);
});

test.each(['before', 'after'] as const)(
  '[NOTE22] the thread tells of a signing exactly once, also when the server dies %s it is written',
  async (fate) => {
    const { notes, visit, store } = room();
    const { note } = await draft(notes);
    const place = { consultationId: VISIT, noteId: note.noteId };
    visit.fates.push(fate);
    expect(await codeOf(notes.sign(doctor, { ...place, version: 1 }))).toBe('STORAGE_UNAVAILABLE');
    visit.chatter(450);
    await room(visit, store).notes.tellWhatIsNotTold();
    await room(visit, store).notes.tellWhatIsNotTold();
    visit.fates.push(fate);
    const addition = { ...place, clientNoteId: 'addition-1', text: 'more', audio: null };
    expect(await codeOf(notes.add(doctor, addition))).toBe('STORAGE_UNAVAILABLE');
    visit.chatter(10);
    await room(visit, store).notes.tellWhatIsNotTold();
    expect(await codeOf(notes.add(doctor, addition))).toBe('ok');
    const told = visit.entries.filter(({ kind }) => kind.startsWith('note.'));
    expect(told.map(({ kind }) => kind)).toEqual(['note.signed', 'note.added']);
    expect(told).toMatchObject([{ by: doctor, noteId: note.noteId }, { addition: 1 }]);
    expect(await store.unannounced()).toEqual([]);
  },
);

test('[NOTE23] notes, versions and additions are bounded', async () => {
  const { notes } = room();
  const { note } = await draft(notes);
  const place = { consultationId: VISIT, noteId: note.noteId };
  for (let from = 1; from < MAX_NOTE_VERSIONS; from++)
    await notes.save(doctor, { ...place, from, text: `text ${from}`, audio: null });
  const beyond = { ...place, from: MAX_NOTE_VERSIONS, text: 'one more', audio: null };
  expect(await codeOf(notes.save(doctor, beyond))).toBe('WRONG_STATE');
  for (let count = 1; count < MAX_NOTES; count++) await draft(notes);
  expect(await codeOf(draft(notes))).toBe('WRONG_STATE');
});

test('[NOTE24] what is written stands neither in the store nor in the log', async () => {
  const { notes, store, logs } = room();
  const note = await signed(notes, { text: 'canary-text-77' });
  await notes.add(doctor, {
    consultationId: VISIT,
    noteId: note.noteId,
    clientNoteId: 'addition-1',
    text: 'canary-text-78',
    audio: null,
  });
  const stored = JSON.stringify(
    [await store.notesOf(VISIT), await store.versionsOf(note.noteId)],
    (_key, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value),
  );
  expect(stored).not.toContain('canary-text');
  expect(logs.join()).not.toContain('canary-text');
  expect(logs.join()).toContain('note.signed');
});

test('[NOTE25] the author’s other devices are told that notes changed, nobody else before they are signed', async () => {
  const { notes, visit } = room();
  const { note } = await draft(notes);
  await notes.save(doctor, { consultationId: VISIT, noteId: note.noteId, from: 1, text: 'x', audio: null });
  expect(visit.told).toEqual([`note.changed to ${doctor}`, `note.changed to ${doctor}`]);
});

test('[NOTE13] a note that was made is answered again, also when there is room for no other', async () => {
  const { notes } = room();
  const wish = { clientNoteId: 'client-full' };
  const { note } = await draft(notes, wish);
  for (let count = 1; count < MAX_NOTES; count++) await draft(notes);
  expect((await draft(notes, wish)).note.noteId).toBe(note.noteId);
  expect(await codeOf(draft(notes, { ...wish, text: 'other words' }))).toBe('CONFLICT');
  expect(await codeOf(draft(notes))).toBe('WRONG_STATE');
});

test('[NOTE13] of two different additions of one name, said at once, the second is told that it was not added', async () => {
  const { notes } = room();
  const { noteId } = await signed(notes);
  const addition = { consultationId: VISIT, noteId, clientNoteId: 'addition-1', audio: null };
  const codes = await Promise.all(
    ['one', 'another'].map((text) => codeOf(notes.add(doctor, { ...addition, text }))),
  );
  expect(codes.sort()).toEqual(['CONFLICT', 'ok']);
});

test('[NOTE20] what could not be erased with a draft is erased when throwing it away is said again', async () => {
  const { notes, erased, failing } = room();
  const { note } = await draft(notes, { audio: audio('A') });
  const place = { consultationId: VISIT, noteId: note.noteId };
  failing.push(new Error('the disk'));
  expect(await codeOf(notes.discard(doctor, place))).not.toBe('ok');
  expect(await codeOf(notes.discard(doctor, place))).toBe('ok');
  expect(erased).toEqual([dictation('A')]);
});

test('[NOTE20] a dictation that comes into a draft as it is thrown away goes with it', async () => {
  for (let turns = 0; turns < 40; turns++) {
    const { notes, store, erased } = room();
    const { note } = await draft(notes, { audio: audio('A') });
    const place = { consultationId: VISIT, noteId: note.noteId };
    const addVersion = store.addVersion.bind(store);
    let taken = false;
    store.addVersion = async (version) => {
      taken = await addVersion(version);
      return taken;
    };
    const saved = codeOf(notes.save(doctor, { ...place, from: 1, text: '', audio: audio('B') }));
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await notes.discard(doctor, place);
    await saved;
    expect(erased).toEqual(taken ? [dictation('A'), dictation('B')] : [dictation('A')]);
  }
});

test('[NOTE20] no draft takes up a dictation that is thrown away with another at the same moment', async () => {
  for (let turns = 0; turns < 60; turns++) {
    const { notes, erased } = room();
    const { note } = await draft(notes, { audio: audio('A') });
    const thrown = notes.discard(doctor, { consultationId: VISIT, noteId: note.noteId });
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    const taken = await codeOf(draft(notes, { audio: audio('A') }));
    await thrown;
    expect([taken, erased.length]).toEqual(taken === 'ok' ? ['ok', 0] : ['WRONG_STATE', 1]);
  }
});

test('[NOTE21] what signed notes hold is read once, and again after an addition', async () => {
  const { notes, store } = room();
  const note = await signed(notes, { audio: audio('A') });
  const versionsOf = store.versionsOf.bind(store);
  let reads = 0;
  store.versionsOf = async (noteId) => {
    reads += 1;
    return versionsOf(noteId);
  };
  const letters = ['A', 'B', 'C', 'D', 'E'];
  const held = () => Promise.all(letters.map((letter) => notes.isHeld(VISIT, dictation(letter))));
  expect(await held()).toEqual([true, false, false, false, false]);
  expect(reads).toBe(1);
  const addition = { consultationId: VISIT, noteId: note.noteId, clientNoteId: 'addition-1', text: '' };
  await notes.add(doctor, { ...addition, audio: audio('B') });
  expect(await held()).toEqual([true, true, false, false, false]);
});
