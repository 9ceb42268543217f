import type { ConsultationId, NoteId } from '@teleconsult/protocol';
import type { NoteStore, StoredNote, StoredNoteVersion } from '../../notes/ports.ts';

interface Held {
  note: StoredNote;
  readonly versions: StoredNoteVersion[];
}

/** Notes in memory, gone with the process: for tests and for trying things out. */
export class MemoryNotes implements NoteStore {
  readonly #held = new Map<NoteId, Held>();

  async createNote(note: StoredNote, first: StoredNoteVersion) {
    const { consultationId, author, clientId } = note;
    for (const { note: other } of this.#held.values())
      if (other.consultationId === consultationId && other.author === author && other.clientId === clientId)
        return { created: false, note: structuredClone(other) };
    if (this.#held.has(note.noteId)) throw new Error('There is a note of this id.');
    this.#held.set(note.noteId, { note: structuredClone(note), versions: [structuredClone(first)] });
    return { created: true, note: structuredClone(note) };
  }

  async loadNote(noteId: NoteId): Promise<StoredNote | null> {
    return structuredClone(this.#held.get(noteId)?.note ?? null);
  }

  async notesOf(consultationId: ConsultationId): Promise<readonly StoredNote[]> {
    return [...this.#held.values()]
      .map(({ note }) => structuredClone(note))
      .filter((note) => note.consultationId === consultationId)
      .sort((a, b) => a.createdAt - b.createdAt || (a.noteId < b.noteId ? -1 : 1));
  }

  async versionsOf(noteId: NoteId): Promise<readonly StoredNoteVersion[]> {
    const versions = structuredClone(this.#held.get(noteId)?.versions ?? []);
    return [
      ...versions.filter(({ kind }) => kind === 'version'),
      ...versions.filter(({ kind }) => kind === 'addition'),
    ];
  }

  async addVersion(version: StoredNoteVersion): Promise<boolean> {
    const held = this.#held.get(version.noteId);
    if (held?.note.state !== (version.kind === 'version' ? 'draft' : 'signed')) return false;
    const same = held.versions.filter(({ kind }) => kind === version.kind);
    if (version.number !== same.length + 1) return false;
    if (version.clientId !== null && same.some(({ clientId }) => clientId === version.clientId)) return false;
    held.versions.push(structuredClone(version));
    return true;
  }

  async signNote(noteId: NoteId, version: number, sealed: Uint8Array): Promise<boolean> {
    const held = this.#held.get(noteId);
    if (held?.note.state !== 'draft' || held.versions.length !== version) return false;
    held.note = { ...held.note, state: 'signed', sealed: structuredClone(sealed) };
    return true;
  }

  async removeDraft(noteId: NoteId): Promise<boolean> {
    return this.#held.get(noteId)?.note.state === 'draft' && this.#held.delete(noteId);
  }

  async unannounced(): Promise<readonly StoredNote[]> {
    return [...this.#held.values()]
      .filter(({ note, versions }) => {
        const additions = versions.filter(({ kind }) => kind === 'addition').length;
        return note.state === 'signed' && note.announced < 1 + additions;
      })
      .map(({ note }) => structuredClone(note));
  }

  async markAnnounced(noteId: NoteId, announced: number): Promise<void> {
    const held = this.#held.get(noteId);
    if (held !== undefined && held.note.announced < announced) held.note = { ...held.note, announced };
  }
}
