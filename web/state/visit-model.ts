import type { Call, Consultation } from '@teleconsult/client-sdk/api';
import type { Phone } from '@teleconsult/client-sdk/phone';
import type { Dictation, Records } from '@teleconsult/client-sdk/records';
import type {
  ConsultationView,
  Entry,
  MediaSource,
  MessageEntry,
  Participant,
  ParticipantRole,
  PersonId,
  QueuePlace,
} from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { language, messages } from '../i18n/language.ts';
import { speak } from './announcer.ts';
import { AttachmentBlobs } from './attachment-blobs.ts';
import { CallModel } from './call-model.ts';
import type { CallSound } from './call-sound.ts';
import { Changes } from './changes.ts';
import { type Delivery, deliveryOf } from './delivery.ts';
import { information, type Notice, noticeOf } from './notice.ts';
import { speakEntry } from './spoken-entry.ts';
import { ThreadWindow } from './thread-window.ts';
import { VisitPhone } from './visit-phone.ts';
import { waitMinutes } from './wait.ts';

interface VisitModelOptions {
  readonly visit: Consultation;
  /** Whom this page is made for. */
  readonly role: ParticipantRole;
  /** Whom the token speaks for, where that is known; otherwise whoever has the role. */
  readonly personId: PersonId | null;
  readonly deviceId: string;
  readonly onNotice: (notice: Notice) => void;
  /** How calls are heard in this page. */
  readonly sound: CallSound;
  /** Whether the call of this device is in the small window, which has words of its own. */
  readonly isCallSmall: () => boolean;
  /** Whether what is sent now leaves at once. */
  readonly isConnected: () => boolean;
  readonly openRecords: () => Promise<Records>;
  readonly openPhone: () => Promise<Phone>;
}

const MAX_TRANSCRIPTS = 100;

/** One consultation as the pages show it: its people, its call, its attachments, and what is to be said aloud. */
export class VisitModel {
  readonly visit: Consultation;
  readonly role: ParticipantRole;
  readonly blobs: AttachmentBlobs;
  readonly phone: VisitPhone;
  readonly changes = new Changes();
  /** The part of the thread that is in the page. */
  readonly window: ThreadWindow;
  /** Set by the thread: whether the newest entry is being looked at. A thread that is not shown follows the newest. */
  isReaderAtEnd = true;
  /** Unread messages begin after this sequence; null while there is nothing to part. */
  unreadAfter: number | null = null;
  /** Rises with what the rows show of a message besides itself: marks, people, words of voice messages. */
  revision = 0;
  /** Words of voice messages, by sequence, as far as they were asked for. */
  readonly transcripts = new Map<number, string>();
  /** False once the server has said that it has no speech service. */
  canTranscribe = true;
  /** The message that the next one answers. */
  replyTo: MessageEntry | null = null;

  #call: CallModel | null = null;
  #newest: number;
  #hasLeft = false;
  #position: number | null;
  readonly #personId: PersonId | null;
  readonly #deviceId: string;
  readonly #onNotice: (notice: Notice) => void;
  readonly #sound: CallSound;
  readonly #isCallSmall: () => boolean;
  readonly #isConnected: () => boolean;
  readonly #openRecords: () => Promise<Records>;
  #records: Records | null = null;
  #opening: Promise<Records> | null = null;
  #isClosed = false;
  readonly #stops: readonly (() => void)[];

