import { setImmediate as turn } from 'node:timers/promises';
import {
  AppError,
  type ConsultationId,
  type FollowUpId,
  MAX_CLIPS,
  MAX_NOTE_VERSIONS,
  MAX_NOTES,
  type Note,
  type NoteAudio,
  type NoteId,
  type PersonId,
  type RecordingId,
  type RequestPayload,
  type RequestResult,
} from '@teleconsult/protocol';
import { canonical } from '../host/entry-codec.ts';
import type { ConsultationHost } from '../host/host.ts';
import type { Clock, IdGenerator, Log, Publisher } from '../host/ports.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import { Announcements } from './announcements.ts';
import { dictationsOf, HeldDictations } from './held-dictations.ts';
import { mayRead, requirePurpose, requireWriter, roleOf } from './note-readers.ts';
import type { NoteStore, StoredNote, StoredNoteVersion } from './ports.ts';
import {
  type NoteContent,
  openNote,
  openNoteFacts,
  openVersion,
  sealNoteFacts,
  sealVersion,
} from './sealed-note.ts';
import { SerialBy } from './serial-by.ts';

/** Changes of the drafts of one consultation that may wait for each other. */
const WAITING = 64;

export interface NotesParts {
  readonly notes: NoteStore;
  readonly host: Pick<ConsultationHost, 'view' | 'sealing' | 'thread' | 'submit'>;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly log: Log;
  readonly publisher: Pick<Publisher, 'toPerson'>;
  /** @throws AppError when this author has no such dictation, or it is not finished or not as long */
  readonly checkAudio: (
    audio: NoteAudio,
    of: { consultationId: ConsultationId; author: PersonId },
  ) => Promise<void>;
  /** Erases a dictation that no note holds any more. @throws AppError WRONG_STATE when a note that holds it was signed meanwhile */
  readonly eraseDictation: (consultationId: ConsultationId, recordingId: RecordingId) => Promise<void>;
  readonly hasFollowUp: (consultationId: ConsultationId, followUpId: FollowUpId) => Promise<boolean>;
  /** Whether a completed follow-up names this note as its result. */
  readonly isResult: (consultationId: ConsultationId, noteId: NoteId) => Promise<boolean>;
}

interface Draft extends NoteContent {
  readonly noteId: NoteId;
}

/**
 * What doctors record about visits. No version is ever overwritten: a save adds one, made from the one its author saw. A
 * draft is its author's alone; a signed note is the visit's and never changes, only grows additions.
 */
export class Notes {
  readonly #parts: NotesParts;
  readonly #announcements: Announcements;
  /**
   * Drafts of a consultation change in turn: what one of them held is not given up while another takes it up. Signing
   * needs none, and must not wait for one: while a note is signed nothing is erased, which throwing away waits for.
   */
  readonly #turns = new SerialBy<ConsultationId>(WAITING);
  readonly #held: HeldDictations;

  constructor(parts: NotesParts) {
    this.#parts = parts;
    this.#announcements = new Announcements(parts);
    this.#held = new HeldDictations(parts);
  }

