import { setTimeout as wait } from 'node:timers/promises';
import {
  AppError,
  type ConsultationId,
  type ConsultationView,
  type PersonId,
  type PhoneCallId,
} from '@teleconsult/protocol';
import type { PhoneEffect, PhoneHangUpReason } from '../../consultation/phone-state.ts';
import { recordedPeople } from '../../consultation/recording.ts';
import type { CallRecord } from '../../consultation/state.ts';
import type { Stepped } from '../../host/batch.ts';
import type { PhoneLegs } from '../../host/phone-legs.ts';
import type { Clock, Log } from '../../host/ports.ts';
import type { PhoneIds } from '../bindings/ports.ts';
import type { PhoneLimits } from '../bindings/settings.ts';
import type { PromptId } from '../ports.ts';
import { type PartyRecording, PhoneParty } from './phone-party.ts';
import type { PartyCalls, PartyRooms, PartySettings, Telephone, TelephoneBook, Telephones } from './ports.ts';
import { RingBudget } from './ring-budget.ts';
import type { PhonePlace } from './seat-news.ts';

export interface PhonePartiesParts {
  readonly telephones: Telephones;
  readonly book: TelephoneBook;
  readonly calls: PartyCalls;
  readonly rooms: PartyRooms;
  /** @throws AppError NOT_FOUND */
  readonly view: (consultationId: ConsultationId) => Promise<ConsultationView>;
  readonly settings: PartySettings & { readonly limits: PhoneLimits };
  readonly ids: Pick<PhoneIds, 'phoneCallId'>;
  readonly clock: Clock;
  readonly log: Log;
  /** How long the server waits for what is said to those on the phone when it stops. */
  readonly lastWordsMs?: number;
  readonly answerWithinMs?: number;
  readonly goneWithinMs?: number;
}

/** What a server that stops has: the announcement is longer, and cut. */
const LAST_WORDS_MS = 6_000;

/** Telephones in the calls of consultations: what the domain wants of them is carried out, and answered always. */
export class PhoneParties implements PhoneLegs {
  readonly #parts: PhonePartiesParts;
  readonly #budget: RingBudget;
  readonly #parties = new Map<PhoneCallId, PhoneParty>();
  /** Telephones that have dialled in, until their call has a place for them. */
  readonly #dialledIn = new Map<PhoneCallId, Telephone>();
  #closing: Promise<void> | null = null;

  constructor(parts: PhonePartiesParts) {
    this.#parts = parts;
    this.#budget = new RingBudget(parts.settings.limits, parts.clock);
  }

  /** Telephones that ring or talk. */
  get size(): number {
    return this.#parties.size;
  }

  carryOut(consultationId: ConsultationId, effect: PhoneEffect): void {
    const party = this.#parties.get(effect.phoneCallId);
    switch (effect.type) {
      case 'phone.ring':
        if (party === undefined) this.#ring(consultationId, effect);
        return;
      case 'phone.hangUp':
        if (party !== undefined) this.#hangUp(party, effect.why);
        return;
      case 'phone.setMuted':
        party?.setMuted(effect.muted);
        return;
      case 'phone.askConsent':
        party?.askConsent(effect.recordingId);
        return;
      default: {
        const unreachable: never = effect;
        return unreachable;
      }
    }
  }

