/** Somebody who takes part in a consultation's call by telephone: rung, let into the room, asked, told, hung up. */
import { setTimeout as wait } from 'node:timers/promises';
import {
  AppError,
  type CallId,
  type ConsultationId,
  type PersonId,
  type PhoneCallId,
  type RecordingId,
} from '@teleconsult/protocol';
import type { PhoneSeatEvent } from '../../consultation/commands.ts';
import type { PhoneHangUpReason } from '../../consultation/phone-state.ts';
import type { Clock, Log } from '../../host/ports.ts';
import { type PhoneCallEnd, type PromptId, RelayError } from '../ports.ts';
import { systemClock, Timers } from '../sip/clock.ts';
import { ConsentQuestion } from './consent-question.ts';
import { KeyReader } from './key-reader.ts';
import type { PartyCalls, PartyRooms, PartySettings, Telephone, TelephoneBook, Telephones } from './ports.ts';
import { RoomSound } from './room-sound.ts';

/** How a recording of the call stands for this person. */
export interface PartyRecording {
  readonly recordingId: RecordingId;
  readonly isAsked: boolean;
  /** What they say is recorded now, if it is heard. */
  readonly isRecorded: boolean;
}

export interface PhonePlace {
  readonly consultationId: ConsultationId;
  readonly callId: CallId;
  readonly personId: PersonId;
  readonly phoneCallId: PhoneCallId;
}

export interface PhonePartyParts {
  readonly place: PhonePlace;
  /** When it stops ringing, in milliseconds since 1970. */
  readonly until: number;
  readonly telephones: Telephones;
  readonly book: TelephoneBook;
  readonly calls: PartyCalls;
  readonly rooms: PartyRooms;
  readonly settings: PartySettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly answerWithinMs?: number;
  readonly goneWithinMs?: number;
}

type LeftReason = Extract<PhoneSeatEvent, { type: 'phone.seatLeft' }>['reason'];
type WithoutPlace<Event> = Event extends unknown ? Omit<Event, keyof PhonePlace> : never;
/** What a telephone tells, without whose it is. */
type PartyNews = WithoutPlace<PhoneSeatEvent>;
/** What is said to whoever is hung up on; null: nothing. */
type LastWords = PromptId | null | Promise<PromptId | null>;

interface Ending {
  readonly lastWords: LastWords;
  readonly end: PhoneCallEnd;
  /** null: whoever ends it knows. */
  readonly reason: LeftReason | null;
}

/** The one minute that is left is told. */
const WARN_BEFORE_MS = 60_000;
/** A store that is away: what became of a telephone is told again until it is kept. */
const TELL_AGAIN_MS = [250, 1_000, 5_000, 30_000];
/** Who has taken the seat, or ended the call, says so by then. */
const GONE_WITHIN_MS = 5_000;
/** The sound of the clinic's network never leaves the machine. */
const LOOPBACK = '127.0.0.1';

export class PhoneParty {
  readonly place: PhonePlace;
  readonly #parts: PhonePartyParts;
  readonly #timers = new Timers<'warn' | 'gone'>(systemClock);
  readonly #stop = new AbortController();
  readonly #over = Promise.withResolvers<void>();
  readonly #keys: KeyReader;
  /** Given up: nothing more is told. */
  readonly #closed = new AbortController();
  #telephone: Telephone | null = null;
  #sound: RoomSound | null = null;
  #question: ConsentQuestion | null = null;
  /** Asked before there was a way to ask. */
  #toAsk: RecordingId | null = null;
  /** The recording they were told of. */
  #knows: RecordingId | null = null;
  #isMuted = false;
  #isBeingTold = false;
  #talksSince: number | null = null;
  #ending: Promise<void> | null = null;

  constructor(parts: PhonePartyParts) {
    this.place = parts.place;
    this.#parts = parts;
    this.#keys = new KeyReader(() => this.#switchMicrophone());
  }

  get isTalking(): boolean {
    return this.#talksSince !== null && !this.#isOver;
  }

  /** Milliseconds since the telephone was answered; 0 while it was not. */
  get talkMs(): number {
    return this.#talksSince === null ? 0 : Math.max(0, this.#parts.clock() - this.#talksSince);
  }

