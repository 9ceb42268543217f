/** What telephones in a consultation's call need of the world around them. */
import type { PhoneSeat, PhoneSeatOptions } from '@teleconsult/media';
import type { CallId, ConsultationId, PersonId, PhoneCallId } from '@teleconsult/protocol';
import type { PhoneSeatEvent } from '../../consultation/commands.ts';
import type { KeyQuestion } from '../embedded/leg-words.ts';
import type { DialOut, LegEnd, LegOutcome, LegPlace, SoundPeer } from '../embedded/phone-leg-call.ts';
import type { PhoneNumber } from '../numbers.ts';
import type { PhoneCallEnd, PhoneLanguage, PromptId } from '../ports.ts';

/** One telephone that is rung, or has dialled in. Its sound has a place at once; nothing passes until `bridge(true)`. */
export interface Telephone {
  /** Never rejects. */
  readonly answered: Promise<LegOutcome>;
  /** Never rejects. */
  readonly ended: Promise<LegEnd>;
  /** It was hung up, or is being hung up. */
  readonly isOver: boolean;
  /** Where the room is to send to, and the SSRC of what it is sent. */
  readonly sound: LegPlace;
  /** Where the room listens. May be said again when it has moved. */
  connect(peer: SoundPeer): void;
  bridge(on: boolean): void;
  /** Whom keys are told from now on. */
  listen(onDigit: (digit: string) => void): void;
  /** Resolves when it was said, stopped, or the phone is gone, with whether somebody could hear all of it. */
  say(prompt: PromptId, signal?: AbortSignal): Promise<boolean>;
  /** The first of these keys that is pressed; null: none in time, stopped, or the phone is gone. */
  ask(question: KeyQuestion): Promise<string | null>;
  /** Resolves when it was hung up. Again changes nothing. Never rejects. */
  hangUp(prompt: PromptId | null, end?: PhoneCallEnd): Promise<void>;
}

/** A line that rings single telephones (`embedded/phone-legs.ts`). */
export interface Telephones {
  /** @throws RelayError `refused`, `unavailable` */
  dialOut(wish: DialOut): Promise<Telephone>;
}

/** Where a person is rung, and what their telephone shows. It is never logged. */
export interface Reachable {
  readonly to: PhoneNumber;
  readonly showAs: PhoneNumber;
}

/** Who knows the telephones of people (`bindings/`). */
export interface TelephoneBook {
  /** null: none is known, they do not want to be phoned, or it may not be dialled. */
  telephoneOf(consultationId: ConsultationId, personId: PersonId): Promise<Reachable | null>;
}

/** The calls of consultations, as telephones in them see them. */
export interface PartyCalls {
  /** @throws AppError NOT_FOUND when the call does not know the telephone any more: it is to be hung up */
  tell(consultationId: ConsultationId, event: PhoneSeatEvent): Promise<void>;
  /**
   * Gives the telephone of somebody who has dialled in its place in the call: `phone.ring` was told of it once this resolves.
   * @throws AppError BUSY, FORBIDDEN, NOT_FOUND, WRONG_STATE, and what the store fails with
   */
  dialIn(
    consultationId: ConsultationId,
    wish: { readonly callId: CallId; readonly personId: PersonId; readonly phoneCallId: PhoneCallId },
  ): Promise<void>;
}

/** The media of calls. */
export interface PartyRooms {
  /** @throws AppError MEDIA_UNAVAILABLE, INVALID */
  joinPhone(
    address: { readonly callId: CallId; readonly personId: PersonId },
    options: Omit<PhoneSeatOptions, 'seatId'>,
  ): Promise<PhoneSeat>;
}

export interface PartySettings {
  readonly language: PhoneLanguage;
  readonly maxTalkMs: number;
}
