import {
  AppError,
  type ConsultationId,
  type FollowUpId,
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
import { BoundedMap } from '../notify/bounded-map.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import { Announcements } from './announcements.ts';
import { mayRead, requireWriter, roleOf } from './note-readers.ts';
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
/** Signed notes of which it is remembered what they hold. */
const REMEMBERED = 10_000;

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
  /** The dictations in signed notes, which change with additions alone: they are asked for with every recording that is listed. */
  readonly #held = new BoundedMap<NoteId, Promise<ReadonlySet<RecordingId>>>(REMEMBERED);

  constructor(parts: NotesParts) {
    this.#parts = parts;
    this.#announcements = new Announcements(parts);
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
    const { consultationId, purpose, followUpId = null } = wish;
    const key = await this.#writing(by, consultationId);
    if ((purpose === 'follow_up') !== (followUpId !== null))
      throw new AppError('INVALID', { detail: 'followUpId: for follow_up, and for it alone' });
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
  async isHeld(consultationId: ConsultationId, recordingId: RecordingId): Promise<boolean> {
    const { notes, host } = this.#parts;
    const { key } = await host.sealing(consultationId, null);
    for (const { noteId, state } of await notes.notesOf(consultationId))
      if (state === 'signed' && (await this.#heldBy(key, noteId)).has(recordingId)) return true;
    return false;
  }

  #heldBy(key: ConsultationKey, noteId: NoteId): Promise<ReadonlySet<RecordingId>> {
    const known = this.#held.get(noteId);
    if (known !== undefined) return known;
    // What was dictated for an earlier version of a signed note was replaced by its author.
    const held = (async () => dictationsOf(key, signedPart(await this.#parts.notes.versionsOf(noteId))))();
    // Before it is read: an addition that comes meanwhile makes it be read again.
    this.#held.set(noteId, held);
    held.catch(() => this.#held.delete(noteId));
    return held;
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
    if (others.length >= MAX_NOTES)
      throw new AppError('WRONG_STATE', { detail: `at most ${MAX_NOTES} notes` });
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
    await this.#checkAudio(by, consultationId, current);
    const facts = { ...openNoteFacts(key, note), signedAt: clock() };
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
      this.#held.delete(noteId);
      return { note, key };
    }
    // Another addition was faster; or one of this name, said at once, which then is compared with.
    return this.#addNow(by, wish);
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

  async #writing(by: PersonId, consultationId: ConsultationId): Promise<ConsultationKey> {
    const { host } = this.#parts;
    requireWriter(await host.view(consultationId, by), by);
    return (await host.sealing(consultationId, by)).key;
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

const dictationsOf = (key: ConsultationKey, versions: readonly StoredNoteVersion[]): Set<RecordingId> =>
  new Set(
    versions.map((version) => openVersion(key, version).audio?.recordingId).filter((id) => id !== undefined),
  );

/** The version that was signed and what was added. */
const signedPart = (versions: readonly StoredNoteVersion[]): readonly StoredNoteVersion[] => {
  const signed = versions.findLast(({ kind }) => kind === 'version');
  return versions.filter((version) => version === signed || version.kind === 'addition');
};
