/** Somebody who takes part in a consultation's call by telephone: rung, let into the room, asked, told, hung up. */
import { setTimeout as wait } from 'node:timers/promises';
import type { RecordingId } from '@teleconsult/protocol';
import type { PhoneHangUpReason } from '../../consultation/phone-state.ts';
import type { Clock, Log } from '../../host/ports.ts';
import { type PhoneCallEnd, type PromptId, RelayError } from '../ports.ts';
import { systemClock, Timers } from '../sip/clock.ts';
import { ConsentQuestion } from './consent-question.ts';
import { KeyReader } from './key-reader.ts';
import type { PartyCalls, PartyRooms, PartySettings, Telephone, TelephoneBook, Telephones } from './ports.ts';
import { RoomSound } from './room-sound.ts';
import { isGone, type LeftReason, type PhonePlace, SeatNews } from './seat-news.ts';

/** How a recording of the call stands for this person. */
export interface PartyRecording {
  readonly recordingId: RecordingId;
  readonly isAsked: boolean;
  /** Others are recorded already, or were until a pause. */
  readonly hasBegun: boolean;
  /** What they say is recorded now, if it is heard. */
  readonly isRecorded: boolean;
}

export interface PhonePartyParts {
  readonly place: PhonePlace;
  /** When it stops ringing, in milliseconds since 1970. */
  readonly until: number;
  readonly telephones: Telephones;
  /** Who has dialled in is not rung. */
  readonly dialledIn?: Telephone;
  readonly book: TelephoneBook;
  readonly calls: Pick<PartyCalls, 'tell'>;
  readonly rooms: PartyRooms;
  readonly settings: PartySettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly answerWithinMs?: number;
  readonly goneWithinMs?: number;
}

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
/** Each wish is written to the disk and shown to everybody; nobody switches a microphone more often. */
const MOST_SWITCHES = 10;
const SWITCHES_WITHIN_MS = 10_000;
/** Who could not hear that they are recorded is told again so much later. */
const NOTICE_AGAIN_MS = 500;
/** Who has taken the seat, or ended the call, says so by then. */
const GONE_WITHIN_MS = 5_000;
/** The sound of the clinic's network never leaves the machine. */
export const LOOPBACK = '127.0.0.1';

export class PhoneParty {
  readonly place: PhonePlace;
  readonly #parts: PhonePartyParts;
  readonly #timers = new Timers<'warn' | 'gone' | 'over'>(systemClock);
  readonly #stop = new AbortController();
  readonly #over = Promise.withResolvers<void>();
  readonly #keys: KeyReader;
  readonly #news: SeatNews;
  /** Given up: nothing more is told. */
  readonly #closed = new AbortController();
  #telephone: Telephone | null = null;
  #sound: RoomSound | null = null;
  #question: ConsentQuestion | null = null;
  /** Asked before there was a way to ask. */
  #toAsk: RecordingId | null = null;
  /** The recording they were told of. */
  #knows: RecordingId | null = null;
  /** The recording of the call, as far as it was told. */
  #recording: PartyRecording | null = null;
  #isMuted = false;
  /** Notices that have not been heard yet: until then nobody hears them. */
  #notices = 0;
  #isSwitching = false;
  #switchedAt: readonly number[] = [];
  #talksSince: number | null = null;
  #ending: Promise<void> | null = null;