  /** Resolves when it is over and that was told. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#takePart();
    } catch (error) {
      this.#failed(error);
    }
    await this.#over.promise;
  }

  /** The call does not want the telephone any more. Returns at once. */
  hangUp(why: PhoneHangUpReason, lastWords: LastWords = null): void {
    const end: PhoneCallEnd = why === 'no_answer' ? 'no_answer' : this.isTalking ? 'completed' : 'cancelled';
    void this.#end({ lastWords, end, reason: null });
  }

  setMuted(isMuted: boolean): void {
    this.#isMuted = isMuted;
    this.#followPaused();
  }

  /** Asks whether they agree to be recorded, as soon as they are in the call. */
  askConsent(recordingId: RecordingId): void {
    this.#toAsk = recordingId;
    void this.#ask();
  }

  /**
   * The recording of the call as it is now. Who is recorded without having been asked on this telephone (they agreed in the
   * app, or began it) is told before anything of them is heard again.
   */
  follow(recording: PartyRecording | null): void {
    const isWanted = (id: RecordingId): boolean => recording?.recordingId === id && recording.isAsked;
    if (this.#toAsk !== null && !isWanted(this.#toAsk)) this.#toAsk = null;
    if (this.#question !== null && !isWanted(this.#question.recordingId)) this.#question.withdraw();
    if (recording?.isRecorded === true && this.#knows !== recording.recordingId)
      void this.#giveNotice(recording.recordingId);
  }

  /** The server stops: they hear so, and are hung up. What became of the seat is told by the next start. */
  close(lastWords: PromptId): Promise<void> {
    this.#closed.abort();
    return this.#end({ lastWords: this.isTalking ? lastWords : null, end: 'lost', reason: null });
  }

  get #isOver(): boolean {
    return this.#stop.signal.aborted;
  }

  async #takePart(): Promise<void> {
    const { book, place, until, clock, telephones, settings } = this.#parts;
    const reachable = await book.telephoneOf(place.consultationId, place.personId);
    if (this.#isOver) return;
    const ringMs = until - clock();
    if (reachable === null) return this.#leave('lost');
    if (ringMs <= 0) return this.#leave('no_answer');
    const telephone = await telephones.dialOut({
      ...reachable,
      ...settings,
      ringMs,
      soundHost: LOOPBACK,
      onDigit: (digit) => this.#keys.pressed(digit, clock()),
    });
    this.#telephone = telephone;
    void telephone.ended.then(({ end }) => this.#leave(reasonOf(end)));
    if (this.#isOver) return void telephone.hangUp(null, 'cancelled');
    if ((await telephone.answered) !== 'answered') return;
    this.#talksSince = clock();
    await telephone.say('connecting', this.#stop.signal);
    if (!this.#isOver) await this.#takeSeat(telephone);
  }

  /**
   * First the seat, then its media: a device that takes the seat in the same moment has it or has it not, and never loses
   * its sound to a telephone that was not let in.
   */
  async #takeSeat(telephone: Telephone): Promise<void> {
    const { place, rooms, log, settings, goneWithinMs = GONE_WITHIN_MS } = this.#parts;
    const { callId, personId } = place;
    const sound: RoomSound = new RoomSound({
      rooms,
      address: { callId, personId },
      telephone,
      log,
      onLost: () => void this.#leave('lost', 'unavailable'),
      // A device that was let in after all has us hung up by then.
      onGone: () => this.#timers.set('gone', goneWithinMs, () => void sound.openAgain()),
    });
    this.#sound = sound;
    this.#followPaused();
    if (!(await this.#answerSeat()) || this.#isOver) return;
    await sound.open();
    if (this.#isOver) return;
    if (settings.maxTalkMs >= 2 * WARN_BEFORE_MS)
      this.#timers.set(
        'warn',
        Math.min(settings.maxTalkMs, 2 ** 31 - 1) - WARN_BEFORE_MS - this.talkMs,
        () => {
          void telephone.say('time_nearly_over', this.#stop.signal);
        },
      );
    await this.#ask();
  }

  /** False: somebody else answered, or the call has ended. */
  async #answerSeat(): Promise<boolean> {
    try {
      await this.#tell({ type: 'phone.seatAnswered' });
      return true;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'NOT_FOUND') throw error;
      void this.#end({ lastWords: null, end: 'cancelled', reason: null });
      return false;
    }
  }

  async #ask(): Promise<void> {
    const recordingId = this.#toAsk;
    const telephone = this.#telephone;
    if (recordingId === null || telephone === null || this.#sound === null || this.#isOver) return;
    if (this.#question !== null) return;
    this.#toAsk = null;
    const { log, answerWithinMs } = this.#parts;
    const question = new ConsentQuestion(recordingId, {
      telephone,
      log,
      answer: async (id, granted) => {
        // They have heard it by now: a second notice would only be in the recording.
        if (granted) this.#knows = id;
        await this.#tell({ type: 'phone.consent', recordingId: id, granted });
      },
      ...(answerWithinMs === undefined ? {} : { answerWithinMs }),
    });
    this.#question = question;
    await question.ask();
    this.#question = null;
    // One that was asked for meanwhile had to wait.
    await this.#ask();
  }

  async #giveNotice(recordingId: RecordingId): Promise<void> {
    if (this.#telephone === null || this.#sound === null || this.#isOver) return;
    this.#knows = recordingId;
    this.#isBeingTold = true;
    this.#followPaused();
    try {
      await this.#telephone.say('recorded', this.#stop.signal);
      this.#isBeingTold = false;
      this.#followPaused();
    } catch (error) {
      // Who could not be told is not recorded, and so cannot stay.
      this.#failed(error);
    }
  }

  #followPaused(): void {
    this.#sound?.setPaused(this.#isMuted || this.#isBeingTold);
  }

  #switchMicrophone(): void {
    if (!this.isTalking || this.#sound === null) return;
    this.#tell({ type: 'phone.microphone', on: this.#isMuted }).catch((error: unknown) =>
      this.#parts.log.warn('phone.notTold', { call: this.place.callId, error }),
    );
  }

  #tell(news: PartyNews): Promise<void> {
    const { consultationId, callId, personId, phoneCallId } = this.place;
    return this.#parts.calls.tell(consultationId, { callId, personId, phoneCallId, ...news });
  }

  #failed(error: unknown): void {
    const isOurs = !(error instanceof RelayError);
    this.#parts.log[isOurs ? 'error' : 'warn']('phone.partyFailed', { call: this.place.callId, error });
    void this.#leave('lost', 'unavailable');
  }

  #leave(reason: LeftReason, lastWords: LastWords = null): Promise<void> {
    return this.#end({ lastWords, end: 'failed', reason });
  }

  /** Ends it, once. Never rejects. */
  #end(ending: Ending): Promise<void> {
    this.#ending ??= this.#ended(ending).finally(() => this.#over.resolve());
    return this.#ending;
  }

  async #ended({ lastWords, end, reason }: Ending): Promise<void> {
    this.#stop.abort();
    this.#timers.clear();
    this.#question?.withdraw();
    // From here on neither hears the other, whatever is still said.
    this.#sound?.close();
    const left = reason === null ? Promise.resolve() : this.#tellLeft(reason);
    await this.#telephone?.hangUp(await lastWords, end);
    await left;
  }

  /** A seat whose telephone is gone does not stay: it is told until it is kept. */
  async #tellLeft(reason: LeftReason): Promise<void> {
    const { log } = this.#parts;
    const { signal } = this.#closed;
    for (let times = 0; !signal.aborted; times += 1) {
      try {
        await this.#tell({ type: 'phone.seatLeft', reason });
        return;
      } catch (error) {
        if (error instanceof AppError && error.code === 'NOT_FOUND') return;
        log.warn('phone.notTold', { call: this.place.callId, error });
      }
      const pauseMs = TELL_AGAIN_MS[Math.min(times, TELL_AGAIN_MS.length - 1)] ?? 0;
      await wait(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Why the seat is left by a telephone that has ended by itself. */
function reasonOf(end: PhoneCallEnd): LeftReason {
  switch (end) {
    case 'completed':
      return 'hung_up';
    case 'busy':
    case 'no_answer':
    case 'declined':
      return end;
    case 'cancelled':
    case 'failed':
    case 'unbound':
    case 'time_over':
    case 'lost':
      return 'lost';
    default: {
      const unreachable: never = end;
      return unreachable;
    }
  }
}
