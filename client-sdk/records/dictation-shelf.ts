import type { ConsultationId, DictationPurpose, FollowUpId } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { MAX_DICTATION_FILES } from '@teleconsult/protocol/limits';
import { Emitter } from '../events.ts';
import type { ClientInsides } from '../insides.ts';
import { Lifetime, throwIfAborted } from '../lifetime.ts';
import { mintPageId } from '../mint-id.ts';
import { storageError } from '../storage/opened-storage.ts';
import { freeMicrophone, type Microphone } from './dictation-run.ts';
import {
  CONTENT_TYPES,
  type DictationContentType,
  type Journal,
  type JournalHead,
  openJournal,
} from './journal.ts';
import { LocalDictation } from './local-dictation.ts';
import { awaitLock, type Release, tryLock } from './page-locks.ts';
import { SoundFile } from './sound-file.ts';

export interface DictationWish {
  readonly consultationId: ConsultationId;
  readonly purpose: DictationPurpose;
  readonly followUpId: FollowUpId | null;
  readonly signal?: AbortSignal | undefined;
}

interface ShelfEvents {
  /** A dictation came, went or changed; of this consultation. */
  changed: ConsultationId;
}

/** A database that does not answer for so long is taken for broken. */
const PATIENCE_MS = 5_000;
/** Where less is free than this, a dictation would not last long: it is not begun. */
const LEAST_ROOM_BYTES = 1024 * 1024;
/** One page of a browser has the microphone for a dictation at a time. */
const DICTATING = 'teleconsult.dictating';
const lockOf = (id: string): string => `teleconsult.dictation.${id}`;

const shelves = new WeakMap<ClientInsides, DictationShelf>();

/** All dictations of this device that this page may go on with, of whichever consultation. One for each client. */
export class DictationShelf {
  readonly events = new Emitter<ShelfEvents>();
  readonly #insides: ClientInsides;
  readonly #dictations = new Map<string, LocalDictation>();
  /** Ids that are being looked at, or that another page has. */
  readonly #awaited = new Set<string>();
  #journal: Promise<Journal> | null = null;
  #loading: Promise<void> | null = null;
  #isDictating = false;
  /** Ends when what this device keeps is forgotten, and with the client. */
  #life: Lifetime;