  constructor(options: VisitModelOptions) {
    const { visit, role, personId, deviceId, onNotice, sound, isCallSmall, isConnected } = options;
    this.#isConnected = isConnected;
    this.#openRecords = options.openRecords;
    this.phone = new VisitPhone(options.openPhone);
    this.visit = visit;
    this.role = role;
    this.#personId = personId;
    this.#deviceId = deviceId;
    this.#onNotice = onNotice;
    this.#sound = sound;
    this.#isCallSmall = isCallSmall;
    this.#newest = visit.entries.at(-1)?.sequence ?? 0;
    this.blobs = new AttachmentBlobs((attachmentId, variant, signal) =>
      visit.fetchAttachment(attachmentId, { variant, signal }),
    );
    this.window = new ThreadWindow(visit);
    this.#position = visit.queue?.position ?? null;
    const announce = (): void => this.changes.announce();
    this.#stops = [
      this.phone.changes.subscribe(announce),
      visit.on('changed', () => this.#revise()),
      visit.on('call', (call) => this.#follow(call)),
      visit.on('entries', (entries) => this.#hear(entries)),
      visit.on('updated', (entries) => {
        this.window.update(entries);
        this.revision += 1;
        if (entries.some(({ sequence }) => sequence === this.replyTo?.sequence)) this.answer(null);
      }),
      visit.on('closed', ({ reason }) => {
        this.#hasLeft = reason === 'left';
        this.#revise();
      }),
      visit.on('queue', (place) => this.#hearPlace(place)),
      visit.on('marks', () => this.#revise()),
      visit.on('unread', announce),
      visit.on('typing', announce),
      visit.on('online', announce),
    ];
    this.#follow(visit.call);
  }

  get view(): ConsultationView {
    return this.visit.view;
  }

  get call(): CallModel | null {
    return this.#call;
  }

  get self(): Participant | undefined {
    const { participants } = this.view;
    if (this.#personId !== null) return participants.find(({ personId }) => personId === this.#personId);
    return participants.find(({ role }) => role === this.role);
  }

  /** Everybody but this person. */
  get others(): readonly Participant[] {
    const { self } = this;
    return this.view.participants.filter((participant) => participant !== self);
  }

  /** Whom the consultation is with, above all: the doctor, for the doctor the patient, among doctors the first other. */
  get other(): Participant | undefined {
    const { others, self } = this;
    const wanted: ParticipantRole = self?.role === 'doctor' ? 'patient' : 'doctor';
    return others.find(({ role }) => role === wanted) ?? others[0];
  }

  /** More than two take part, so that every message says whose it is, and in which role. */
  get isGroup(): boolean {
    return this.view.participants.length > 2;
  }

  get isGuest(): boolean {
    const role = this.self?.role;
    return role === 'relative' || role === 'interpreter' || role === 'colleague';
  }

  /** This person was removed, or has left. */
  get isOut(): boolean {
    return this.#hasLeft || (this.#personId !== null && this.self === undefined);
  }

  get isConnected(): boolean {
    return this.#isConnected();
  }

  get unread(): number {
    return this.visit.unread.unread;
  }

  /** What is recorded of this visit; null until it was asked for. */
  get records(): Records | null {
    return this.#records;
  }

  /** A follow-up is carried out: the doctor may call though the visit has ended. */
  get isFollowedUp(): boolean {
    const board = this.#records?.followUps;
    return (
      board?.contactRefusedSince === null && board.followUps.some(({ state }) => state === 'in_progress')
    );
  }

  /** The dictation of this device that needs the person: running, interrupted, or on its way to the server. */
  get dictation(): Dictation | null {
    return this.#records?.dictations.find(({ state }) => state !== 'finished') ?? null;
  }

  get isDictating(): boolean {
    const state = this.dictation?.state;
    return state === 'recording' || state === 'paused';
  }

  isOnline(personId: PersonId): boolean {
    return this.visit.online.includes(personId);
  }

  /** How far a message of this person has come. */
  deliveryOf(sequence: number): Delivery {
    const { participants } = this.view;
    return deliveryOf({ sequence, self: this.self?.personId, participants, marks: this.visit.marks });
  }

  /** Chooses the message that the next one answers; null: none. */
  answer(message: MessageEntry | null): void {
    this.replyTo = message;
    this.changes.announce();
  }

  /** Keeps the words of a voice message, of the latest hundred. */
  async transcribe(sequence: number): Promise<void> {
    try {
      const words = await this.visit.transcribe(sequence, { language: language() === 'en' ? 'en' : 'zh' });
      this.transcripts.set(sequence, words);
      const [oldest] = this.transcripts.keys();
      if (this.transcripts.size > MAX_TRANSCRIPTS && oldest !== undefined) this.transcripts.delete(oldest);
      speak(words);
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_CONFIGURED') this.canTranscribe = false;
      throw error;
    } finally {
      this.#revise();
    }
  }

  /** The reader has seen the thread up to here. */
  markRead(upTo: number): void {
    if (!document.hidden && upTo > this.visit.unread.read) this.visit.markRead(upTo);
  }

  isSelf(personId: PersonId | null): boolean {
    return personId !== null && personId === this.self?.personId;
  }

  /** `nameOf` by an id of any kind; always the same function. */
  readonly namer = (personId: string): string => this.nameOf(personId as PersonId);

  /** The name to show beside something a person did. */
  nameOf(personId: PersonId | null): string {
    if (this.isSelf(personId)) return messages().you;
    const person = this.view.participants.find((participant) => participant.personId === personId);
    return person?.displayName ?? this.#former(personId) ?? messages().productName;
  }

  /** Fetched once, however many ask at the same time; after a failure it can be asked again. */
  openRecords(): Promise<Records> {
    this.#opening ??= this.#loadRecords().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // A microphone that nobody sees any more must not listen on.
    for (const dictation of this.#records?.dictations ?? [])
      if (dictation.state === 'recording') dictation.pause();
    this.#records?.close();
    this.phone.close();
    for (const stop of this.#stops) stop();
    this.#call?.close();
    this.#call = null;
    this.blobs.close();
    await this.visit.close();
  }

  async #loadRecords(): Promise<Records> {
    const records = this.#records ?? (await this.#openRecords());
    if (this.#isClosed) {
      records.close();
      throw new AppError('ABORTED');
    }
    if (this.#records === null) {
      this.#records = records;
      const announce = (): void => this.changes.announce();
      for (const event of ['recordings', 'notes', 'followUps', 'dictations'] as const)
        records.on(event, announce);
    }
    await records.load();
    this.changes.announce();
    return records;
  }

  /** Somebody who has left: the thread still says who joined. */
  #former(personId: PersonId | null): string | undefined {
    for (const entry of this.visit.entries)
      if (entry.kind === 'participant.joined' && entry.personId === personId) return entry.displayName;
    return undefined;
  }

  #follow(call: Call | null): void {
    if (call?.view.state === 'ended') call = null;
    if (call === (this.#call?.call ?? null)) {
      this.changes.announce();
      return;
    }
    this.#call?.close();
    const self = this.self?.personId;
    this.#call =
      call === null || self === undefined
        ? null
        : new CallModel({
            call,
            self,
            deviceId: this.#deviceId,
            participants: () => this.view.participants,
            nameOf: (personId) => this.nameOf(personId),
            sound: this.#sound,
            isSmall: this.#isCallSmall,
            onProblem: (error, source) => this.#problem(error, source),
            onNotice: this.#onNotice,
            phone: this.phone,
            recordingControl: async () => (await this.openRecords()).callRecording,
          });
    // Answering, say, moves the call from the dialog to the panel.
    this.#call?.changes.subscribe(() => this.changes.announce());
    this.changes.announce();
  }

  #revise(): void {
    this.revision += 1;
    this.changes.announce();
  }

  #hearPlace(place: QueuePlace | null): void {
    if (place !== null && place.position !== this.#position && this.self?.role === 'patient') {
      const { waiting } = messages();
      const wait = place.estimateMs === null ? '' : ` ${waiting.estimate(waitMinutes(place.estimateMs))}`;
      speak(`${waiting.place(place.position)}${wait}`);
    }
    this.#position = place?.position ?? null;
    this.changes.announce();
  }

  #hear(entries: readonly Entry[]): void {
    this.window.add(entries, this.isReaderAtEnd);
    for (const entry of entries) {
      if (entry.sequence <= this.#newest) continue;
      this.#newest = entry.sequence;
      // The small window says farewell by itself.
      if (entry.kind === 'call.ended' && this.#isCallSmall()) continue;
      if (entry.kind === 'call.ended' && entry.reason !== 'completed' && !this.isSelf(entry.by)) {
        // A notice is spoken, too.
        this.#onNotice(information(messages().call.outcome[entry.reason]));
        continue;
      }
      const isNews = entry.kind === 'message.sent' && !this.isSelf(entry.by);
      if (isNews && (document.hidden || !this.isReaderAtEnd)) this.unreadAfter ??= entry.sequence - 1;
      speakEntry(entry, this);
    }
    this.changes.announce();
  }

  #problem(error: AppError, source: MediaSource | null): void {
    const notice = noticeOf(error, source);
    if (notice !== null) this.#onNotice(notice);
  }
}