  /**
   * Takes a telephone that has dialled in, and is answered, into a call. Resolves when that is settled: with null, or with
   * what to tell it when there is no place. Never rejects.
   */
  async join(
    {
      consultationId,
      ...at
    }: { readonly consultationId: ConsultationId } & Pick<PhonePlace, 'callId' | 'personId'>,
    telephone: Telephone,
  ): Promise<PromptId | null> {
    const { calls, ids, log, settings } = this.#parts;
    const who = { consultationId, personId: at.personId };
    // Whoever calls too often leaves no trace in the thread each time.
    if (this.#closing !== null || !this.#budget.mayTake(who, settings.maxTalkMs)) return 'unavailable';
    const phoneCallId = ids.phoneCallId();
    this.#dialledIn.set(phoneCallId, telephone);
    try {
      await calls.dialIn(consultationId, { callId: at.callId, personId: at.personId, phoneCallId });
      // Not taken: a limit is reached.
      return this.#dialledIn.has(phoneCallId) ? 'unavailable' : null;
    } catch (error) {
      const code = error instanceof AppError ? error.code : null;
      if (code === null) log.error('phone.notJoined', { consultation: consultationId, error });
      return code === 'BUSY' ? 'busy' : code === 'FORBIDDEN' ? 'refused' : 'unavailable';
    } finally {
      this.#dialledIn.delete(phoneCallId);
    }
  }

  /** A call has changed, and perhaps what is recorded of it. To be told before whoever records. */
  handleChange({ before, after }: Pick<Stepped, 'before' | 'after'>): void {
    if (before.call === after.call || this.#parties.size === 0) return;
    for (const party of this.#parties.values()) {
      const { consultationId, callId, personId } = party.place;
      if (consultationId !== after.id) continue;
      party.follow(after.call?.callId === callId ? recordingFor(after.call, personId) : null);
    }
  }

  /** Whoever is on the phone is told that it ends; nobody is rung any more. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #ring(consultationId: ConsultationId, effect: Extract<PhoneEffect, { type: 'phone.ring' }>): void {
    const { callId, personId, phoneCallId, until } = effect;
    const { settings, log, calls } = this.#parts;
    const spent =
      this.#closing === null ? this.#budget.take({ consultationId, personId }, settings.maxTalkMs) : null;
    if (spent === null) {
      log.warn('phone.notRung', { consultation: consultationId, reason: 'limit' });
      const gone = { type: 'phone.seatLeft', reason: 'lost', callId, personId, phoneCallId } as const;
      calls.tell(consultationId, gone).catch((error: unknown) => {
        // It rings until its time is over then, for nobody.
        log.warn('phone.notTold', { call: callId, error });
      });
      return;
    }
    const dialledIn = this.#dialledIn.get(phoneCallId);
    this.#dialledIn.delete(phoneCallId);
    const party = new PhoneParty({
      ...this.#parts,
      ...(dialledIn === undefined ? {} : { dialledIn }),
      place: { consultationId, callId, personId, phoneCallId },
      until,
      settings: { language: settings.language, maxTalkMs: spent.maxTalkMs },
    });
    this.#parties.set(phoneCallId, party);
    log.info('phone.rung', { consultation: consultationId, call: callId });
    void party.run().finally(() => {
      spent.talkMs = party.talkMs;
      spent.isOver = true;
      this.#parties.delete(phoneCallId);
      log.info('phone.hungUp', { consultation: consultationId, call: callId, ms: spent.talkMs });
    });
  }

  #hangUp(party: PhoneParty, why: PhoneHangUpReason): void {
    // Whoever is hung up on because the visit is over hears so.
    party.hangUp(why, why === 'call_ended' && party.isTalking ? this.#lastWords(party) : null);
  }

  async #lastWords({ place: { consultationId } }: PhoneParty): Promise<PromptId | null> {
    try {
      const { phase } = await this.#parts.view(consultationId);
      return phase === 'ended' ? 'visit_ended' : null;
    } catch {
      return null;
    }
  }

  async #close(): Promise<void> {
    const { lastWordsMs = LAST_WORDS_MS } = this.#parts;
    const limit = new AbortController();
    const ending = [...this.#parties.values()].map((party) => party.close('unavailable'));
    const late = wait(lastWordsMs, undefined, { signal: limit.signal }).catch(() => undefined);
    await Promise.race([Promise.all(ending), late]);
    limit.abort();
  }
}

function recordingFor(call: CallRecord, person: PersonId): PartyRecording | null {
  const { recording } = call;
  if (recording === null) return null;
  const consent = recording.consents.find(({ personId }) => personId === person);
  return {
    recordingId: recording.recordingId,
    isAsked: consent?.state === 'asked',
    hasBegun: recording.phase.name !== 'asking',
    isRecorded: recordedPeople(call).includes(person),
  };
}