  private constructor(insides: ClientInsides) {
    this.#insides = insides;
    this.#life = insides.life.child();
    insides.farewells.add((why) => this.#leave(why));
    insides.life.onEnd(() => this.#closeJournal());
  }

  static of(insides: ClientInsides): DictationShelf {
    const known = shelves.get(insides);
    if (known !== undefined) return known;
    const shelf = new DictationShelf(insides);
    shelves.set(insides, shelf);
    return shelf;
  }

  /** Those of one consultation, oldest first. */
  list(consultationId: ConsultationId): readonly LocalDictation[] {
    return [...this.#dictations.values()]
      .filter((one) => one.consultationId === consultationId)
      .sort((a, b) => a.startedAt - b.startedAt);
  }

  /** Takes up what pages that are gone have left, and brings it to the server. Rejects when the device cannot be read. */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async dictate(wish: DictationWish): Promise<LocalDictation> {
    throwIfAborted(wish.signal);
    const contentType = supportedType();
    // Of the person who asks for it: what they asked for does not begin when they have signed out.
    const life = this.#life;
    await requireRoom();
    const microphone = await this.#openMicrophone(wish.signal);
    try {
      if (life.endReason !== null) throw life.endReason;
      return await this.#begin({ ...wish, life }, contentType, microphone);
    } catch (error) {
      freeMicrophone(microphone);
      throw error;
    }
  }

  async #begin(
    { consultationId, purpose, followUpId, signal, life }: DictationWish & { readonly life: Lifetime },
    contentType: DictationContentType,
    microphone: Microphone,
  ): Promise<LocalDictation> {
    const journal = await this.#openedJournal();
    const id = `dict-${mintPageId()}`;
    const now = Date.now();
    const head: JournalHead = {
      version: 1,
      at: now,
      id,
      consultationId,
      purpose,
      followUpId,
      startedAt: now,
      contentType,
      stage: 'open',
      recordingId: null,
    };
    const release = await tryLock(lockOf(id));
    try {
      await journal.writeHead(head);
      throwIfAborted(signal);
      if (life.endReason !== null) throw life.endReason;
      const dictation = this.#put(head, { journal, files: [], release: release ?? (() => {}) });
      dictation.begin(microphone);
      return dictation;
    } catch (error) {
      this.#dictations.delete(id);
      await journal.remove(id).catch(() => {});
      release?.();
      throw error;
    }
  }

  async #openMicrophone(signal?: AbortSignal): Promise<Microphone> {
    if (this.#isDictating) throw new AppError('WRONG_STATE', { detail: 'another dictation runs' });
    this.#isDictating = true;
    let unlock: Release | null = null;
    const release = (): void => {
      this.#isDictating = false;
      unlock?.();
    };
    try {
      unlock = await tryLock(DICTATING);
      if (unlock === null) throw new AppError('WRONG_STATE', { detail: 'another page dictates' });
      const stream = await this.#insides.device.capture({ audio: true, video: false });
      if (signal?.aborted === true) for (const track of stream.getTracks()) track.stop();
      throwIfAborted(signal);
      return { stream, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #load(): Promise<void> {
    const journal = await this.#openedJournal();
    for (const head of await journal.heads()) {
      if (this.#dictations.has(head.id) || this.#awaited.has(head.id)) continue;
      this.#awaited.add(head.id);
      const release = await tryLock(lockOf(head.id));
      if (release === null) this.#await(journal, head.id);
      else await this.#adopt(journal, head.id, release);
    }
  }

  /** Another page has it; when that is gone, it is this one's. */
  #await(journal: Journal, id: string): void {
    const { signal, abort } = this.#life.toSignal();
    awaitLock(lockOf(id), signal)
      .then((release) => this.#adopt(journal, id, release))
      // The life has ended first, or the device cannot be read any more.
      .catch(() => {})
      .finally(() => {
        this.#awaited.delete(id);
        abort();
      });
  }

  async #adopt(journal: Journal, id: string, release: Release): Promise<void> {
    try {
      // As the page before left it.
      const head = await journal.head(id);
      if (head === null || this.#life.over) return release();
      const files = head.stage === 'discarding' ? [] : await restoredFiles(journal, id);
      const isEmpty = files.length === 0 && head.stage !== 'discarding';
      if (head.stage === 'done' || isEmpty) {
        await journal.remove(id);
        return release();
      }
      this.#put(head, { journal, files, release });
      this.events.emit('changed', head.consultationId);
    } catch (error) {
      release();
      throw error;
    } finally {
      this.#awaited.delete(id);
    }
  }

  #put(
    head: JournalHead,
    kept: { readonly journal: Journal; readonly files: readonly SoundFile[]; readonly release: Release },
  ): LocalDictation {
    const { id, consultationId } = head;
    const tell = (): void => this.events.emit('changed', consultationId);
    const dictation: LocalDictation = new LocalDictation({
      ...kept,
      insides: this.#insides,
      head,
      openMicrophone: (signal) => this.#openMicrophone(signal),
      onChange: tell,
      onGone: () => {
        this.#dictations.delete(id);
        tell();
      },
    });
    // What is to be erased is nobody's to see.
    if (head.stage !== 'discarding') this.#dictations.set(id, dictation);
    return dictation;
  }

  async #leave(why: 'close' | 'forget'): Promise<void> {
    const leaving = [...this.#dictations.values()];
    // Before the last sounds come: a recorder may take longer to end than the client waits before it wipes.
    if (why === 'forget')
      await this.#journal?.then(
        (journal) => journal.forget(),
        () => {},
      );
    await Promise.all(leaving.map((dictation) => dictation.leave()));
    if (why === 'close') return;
    const consultations = new Set(leaving.map(({ consultationId }) => consultationId));
    this.#life.end(new AppError('ABORTED', { detail: 'forgotten' }));
    this.#life = this.#insides.life.child();
    this.#dictations.clear();
    this.#awaited.clear();
    this.#closeJournal();
    for (const consultationId of consultations) this.events.emit('changed', consultationId);
  }

  async #openedJournal(): Promise<Journal> {
    this.#journal ??= this.#openJournal().catch((error: unknown) => {
      this.#journal = null;
      throw error;
    });
    return this.#journal;
  }

  async #openJournal(): Promise<Journal> {
    const { tokens, signalling, storage, url, life } = this.#insides;
    // Only the token says whose it is.
    if (signalling.personId === null) await life.within(tokens.current());
    try {
      const opening = openJournal(storage, { url, personId: signalling.personId });
      return await new Lifetime().withinTime(opening, PATIENCE_MS);
    } catch (thrown) {
      const isSilent = thrown instanceof AppError && thrown.code === 'TIMEOUT';
      throw isSilent ? new AppError('STORAGE_UNAVAILABLE', { cause: thrown }) : storageError(thrown);
    }
  }

  #closeJournal(): void {
    const closing = this.#journal;
    this.#journal = null;
    closing?.then(
      (journal) => journal.close(),
      () => {},
    );
  }
}

/** A page may have died at any time, so the files are those that have a beginning. */
async function restoredFiles(journal: Journal, dictationId: string): Promise<SoundFile[]> {
  const files: SoundFile[] = [];
  for (let number = 0; number < MAX_DICTATION_FILES; number += 1) {
    const file = await SoundFile.restore({ journal, dictationId, number, onChange: () => {} });
    if (file === null) break;
    files.push(file);
  }
  return files;
}

function supportedType(): DictationContentType {
  if (typeof MediaRecorder !== 'function')
    throw new AppError('UNSUPPORTED_BROWSER', { detail: 'no MediaRecorder' });
  const type = CONTENT_TYPES.find((one) => MediaRecorder.isTypeSupported(one));
  if (type === undefined)
    throw new AppError('UNSUPPORTED_BROWSER', { detail: 'no container that the server takes' });
  return type;
}

/** Where the browser does not tell, the first write will. */
async function requireRoom(): Promise<void> {
  const estimate = await globalThis.navigator?.storage?.estimate?.().catch(() => null);
  const { quota, usage } = estimate ?? {};
  if (quota === undefined || usage === undefined || quota - usage >= LEAST_ROOM_BYTES) return;
  throw new AppError('STORAGE_FULL', { detail: 'this device has no room for a dictation' });
}
