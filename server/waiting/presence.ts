import type { ConsultationId, ConsultationView, PersonId, TypingActivity } from '@teleconsult/protocol';
import type { Stepped } from '../host/batch.ts';
import type { Publisher } from '../host/ports.ts';
import type { Session } from '../signalling/session.ts';
import { Typing } from './typing.ts';

/** A person is away only after this long without a device, so that a reconnect is no flicker. */
const AWAY_AFTER_MS = 5_000;
/** How often what nobody watches any more is forgotten. */
const FORGET_MS = 60_000;

export interface PresenceParts {
  readonly publisher: Pick<Publisher, 'isOnline' | 'isWatched' | 'toOtherWatchers'>;
}

type Device = Pick<Session, 'personId' | 'deviceId' | 'onlyConsultation'>;

/** A consultation that somebody watches: who takes part, and who of them the watchers know to be there. */
interface Watched {
  readonly people: ReadonlySet<PersonId>;
  readonly online: Set<PersonId>;
}

/**
 * Who is there now, and who is typing. Nothing of it is kept, and nothing is read from the store: who takes part is
 * remembered from the moment somebody watches, so that ten thousand devices may come back at once.
 */
export class Presence {
  readonly #publisher: PresenceParts['publisher'];
  readonly #typing: Typing;
  readonly #watched = new Map<ConsultationId, Watched>();
  readonly #consultationsOf = new Map<PersonId, Set<ConsultationId>>();
  /** Devices that were lost a moment ago, by person and what their token reached. */
  readonly #leaving = new Map<string, NodeJS.Timeout>();
  readonly #forgetting: NodeJS.Timeout;

  constructor({ publisher }: PresenceParts) {
    this.#publisher = publisher;
    this.#typing = new Typing(publisher);
    this.#forgetting = setInterval(() => this.#forgetUnwatched(), FORGET_MS);
    this.#forgetting.unref();
  }

  /** Who is there, for somebody who watches from now on. Only devices whose token reaches the consultation count. */
  onlineIn({ consultationId, participants }: ConsultationView): readonly PersonId[] {
    const people = new Set(participants.map(({ personId }) => personId));
    this.#forget(consultationId);
    const online = new Set([...people].filter((personId) => this.#isThere(personId, consultationId)));
    this.#watched.set(consultationId, { people, online });
    for (const personId of people)
      this.#consultationsOf.set(
        personId,
        (this.#consultationsOf.get(personId) ?? new Set()).add(consultationId),
      );
    return [...online];
  }

  /** A device came or went: who watches a consultation with its person is told. */
  handleDevice(device: Device, type: 'device.lost' | 'device.returned'): void {
    const { personId, onlyConsultation } = device;
    if (type === 'device.returned') {
      this.#update(personId, onlyConsultation);
      return;
    }
    this.#typing.clear(device, onlyConsultation);
    const key = leavingKey(personId, onlyConsultation);
    clearTimeout(this.#leaving.get(key));
    const leaving = setTimeout(() => {
      this.#leaving.delete(key);
      this.#update(personId, onlyConsultation);
    }, AWAY_AFTER_MS);
    leaving.unref();
    this.#leaving.set(key, leaving);
  }

  /** Somebody joined or left a consultation that is watched. */
  handleChange({ before, after }: Stepped): void {
    const watched = this.#watched.get(after.id);
    if (before.participants === after.participants || watched === undefined) return;
    const people = new Set(after.participants.map(({ personId }) => personId));
    for (const personId of watched.people)
      if (!people.has(personId)) this.#typing.clear({ personId }, after.id);
    const { online } = watched;
    this.#forget(after.id);
    this.#watched.set(after.id, {
      people,
      online: new Set([...online].filter((personId) => people.has(personId))),
    });
    for (const personId of people) {
      this.#consultationsOf.set(personId, (this.#consultationsOf.get(personId) ?? new Set()).add(after.id));
      this.#update(personId, after.id);
    }
  }

  /** This device says what its person is doing. That the person takes part was checked before. */
  typing(consultationId: ConsultationId, device: Device, activity: TypingActivity): void {
    this.#typing.set(device, consultationId, activity, performance.now());
  }

  /** Tells nothing more. May be called twice. */
  close(): void {
    clearInterval(this.#forgetting);
    for (const leaving of this.#leaving.values()) clearTimeout(leaving);
    this.#leaving.clear();
    this.#watched.clear();
    this.#consultationsOf.clear();
  }

  /** Tells the watchers of one consultation, or of all with this person, where it is news. */
  #update(personId: PersonId, within: ConsultationId | null): void {
    const ids = within === null ? [...(this.#consultationsOf.get(personId) ?? [])] : [within];
    for (const consultationId of ids) {
      const watched = this.#watched.get(consultationId);
      if (watched === undefined || !watched.people.has(personId)) continue;
      const online = this.#isThere(personId, consultationId);
      if (online === watched.online.has(personId)) continue;
      if (online) watched.online.add(personId);
      else watched.online.delete(personId);
      this.#publisher.toOtherWatchers(consultationId, personId, 'presence.changed', {
        consultationId,
        personId,
        online,
      });
    }
  }

  /** Whether the person has a device, or lost the last one only a moment ago. */
  #isThere(personId: PersonId, consultationId: ConsultationId): boolean {
    return (
      this.#publisher.isOnline(personId, consultationId) ||
      this.#leaving.has(leavingKey(personId, null)) ||
      this.#leaving.has(leavingKey(personId, consultationId))
    );
  }

  #forgetUnwatched(): void {
    for (const consultationId of this.#watched.keys())
      if (!this.#publisher.isWatched(consultationId)) this.#forget(consultationId);
  }

  #forget(consultationId: ConsultationId): void {
    const watched = this.#watched.get(consultationId);
    this.#watched.delete(consultationId);
    for (const personId of watched?.people ?? []) {
      const consultations = this.#consultationsOf.get(personId);
      consultations?.delete(consultationId);
      if (consultations?.size === 0) this.#consultationsOf.delete(personId);
    }
  }
}

/** A blank occurs in no id. */
const leavingKey = (personId: PersonId, onlyConsultation: ConsultationId | null): string =>
  `${personId} ${onlyConsultation ?? ''}`;
