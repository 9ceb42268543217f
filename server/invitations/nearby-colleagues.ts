import {
  AppError,
  type ConsultationId,
  type ConsultationView,
  type Participant,
  type PersonId,
  type RequestResult,
} from '@teleconsult/protocol';
import type { ConsultationHost } from '../host/host.ts';
import type { Clock, ConsultationStore, Log } from '../host/ports.ts';
import { requireWhole } from '../identity/access.ts';
import { Attempts } from './attempts.ts';
import { type Inviter, nameOf, requireDoctor } from './inviter.ts';
import { boundKm, distanceKm, type Position, roundedPlace } from './place.ts';

/** How long a doctor is seen after one consent. */
const SHOWN_MS = 10 * 60_000;
/** Most doctors who are seen at once, so that the memory is bounded. */
const MAX_SHOWN = 10_000;
const MAX_LISTED = 50;
/** How often a doctor may say where they are in an hour: enough to stay visible, too few to search a city. */
const SHOWS_AN_HOUR = 60;
const REQUESTS_AN_HOUR = 10;
const HOUR_S = 3_600;
/** How many of a person’s consultations are looked through for an open thread with the same colleague. */
const LOOKED_THROUGH = 10_000;

export interface NearbyColleaguesParts {
  readonly host: Pick<ConsultationHost, 'create' | 'view'>;
  readonly store: Pick<ConsultationStore, 'listFor'>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Shown {
  readonly displayName: string;
  readonly place: Position;
  readonly until: number;
}

/**
 * Doctors who let colleagues near by see them: with consent each time, for ten minutes, rounded to about a kilometre
 * on arrival, in memory only and never logged.
 */
export class NearbyColleagues {
  readonly #parts: NearbyColleaguesParts;
  /** In the order in which they end: showing again moves a person to the end. */
  readonly #shown = new Map<PersonId, Shown>();
  readonly #shows = new Attempts(SHOWS_AN_HOUR, HOUR_S);
  readonly #requests = new Attempts(REQUESTS_AN_HOUR, HOUR_S);
  /** Threads that are being asked for, so that two requests at once make one. */
  readonly #asking = new Map<string, Promise<ConsultationView>>();
  #forgetting: NodeJS.Timeout | null = null;

  constructor(parts: NearbyColleaguesParts) {
    this.#parts = parts;
  }