  /**
   * Tells the thread what a server that died, or a store that failed, left untold, also when the device that signed does
   * not ask again. Bounded by what was being signed at that moment.
   */
  async tellWhatIsNotTold(): Promise<void> {
    for (const { noteId, consultationId } of await this.#parts.notes.unannounced())
      await this.#announcements.tell(noteId).catch((error: unknown) => {
        this.#parts.log.error('note.notTold', { consultation: consultationId, error });
      });
  }

  async list(by: PersonId, consultationId: ConsultationId): Promise<RequestResult<'note.list'>> {
    const { notes, host } = this.#parts;
    const view = await host.view(consultationId, by);
    const { key } = await host.sealing(consultationId, by);
    const readable = (await notes.notesOf(consultationId)).filter((note) => mayRead(view, note, by));
    return {
      notes: await Promise.all(
        readable.map(async (note) => openNote(key, note, await notes.versionsOf(note.noteId))),
      ),
    };
  }

  async history(
    by: PersonId,
    { consultationId, noteId }: RequestPayload<'note.history'>,
  ): Promise<RequestResult<'note.history'>> {
    const { notes, host } = this.#parts;
    const { note, key } = await this.#readable(by, consultationId, noteId);
    const role = roleOf(await host.view(consultationId, by), by);
    // How a draft came about is nothing that a patient was told of.
    if (role !== 'doctor') throw new AppError('FORBIDDEN');
    const versions = await notes.versionsOf(note.noteId);
    return {
      versions: versions.filter(({ kind }) => kind === 'version').map((one) => openVersion(key, one)),
    };
  }

  async create(by: PersonId, wish: RequestPayload<'note.create'>): Promise<RequestResult<'note.create'>> {
    const { consultationId } = wish;
    const { host } = this.#parts;
    const place = await host.view(consultationId, by);
    requireWriter(place, by);
    requirePurpose(place, wish);
    const { key } = await host.sealing(consultationId, by);
    return this.#turns.run(consultationId, () => this.#createNow(by, wish, key));
  }

  async save(by: PersonId, wish: RequestPayload<'note.save'>): Promise<RequestResult<'note.save'>> {
    return this.#turns.run(wish.consultationId, () => this.#saveNow(by, wish));
  }

  async sign(by: PersonId, wish: RequestPayload<'note.sign'>): Promise<RequestResult<'note.sign'>> {
    const { note, key } = await this.#signNow(by, wish);
    await this.#announcements.tell(note.noteId);
    this.#changed(note);
    return this.#answer(key, note.noteId);
  }

  async add(by: PersonId, wish: RequestPayload<'note.add'>): Promise<RequestResult<'note.add'>> {
    const { note, key } = await this.#addNow(by, wish);
    await this.#announcements.tell(note.noteId);
    this.#changed(note);
    return this.#answer(key, note.noteId);
  }

  /**
   * The dictations go first: what a stop or a full disk cuts off is still a draft, and thrown away when that is said
   * again.
   */
  async discard(by: PersonId, { consultationId, noteId }: RequestPayload<'note.discard'>): Promise<void> {
    const { notes, eraseDictation, host, isResult } = this.#parts;
    const view = await host.view(consultationId, by);
    requireWriter(view, by);
    await this.#turns.run(consultationId, async () => {
      // Gone already: its answer was lost.
      if ((await notes.loadNote(noteId)) === null) return;
      const { note, key } = await this.#own(by, consultationId, noteId);
      if (note.state === 'signed') throw signedAlready();
      if (await isResult(consultationId, noteId))
        throw new AppError('WRONG_STATE', { detail: 'it is the result of a follow-up' });
      for (const recordingId of dictationsOf(key, await notes.versionsOf(noteId)))
        if (!(await this.#isMentionedBesides(noteId, { consultationId, recordingId, key })))
          await eraseDictation(consultationId, recordingId);
      if (!(await notes.removeDraft(noteId))) throw signedAlready();
      this.#changed(note);
    });
  }

  /** Whether a signed note holds this dictation: then it is part of the record and is not erased by itself. */
  isHeld(consultationId: ConsultationId, recordingId: RecordingId): Promise<boolean> {
    return this.#held.has(consultationId, recordingId);
  }

  /** For the host application. null: there is none of this id here that is signed. */
  async signedNote(consultationId: ConsultationId, noteId: NoteId): Promise<Note | null> {
    const { notes, host } = this.#parts;
    const note = await notes.loadNote(noteId);
    if (note?.consultationId !== consultationId || note.state !== 'signed') return null;
    const { key } = await host.sealing(consultationId, null);
    return openNote(key, note, await notes.versionsOf(noteId));
  }

  /** For the host application, in the order in which they were begun. */
  async signedNotes(consultationId: ConsultationId): Promise<readonly Note[]> {
    const signed: Note[] = [];
    for (const { noteId } of await this.#parts.notes.notesOf(consultationId)) {
      const note = await this.signedNote(consultationId, noteId);
      if (note !== null) signed.push(note);
      // Calls go on while a long list is read.
      await turn();
    }
    return signed;
  }

  async #createNow(
    by: PersonId,
    wish: RequestPayload<'note.create'>,
    key: ConsultationKey,
  ): Promise<RequestResult<'note.create'>> {
    const { notes, ids, clock, hasFollowUp } = this.#parts;
    const { consultationId, clientNoteId, purpose, followUpId = null, ...content } = wish;
    const others = await notes.notesOf(consultationId);
    const same = others.find(({ author, clientId }) => author === by && clientId === clientNoteId);
    if (same !== undefined) {
      await this.#requireSameBeginning(key, same, { purpose, followUpId, ...content });
      return this.#answer(key, same.noteId);
    }
    if (followUpId !== null && !(await hasFollowUp(consultationId, followUpId)))
      throw new AppError('NOT_FOUND', { detail: 'there is no such follow-up' });
    const most = purpose === 'health_channel' ? MAX_CLIPS : MAX_NOTES;
    if (others.length >= most) throw new AppError('WRONG_STATE', { detail: `at most ${most} notes` });
    await this.#checkAudio(by, consultationId, content);
    const at = clock();
    const noteId = ids.noteId();
    const note: StoredNote = {
      noteId,
      consultationId,
      author: by,
      clientId: clientNoteId,
      createdAt: at,
      state: 'draft',
      announced: 0,
      sealed: sealNoteFacts(key, { noteId }, { purpose, followUpId, signedAt: null }),
    };
    const { created, note: stored } = await notes.createNote(
      note,
      versionOf(key, { noteId, ...content }, { kind: 'version', number: 1, at, by, clientId: null }),
    );
    if (!created) await this.#requireSameBeginning(key, stored, { purpose, followUpId, ...content });
    else this.#changed(stored);
    return this.#answer(key, stored.noteId);
  }

  async #saveNow(by: PersonId, wish: RequestPayload<'note.save'>): Promise<RequestResult<'note.save'>> {
    const { notes, clock } = this.#parts;
    const { consultationId, noteId, from, ...content } = wish;
    const { note, key } = await this.#own(by, consultationId, noteId);
    if (note.state === 'signed') throw signedAlready();
    const { current } = openNote(key, note, await notes.versionsOf(noteId));
    // Said already: by this save, whose answer was lost, or by the version it was made from.
    if (from >= current.version - 1 && isSame(current, content)) return this.#answer(key, noteId);
    if (from !== current.version)
      throw new AppError('CONFLICT', { detail: 'another device has saved since' });
    if (current.version >= MAX_NOTE_VERSIONS)
      throw new AppError('WRONG_STATE', { detail: `at most ${MAX_NOTE_VERSIONS} versions` });
    await this.#checkAudio(by, consultationId, content);
    const next = { kind: 'version', number: from + 1, at: clock(), by, clientId: null } as const;
    if (!(await notes.addVersion(versionOf(key, { noteId, ...content }, next))))
      throw new AppError('CONFLICT', { detail: 'another device was faster' });
    this.#changed(note);
    return this.#answer(key, noteId);
  }

  async #signNow(by: PersonId, { consultationId, noteId, version }: RequestPayload<'note.sign'>) {
    const { notes, clock, log } = this.#parts;
    const { note, key } = await this.#own(by, consultationId, noteId);
    const { current } = openNote(key, note, await notes.versionsOf(noteId));
    if (current.version !== version) throw new AppError('CONFLICT', { detail: 'there is a newer version' });
    if (note.state === 'signed') return { note, key };
    if (current.text.trim() === '' && current.audio === null)
      throw new AppError('WRONG_STATE', { detail: 'there is nothing to sign' });
    const facts = { ...openNoteFacts(key, note), signedAt: clock() };
    if (facts.purpose === 'health_channel') await this.#requireClip(consultationId, current);
    await this.#checkAudio(by, consultationId, current);
    const signed = await notes.signNote(noteId, version, sealNoteFacts(key, note, facts));
    if (!signed && (await notes.loadNote(noteId))?.state !== 'signed')
      throw new AppError('CONFLICT', { detail: 'another device was faster' });
    if (signed) log.info('note.signed', { consultation: consultationId, person: by });
    return { note, key };
  }

  async #addNow(
    by: PersonId,
    wish: RequestPayload<'note.add'>,
  ): Promise<{ readonly note: StoredNote; readonly key: ConsultationKey }> {
    const { notes, clock } = this.#parts;
    const { consultationId, noteId, clientNoteId, ...content } = wish;
    const { note, key } = await this.#own(by, consultationId, noteId);
    if (note.state !== 'signed')
      throw new AppError('WRONG_STATE', { detail: 'a draft is changed, not added to' });
    if (openNoteFacts(key, note).purpose === 'health_channel')
      throw new AppError('WRONG_STATE', { detail: 'a published clip is not added to' });
    if (content.text.trim() === '' && content.audio === null)
      throw new AppError('INVALID', { detail: 'there is nothing to add' });
    const additions = (await notes.versionsOf(noteId)).filter(({ kind }) => kind === 'addition');
    const said = additions.find(({ clientId }) => clientId === clientNoteId);
    if (said !== undefined) {
      if (!isSame(openVersion(key, said), content)) throw new AppError('CONFLICT');
      return { note, key };
    }
    if (additions.length >= MAX_NOTE_VERSIONS)
      throw new AppError('WRONG_STATE', { detail: `at most ${MAX_NOTE_VERSIONS} additions` });
    await this.#checkAudio(by, consultationId, content);
    const number = additions.length + 1;
    const place = { kind: 'addition', number, at: clock(), by, clientId: clientNoteId } as const;
    if (await notes.addVersion(versionOf(key, { noteId, ...content }, place))) {
      this.#held.forget(noteId);
      return { note, key };
    }
    // Another addition was faster; or one of this name, said at once, which then is compared with.
    return this.#addNow(by, wish);
  }

  /** What is published has sound, and is published once: what is taken back then is taken back whole. */
  async #requireClip(consultationId: ConsultationId, { audio }: NoteContent): Promise<void> {
    if (audio === null)
      throw new AppError('WRONG_STATE', { detail: 'a clip without sound is not published' });
    if (await this.isHeld(consultationId, audio.recordingId))
      throw new AppError('WRONG_STATE', { detail: 'another published clip holds this dictation' });
  }

  /** Whether another note says, or said in an earlier version, what was dictated here. */
  async #isMentionedBesides(
    noteId: NoteId,
    {
      consultationId,
      recordingId,
      key,
    }: { consultationId: ConsultationId; recordingId: RecordingId; key: ConsultationKey },
  ): Promise<boolean> {
    const { notes } = this.#parts;
    for (const other of await notes.notesOf(consultationId)) {
      if (other.noteId === noteId) continue;
      if (dictationsOf(key, await notes.versionsOf(other.noteId)).has(recordingId)) return true;
    }
    return false;
  }

  async #readable(by: PersonId, consultationId: ConsultationId, noteId: NoteId) {
    const { notes, host } = this.#parts;
    const view = await host.view(consultationId, by);
    const note = await notes.loadNote(noteId);
    if (note?.consultationId !== consultationId || !mayRead(view, note, by)) throw new AppError('NOT_FOUND');
    const { key } = await host.sealing(consultationId, by);
    return { note, key };
  }

  /** The note, for its author. @throws AppError NOT_FOUND, FORBIDDEN */
  async #own(by: PersonId, consultationId: ConsultationId, noteId: NoteId) {
    const found = await this.#readable(by, consultationId, noteId);
    requireWriter(await this.#parts.host.view(consultationId, by), by);
    if (found.note.author !== by) throw new AppError('FORBIDDEN');
    return found;
  }

  async #checkAudio(author: PersonId, consultationId: ConsultationId, { audio }: NoteContent): Promise<void> {
    if (audio !== null) await this.#parts.checkAudio(audio, { consultationId, author });
  }

  async #requireSameBeginning(
    key: ConsultationKey,
    stored: StoredNote,
    { purpose, followUpId, ...content }: NoteContent & { purpose: string; followUpId: string | null },
  ): Promise<void> {
    const [first] = await this.#parts.notes.versionsOf(stored.noteId);
    const facts = openNoteFacts(key, stored);
    const isIt =
      first !== undefined &&
      facts.purpose === purpose &&
      facts.followUpId === followUpId &&
      isSame(openVersion(key, first), content);
    if (!isIt) throw new AppError('CONFLICT');
  }

  async #answer(key: ConsultationKey, noteId: NoteId): Promise<{ note: Note }> {
    const { notes } = this.#parts;
    const note = await notes.loadNote(noteId);
    if (note === null) throw new AppError('NOT_FOUND');
    return { note: openNote(key, note, await notes.versionsOf(noteId)) };
  }

  /** For the author's other devices; what is signed, everybody hears from the thread. */
  #changed({ author, consultationId }: StoredNote): void {
    this.#parts.publisher.toPerson(author, 'note.changed', { consultationId });
  }
}

const signedAlready = (): AppError => new AppError('WRONG_STATE', { detail: 'the note is signed' });

const isSame = (a: NoteContent, b: NoteContent): boolean =>
  a.text === b.text && canonical(a.audio) === canonical(b.audio);

function versionOf(
  key: ConsultationKey,
  { noteId, ...content }: Draft,
  rest: Omit<StoredNoteVersion, 'noteId' | 'sealed'>,
): StoredNoteVersion {
  const place = { noteId, ...rest };
  return { ...place, sealed: sealVersion(key, place, content) };
}