  constructor(parts: PhonePartyParts) {
    this.place = parts.place;
    this.#parts = parts;
    this.#news = new SeatNews(parts);
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
    this.#recording = recording;
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
    const { clock, dialledIn } = this.#parts;
    const telephone = dialledIn ?? (await this.#dialOut());
    if (telephone === null) return;
    this.#telephone = telephone;
    telephone.listen((digit) => this.#keys.pressed(digit, clock()));
    void telephone.ended.then(({ end }) => this.#leave(reasonOf(end)));
    if (this.#isOver) return void telephone.hangUp(null, 'cancelled');
    if ((await telephone.answered) !== 'answered') return;
    this.#talksSince = clock();
    if (dialledIn !== undefined) this.#limitTalk();
    await telephone.say('connecting', this.#stop.signal);
    if (!this.#isOver) await this.#takeSeat(telephone);
  }

  /** null: it is not rung, and that was told. */
  async #dialOut(): Promise<Telephone | null> {
    const { book, place, until, clock, telephones, settings } = this.#parts;
    const reachable = await book.telephoneOf(place.consultationId, place.personId);
    if (this.#isOver) return null;
    const ringMs = until - clock();
    if (reachable === null || ringMs <= 0) {
      void this.#leave(reachable === null ? 'lost' : 'no_answer');
      return null;
    }
    return telephones.dialOut({ ...reachable, ...settings, ringMs, soundHost: LOOPBACK });
  }

  /** A telephone that we ring is told how long it may talk; for one that has called less may be left. */
  #limitTalk(): void {
    const { maxTalkMs } = this.#parts.settings;
    this.#timers.set(
      'over',
      Math.min(maxTalkMs, 2 ** 31 - 1),
      () => void this.#end({ lastWords: 'time_over', end: 'time_over', reason: 'lost' }),
    );
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
        () =>
          void telephone
            .say('time_nearly_over', this.#stop.signal)
            .catch((error: unknown) => this.#failed(error)),
      );
    await this.#ask();
  }

  /** False: somebody else answered, or the call has ended. */
  async #answerSeat(): Promise<boolean> {
    try {
      await this.#news.tell({ type: 'phone.seatAnswered' });
      return true;
    } catch (error) {
      if (!isGone(error)) throw error;
      // Whoever was rung by us is only let go; whoever has called is told that they are not connected.
      const lastWords = this.#parts.dialledIn === undefined ? null : 'unavailable';
      void this.#end({ lastWords, end: 'cancelled', reason: null });
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
      answer: async (id, { granted, hasHeard }) => {
        // They know by now: a second notice would only be in the recording.
        if (granted && hasHeard) this.#knows = id;
        await this.#news.tellUntilKept(
          { type: 'phone.consent', recordingId: id, granted },
          this.#stop.signal,
        );
      },
      hasBegun: () => this.#recording?.recordingId === recordingId && this.#recording.hasBegun,
      ...(answerWithinMs === undefined ? {} : { answerWithinMs }),
    });
    this.#question = question;
    await question.ask();
    this.#question = null;
    // One that was asked for meanwhile had to wait.
    await this.#ask();
  }

  async #giveNotice(recordingId: RecordingId): Promise<void> {
    const telephone = this.#telephone;
    if (telephone === null || this.#sound === null || this.#isOver) return;
    this.#knows = recordingId;
    this.#notices += 1;
    this.#followPaused();
    try {
      const hasHeard = await this.#saysNotice(telephone, recordingId);
      if (!hasHeard && this.#knows === recordingId) this.#knows = null;
      this.#notices -= 1;
      this.#followPaused();
    } catch (error) {
      // Who could not be told is not recorded, and so cannot stay.
      this.#failed(error);
    }
  }

  /** Who holds has heard nothing, and is told once they are back. False: it is not recorded any more, or they are gone. */
  async #saysNotice(telephone: Telephone, recordingId: RecordingId): Promise<boolean> {
    const { signal } = this.#stop;
    while (!(await telephone.say('recorded', signal))) {
      await wait(NOTICE_AGAIN_MS, undefined, { signal }).catch(() => undefined);
      const isMeant = this.#recording?.recordingId === recordingId && this.#recording.isRecorded;
      if (this.#isOver || telephone.isOver || !isMeant) return false;
    }
    return true;
  }

  #followPaused(): void {
    this.#sound?.setPaused(this.#isMuted || this.#notices > 0);
  }

  /** One wish at a time, and so many in a while, however quickly keys come. */
  #switchMicrophone(): void {
    if (!this.isTalking || this.#sound === null || this.#isSwitching) return;
    const now = this.#parts.clock();
    const lately = this.#switchedAt.filter((at) => now - at < SWITCHES_WITHIN_MS);
    if (lately.length >= MOST_SWITCHES) return;
    this.#switchedAt = [...lately, now];
    this.#isSwitching = true;
    void this.#news.tellOnce({ type: 'phone.microphone', on: this.#isMuted }).finally(() => {
      this.#isSwitching = false;
    });
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
    const left = reason === null ? Promise.resolve() : this.#news.tellLeft(reason, this.#closed.signal);
    await this.#telephone?.hangUp(await lastWords, end);
    await left;
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
