/** What the bindings need of the world around them. */
import type {
  ConsultationId,
  ConsultationView,
  PersonId,
  PhoneBindingId,
  PhoneCallEndReason,
  PhoneCallId,
  PhoneNotRecordedReason,
  PhoneUnboundReason,
} from '@teleconsult/protocol';
import type { ConsultationKey } from '../../vault/consultation-key.ts';

/** What the thread of a consultation is told of masked calls. None of it holds a number. */
export type PhoneFact =
  | { readonly type: 'phone.bound'; readonly bindingId: PhoneBindingId; readonly expiresAt: number }
  | {
      readonly type: 'phone.unbound';
      readonly bindingId: PhoneBindingId;
      readonly reason: PhoneUnboundReason;
    }
  | {
      readonly type: 'phone.callStarted';
      readonly bindingId: PhoneBindingId;
      readonly phoneCallId: PhoneCallId;
    }
  | { readonly type: 'phone.callAnswered'; readonly phoneCallId: PhoneCallId }
  | {
      readonly type: 'phone.callEnded';
      readonly phoneCallId: PhoneCallId;
      readonly reason: PhoneCallEndReason;
      /** From answer to end in milliseconds; 0 when nobody answered. */
      readonly talkMs: number;
      /** Left out: it is recorded, or was not to be. */
      readonly notRecorded?: PhoneNotRecordedReason;
    }
  | { readonly type: 'phone.refused'; readonly personId: PersonId; readonly refused: boolean };

export interface PhoneNews {
  /** Who did it; null: a rule, the time, the host application. */
  readonly by: PersonId | null;
  /** When it happened, in milliseconds since 1970. */
  readonly at: number;
  readonly fact: PhoneFact;
}

/** Consultations, as the bindings see them. */
export interface PhoneHost {
  /** @throws AppError NOT_FOUND */
  view(consultationId: ConsultationId): Promise<ConsultationView>;
  /** The key that seals what belongs to a consultation. @throws AppError NOT_FOUND when it was erased */
  sealing(consultationId: ConsultationId): Promise<{ readonly key: ConsultationKey }>;
  /**
   * Tells the thread. Resolved: it is there. It is asked in order for one consultation, and again after a failure.
   * @param again it may be there already, and is to be looked for first (as `notes/announcements.ts` does): a refusal by
   * its person and what the newest such entry since `news.at` says, everything else by its ids
   * @throws AppError NOT_FOUND when the consultation was erased: it is not told again then
   */
  tell(consultationId: ConsultationId, news: PhoneNews, again: boolean): Promise<void>;
  /** The board of a consultation has changed. It may be said too often. */
  changed(consultationId: ConsultationId): void;
}

export interface PhoneIds {
  phoneBindingId(): PhoneBindingId;
  phoneCallId(): PhoneCallId;
}

/** Fetches recordings that lie at a provider, seals them, and deletes them there. */
export interface PhoneRecordings {
  /** Durable once resolved; again for the same recording changes nothing. */
  wanted(recording: {
    readonly provider: string;
    readonly recordingRef: string;
    readonly phoneCallId: PhoneCallId;
    readonly bindingId: PhoneBindingId;
    readonly consultationId: ConsultationId;
  }): Promise<void>;
}