  /** @throws AppError FORBIDDEN (no doctor), INVALID (the token holds no name), RATE_LIMITED */
  async show(by: Inviter, position: Position): Promise<{ until: number }> {
    requireWhole(by);
    requireDoctor(by);
    const displayName = nameOf(by);
    await this.#shows.take(by.personId);
    this.#forgetPast();
    const until = this.#parts.clock() + SHOWN_MS;
    this.#shown.delete(by.personId);
    if (this.#shown.size >= MAX_SHOWN) throw new AppError('RATE_LIMITED');
    this.#shown.set(by.personId, { displayName, place: roundedPlace(position), until });
    this.#forgetInTime();
    return { until };
  }

  hide(by: Inviter): void {
    requireWhole(by);
    this.#shown.delete(by.personId);
  }

  /** Nearest first. @throws AppError FORBIDDEN (no doctor), WRONG_STATE (the caller does not let themself be seen) */
  list(by: Inviter): RequestResult<'nearby.list'>['colleagues'] {
    requireWhole(by);
    requireDoctor(by);
    const { place } = this.#shownOf(by);
    return [...this.#shown]
      .flatMap(([personId, { displayName, place: other }]) => {
        const roundedKm = distanceKm(place, other);
        const withinKm = personId === by.personId ? null : boundKm(roundedKm);
        return withinKm === null ? [] : [{ colleague: { personId, displayName, withinKm }, roundedKm }];
      })
      .toSorted((one, other) => one.roundedKm - other.roundedKm || order(one.colleague, other.colleague))
      .slice(0, MAX_LISTED)
      .map(({ colleague }) => colleague);
  }

  /**
   * Asks for a thread; again answers the same one as long as it is open, whoever of the two asked first.
   * @throws AppError FORBIDDEN, WRONG_STATE (the caller is not seen), NOT_FOUND (nobody near by), RATE_LIMITED
   */
  async request(by: Inviter, personId: PersonId): Promise<ConsultationView> {
    requireWhole(by);
    requireDoctor(by);
    const displayName = nameOf(by);
    const { place } = this.#shownOf(by);
    const colleague = this.#shown.get(personId);
    const isNear = colleague !== undefined && boundKm(distanceKm(place, colleague.place)) !== null;
    if (!isNear || personId === by.personId) throw new AppError('NOT_FOUND');
    const pair = [by.personId, personId].toSorted().join(' ');
    const earlier = this.#asking.get(pair);
    if (earlier !== undefined) return earlier;
    const asking = this.#ask([
      { personId: by.personId, role: 'doctor', displayName },
      { personId, role: 'doctor', displayName: colleague.displayName },
    ]).finally(() => this.#asking.delete(pair));
    this.#asking.set(pair, asking);
    return asking;
  }

  /** Everybody is forgotten. May be called twice. */
  close(): void {
    if (this.#forgetting !== null) clearTimeout(this.#forgetting);
    this.#forgetting = null;
    this.#shown.clear();
  }

  async #ask(participants: readonly [Participant, Participant]): Promise<ConsultationView> {
    const { host, log } = this.#parts;
    const [{ personId: requestedBy }] = participants;
    const open = await this.#openThread(participants);
    if (open !== null) return open;
    await this.#requests.take(requestedBy);
    try {
      const { view } = await host.create({ participants, requestedBy }, null);
      log.info('colleague.requested', { person: requestedBy, consultation: view.consultationId });
      return view;
    } catch (error) {
      await this.#requests.giveBack(requestedBy);
      throw error;
    }
  }

  /** The open thread that one of the two asked the other for. Others may have been drawn in since. */
  async #openThread([one, other]: readonly [Participant, Participant]): Promise<ConsultationView | null> {
    const { store } = this.#parts;
    const page = { limit: LOOKED_THROUGH, createdBefore: null };
    const ofOther = new Set(await store.listFor(other.personId, page));
    for (const id of await store.listFor(one.personId, page)) {
      if (!ofOther.has(id)) continue;
      const view = await this.#readable(id, one.personId);
      const isTheirs = view?.participants
        .filter(({ role }) => role === 'doctor')
        .every(({ personId }) => [one.personId, other.personId].includes(personId));
      if (view?.kind === 'colleagues' && view.phase !== 'ended' && isTheirs) return view;
    }
    return null;
  }

  /** One that cannot be read is no reason to refuse a new thread. */
  async #readable(id: ConsultationId, personId: PersonId): Promise<ConsultationView | null> {
    try {
      return await this.#parts.host.view(id, personId);
    } catch (error) {
      this.#parts.log.error('consultation.unreadable', { consultation: id, error });
      return null;
    }
  }

  #shownOf({ personId }: Inviter): Shown {
    this.#forgetPast();
    const shown = this.#shown.get(personId);
    if (shown === undefined)
      throw new AppError('WRONG_STATE', { detail: 'only who is shown sees others: nearby.show comes first' });
    return shown;
  }

  #forgetPast(): void {
    const now = this.#parts.clock();
    for (const [personId, { until }] of this.#shown) {
      if (until > now) return;
      this.#shown.delete(personId);
    }
  }

  /** What nobody asks for any more goes in its time too. */
  #forgetInTime(): void {
    const [first] = this.#shown.values();
    if (this.#forgetting !== null || first === undefined) return;
    this.#forgetting = setTimeout(
      () => {
        this.#forgetting = null;
        this.#forgetPast();
        this.#forgetInTime();
      },
      Math.max(1, first.until - this.#parts.clock()),
    );
    this.#forgetting.unref();
  }
}

const order = (one: { personId: string }, other: { personId: string }): number =>
  one.personId < other.personId ? -1 : 1;
