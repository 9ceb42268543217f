import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as ids from '../../web/dev/mock-ids.ts';
import { MockRecords } from '../../web/dev/mock-records.ts';
import { beginDictation, finishDictation } from '../../web/state/dictation-flow.ts';
import { NoteDraft } from '../../web/state/note-draft.ts';

/** Longer than any pause after which a draft is saved. */
const LONG_MS = 30_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function draftOf(text = 'first') {
  const records = new MockRecords(ids.consultationId());
  const note = records.addNote({ purpose: 'summary', followUpId: null, text, audio: null });
  return { records, draft: new NoteDraft(records, note) };
}

const saves = (records: MockRecords): number => records.asked.filter((asked) => asked === 'saveNote').length;

describe('a draft that is written', () => {
  it('[WEB136] is saved by itself after a pause, and in writing without pause all the same, but not with each key', async () => {
    const { records, draft } = draftOf();
    draft.edit({ text: 'first, more' });
    expect(draft.state).toBe('unsaved');
    await vi.advanceTimersByTimeAsync(5000);
    expect(draft.state).toBe('saved');
    expect(records.notes[0]?.current.text).toBe('first, more');
    for (let key = 0; key < 25; key += 1) {
      draft.edit({ text: `typing ${key}` });
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(saves(records)).toBe(2);
    draft.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(records.notes[0]?.current.text).toBe('typing 24');
  });

  it('[WEB136] that could not be saved says so, keeps every word, and is tried again', async () => {
    const { records, draft } = draftOf();
    records.refusals.set('saveNote', 'DISCONNECTED');
    draft.edit({ text: 'words' });
    await vi.advanceTimersByTimeAsync(5000);
    expect([draft.state, draft.text]).toEqual(['failed', 'words']);
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(draft.state).toBe('saved');
    expect(records.notes[0]?.current.text).toBe('words');
  });

  it('[WEB136] what is written while it is being saved is saved as well', async () => {
    const { records, draft } = draftOf();
    draft.edit({ text: 'one' });
    const saving = draft.save();
    draft.edit({ text: 'one two' });
    await saving;
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(records.notes[0]?.current.text).toBe('one two');
  });
});

describe('a draft that another device saved', () => {
  async function conflict() {
    const held = draftOf();
    held.draft.edit({ text: 'mine' });
    held.records.saveElsewhere(held.draft.note.noteId, { text: 'theirs', audio: null });
    await held.draft.save();
    return held;
  }

  it('[WEB137] both texts are there, and nothing is saved until the person has chosen', async () => {
    const { records, draft } = await conflict();
    expect(draft.state).toBe('conflict');
    expect([draft.text, draft.theirs?.current.text]).toEqual(['mine', 'theirs']);
    draft.edit({ text: 'mine, more' });
    await vi.advanceTimersByTimeAsync(LONG_MS);
    expect(records.notes[0]?.current.text).toBe('theirs');
  });

  it.each([
    ['mine', 'mine'],
    ['theirs', 'theirs'],
    ['both', 'theirs\n\nmine'],
  ] as const)('[WEB137] chosen: %s', async (choice, text) => {
    const { records, draft } = await conflict();
    await draft.resolve(choice);
    expect(draft.state).toBe('saved');
    expect(draft.text).toBe(text);
    expect(records.notes[0]?.current.text).toBe(text);
  });

  it('[WEB137] while nothing is unsaved here, what the other device saved is simply shown', () => {
    const { records, draft } = draftOf();
    records.saveElsewhere(draft.note.noteId, { text: 'theirs', audio: null }, true);
    expect([draft.state, draft.text]).toEqual(['saved', 'theirs']);
  });

  it('[WEB137] a conflict that is told by an event does not overwrite what is unsaved', () => {
    const { records, draft } = draftOf();
    draft.edit({ text: 'mine' });
    records.saveElsewhere(draft.note.noteId, { text: 'theirs', audio: null }, true);
    expect([draft.state, draft.text, draft.theirs?.current.text]).toEqual(['conflict', 'mine', 'theirs']);
  });
});

describe('a dictation that is finished', () => {
  const of = () => new MockRecords(ids.consultationId());
  const finish = async (records: MockRecords, dictation: Awaited<ReturnType<typeof beginDictation>>) => {
    const finishing = finishDictation(records, dictation);
    await vi.advanceTimersByTimeAsync(1000);
    return finishing;
  };

  it('[WEB138] becomes a draft of its own, or the next version of the draft it was made for', async () => {
    const records = of();
    const first = await beginDictation(records, 'summary', { target: { kind: 'newNote' }, followUpId: null });
    const made = await finish(records, first);
    expect(made?.kind).toBe('note');
    const [note] = records.notes;
    expect(note?.current.audio?.recordingId).toBe(records.recordings[0]?.recordingId);
    const noteId = note?.noteId ?? '';
    const again = await beginDictation(records, 'summary', {
      target: { kind: 'draft', noteId },
      followUpId: null,
    });
    await finish(records, again);
    expect(records.notes).toHaveLength(1);
    expect(records.notes[0]?.current.version).toBe(2);
    expect(records.notes[0]?.current.audio?.recordingId).toBe(records.recordings[0]?.recordingId);
  });

  it('[WEB138] for a signed note it is not added before the person says so', async () => {
    const records = of();
    const note = records.addNote({ purpose: 'summary', followUpId: null, text: 'done', audio: null });
    await records.signNote(note);
    const target = { kind: 'addition', noteId: note.noteId } as const;
    const dictation = await beginDictation(records, 'summary', { target, followUpId: null });
    const made = await finish(records, dictation);
    expect(made).toMatchObject({ kind: 'addition', noteId: note.noteId });
    expect(records.notes).toHaveLength(1);
    expect(records.notes[0]?.additions).toEqual([]);
  });

  it('[WEB138] two presses finish it once', async () => {
    const records = of();
    const dictation = await beginDictation(records, 'summary', {
      target: { kind: 'newNote' },
      followUpId: null,
    });
    const both = Promise.all([finishDictation(records, dictation), finishDictation(records, dictation)]);
    await vi.advanceTimersByTimeAsync(1000);
    expect((await both).filter((made) => made !== null)).toHaveLength(1);
    expect(records.notes).toHaveLength(1);
  });
});
