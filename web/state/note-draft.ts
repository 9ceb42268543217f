import type { Records } from '@teleconsult/client-sdk/records';
import type { Note, NoteAudio } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { Changes } from './changes.ts';

/** A version for each pause in writing would fill the history: it is saved after this long a pause … */
const PAUSE_MS = 4_000;
/** … and in writing without pause this often. */
const AT_LEAST_EVERY_MS = 20_000;
const RETRY_MS = 8_000;

export type DraftState = 'saved' | 'unsaved' | 'saving' | 'failed' | 'conflict';

/**
 * A draft as it is being written, saved by itself. What another device saved meanwhile is never overwritten without the
 * person's word: both are kept until they have chosen.
 */
export class NoteDraft {
  readonly changes = new Changes();
  state: DraftState = 'saved';
  savedAt: number | null = null;
  /** What the other device saved; null without a conflict. */
  theirs: Note | null = null;
  text: string;
  audio: NoteAudio | null;
  #note: Note;
  readonly #records: Records;
  #unsavedSince: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> | null = null;
  readonly #stop: () => void;

  constructor(records: Records, note: Note) {
    this.#records = records;
    this.#note = note;
    this.text = note.current.text;
    this.audio = note.current.audio;
    this.#stop = records.on('notes', (notes) => this.#hear(notes));
  }

  /** The newest version that the server has of it, as far as is known. */
  get note(): Note {
    return this.#note;
  }

  get isEmpty(): boolean {
    return this.text.trim() === '' && this.audio === null;
  }

  edit(change: { readonly text?: string; readonly audio?: NoteAudio | null }): void {
    if (change.text !== undefined) this.text = change.text;
    if (change.audio !== undefined) this.audio = change.audio;
    if (this.state === 'conflict') return this.changes.announce();
    if (this.#isAsSaved && this.#saving === null) this.#become('saved');
    else {
      this.#unsavedSince ??= Date.now();
      if (this.state !== 'saving') this.state = 'unsaved';
      this.#saveIn(Math.min(PAUSE_MS, Math.max(0, this.#unsavedSince + AT_LEAST_EVERY_MS - Date.now())));
    }
    this.changes.announce();
  }

  /** Saves what is not saved. Resolves when it is, or is known not to be: `state` tells. */
  async save(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#saving !== null) await this.#saving;
    if (this.state === 'conflict' || this.#isAsSaved) return;
    this.#saving = this.#send().finally(() => {
      this.#saving = null;
    });
    await this.#saving;
  }

  /** After a conflict: `both` puts the other text before this one. */
  async resolve(choice: 'mine' | 'theirs' | 'both'): Promise<void> {
    const { theirs } = this;
    if (theirs === null) return;
    this.#note = theirs;
    this.theirs = null;
    this.state = 'unsaved';
    if (choice !== 'mine') {
      const { text, audio } = theirs.current;
      this.text =
        choice === 'theirs' ? text : [text, this.text].filter((part) => part.trim() !== '').join('\n\n');
      this.audio = choice === 'theirs' ? audio : (this.audio ?? audio);
    }
    if (this.#isAsSaved) this.#become('saved');
    else await this.save();
    this.changes.announce();
  }

  /** Sends what is left on its way out. */
  close(): void {
    void this.save().catch(() => undefined);
    clearTimeout(this.#timer);
    this.#stop();
  }

  get #isAsSaved(): boolean {
    const { text, audio } = this.#note.current;
    return text === this.text && isSameAudio(audio, this.audio);
  }

  #hear(notes: readonly Note[]): void {
    const found = notes.find(({ noteId }) => noteId === this.#note.noteId);
    if (found === undefined || found === this.#note || this.#saving !== null) return;
    const isNewer = found.current.version > this.#note.current.version || found.state !== this.#note.state;
    if (!isNewer) return;
    if (this.#isAsSaved && this.state !== 'conflict') {
      this.#note = found;
      this.text = found.current.text;
      this.audio = found.current.audio;
      this.#become('saved');
    } else this.#meet(found);
    this.changes.announce();
  }

  async #send(): Promise<void> {
    const content = { text: this.text, audio: this.audio };
    this.state = 'saving';
    this.changes.announce();
    try {
      this.#note = await this.#records.saveNote(this.#note, content);
      this.savedAt = Date.now();
      this.#become('saved');
      // Written on meanwhile.
      if (!this.#isAsSaved) this.edit({});
    } catch (error) {
      if (error instanceof AppError && (error.code === 'CONFLICT' || error.code === 'WRONG_STATE'))
        await this.#learnTheirs();
      else {
        this.state = 'failed';
        this.#saveIn(RETRY_MS);
      }
    }
    this.changes.announce();
  }

  async #learnTheirs(): Promise<void> {
    try {
      await this.#records.load();
    } catch {
      // Without it the conflict cannot be shown; saving is tried again and meets it again.
    }
    const found = this.#records.notes.find(({ noteId }) => noteId === this.#note.noteId);
    if (found === undefined || found.current.version === this.#note.current.version) {
      this.state = 'failed';
      this.#saveIn(RETRY_MS);
    } else this.#meet(found);
  }

  #meet(theirs: Note): void {
    clearTimeout(this.#timer);
    if (theirs.current.text === this.text && isSameAudio(theirs.current.audio, this.audio)) {
      this.#note = theirs;
      this.#become('saved');
      return;
    }
    this.theirs = theirs;
    this.state = 'conflict';
  }

  #become(state: 'saved'): void {
    clearTimeout(this.#timer);
    this.#unsavedSince = null;
    this.state = state;
  }

  #saveIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.save(), ms);
  }
}

const isSameAudio = (a: NoteAudio | null, b: NoteAudio | null): boolean =>
  a?.recordingId === b?.recordingId && a?.startMs === b?.startMs && a?.endMs === b?.endMs;
