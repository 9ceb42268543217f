import type { Entry, NoteId } from '@teleconsult/protocol';
import type { ConsultationHost } from '../host/host.ts';
import type { NoteStore, StoredNote, StoredNoteVersion } from './ports.ts';
import { openNoteFacts } from './sealed-note.ts';

const PAGE = 200;

export interface AnnouncementsParts {
  readonly notes: NoteStore;
  readonly host: Pick<ConsultationHost, 'sealing' | 'thread' | 'submit'>;
}

/**
 * Tells the thread of signed notes and of additions, each exactly once. A note is signed first and told then; a server
 * that dies in between, or between telling and remembering it, looks into the thread before it tells again.
 */
export class Announcements {
  readonly #parts: AnnouncementsParts;
  /** One after the other for a note. */
  readonly #running = new Map<NoteId, Promise<void>>();

  constructor(parts: AnnouncementsParts) {
    this.#parts = parts;
  }

  /** Tells what the thread does not tell yet. */
  async tell(noteId: NoteId): Promise<void> {
    const before = this.#running.get(noteId);
    const telling = (async () => {
      await before?.catch(() => undefined);
      await this.#tellNow(noteId);
    })();
    this.#running.set(noteId, telling);
    try {
      await telling;
    } finally {
      if (this.#running.get(noteId) === telling) this.#running.delete(noteId);
    }
  }

  async #tellNow(noteId: NoteId): Promise<void> {
    const { notes, host } = this.#parts;
    const note = await notes.loadNote(noteId);
    if (note?.state !== 'signed') return;
    const versions = await notes.versionsOf(noteId);
    const additions = versions.filter(({ kind }) => kind === 'addition');
    const { key } = await host.sealing(note.consultationId, null);
    const { purpose, followUpId, signedAt } = openNoteFacts(key, note);
    for (let told = note.announced; told <= additions.length; told++) {
      const addition = additions[told - 1];
      const since = addition?.at ?? signedAt ?? 0;
      if (!(await this.#isTold(note, told, since)))
        await host.submit(
          note.consultationId,
          told === 0
            ? { type: 'note.signed', author: note.author, noteId, purpose, ...(followUpId && { followUpId }) }
            : { type: 'note.added', author: byOf(note, addition), noteId, addition: told },
        );
      await notes.markAnnounced(noteId, told + 1);
    }
  }

  /** Reads back to when it can have been told first. */
  async #isTold({ noteId, consultationId }: StoredNote, told: number, since: number): Promise<boolean> {
    const { host } = this.#parts;
    let before: number | undefined;
    for (;;) {
      const { entries, hasMore } = await host.thread(consultationId, null, {
        ...(before !== undefined && { beforeSequence: before }),
        limit: PAGE,
      });
      if (entries.some((entry) => tells(entry, noteId, told))) return true;
      const [oldest] = entries;
      if (oldest === undefined || !hasMore || oldest.at < since) return false;
      before = oldest.sequence;
    }
  }
}

const byOf = (note: StoredNote, addition: StoredNoteVersion | undefined) => addition?.by ?? note.author;

const tells = (entry: Entry, noteId: NoteId, told: number): boolean =>
  told === 0
    ? entry.kind === 'note.signed' && entry.noteId === noteId
    : entry.kind === 'note.added' && entry.noteId === noteId && entry.addition === told;
