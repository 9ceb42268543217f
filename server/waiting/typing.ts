import type { ConsultationId, DeviceId, PersonId, TypingActivity } from '@teleconsult/protocol';
import { TYPING_MS } from '@teleconsult/protocol/limits';
import type { Publisher } from '../host/ports.ts';

/** A notice that only repeats the last one is passed on at most once in this time. */
const REPEAT_MS = 1_000;
/** Most changes of one person in one consultation that are passed on in a second, for a client that flickers. */
const CHANGES_A_SECOND = 5;
/** Most people who type at once; of more the one heard of longest ago is forgotten. */
const MAX_TYPING = 20_000;

export interface Typist {
  readonly personId: PersonId;
  readonly deviceId: DeviceId;
}

interface Notice {
  readonly deviceId: DeviceId;
  readonly activity: TypingActivity;
  readonly toldAt: number;
  /** The second in which changes are counted, and how many there were. */
  readonly countedFrom: number;
  readonly changes: number;
}

/** Who is typing or recording. Told to the others who watch, and forgotten. */
export class Typing {
  readonly #publisher: Pick<Publisher, 'toOtherWatchers'>;
  /** By person, in the order in which they were heard of. */
  readonly #notices = new Map<PersonId, Map<ConsultationId, Notice>>();

  constructor(publisher: Pick<Publisher, 'toOtherWatchers'>) {
    this.#publisher = publisher;
  }

  /** How many people are remembered. */
  get size(): number {
    return this.#notices.size;
  }

  /** @param now in milliseconds, on any clock that only goes forward */
  set(typist: Typist, consultationId: ConsultationId, activity: TypingActivity, now: number): void {
    this.#forgetPast(now);
    const { personId, deviceId } = typist;
    const own = this.#notices.get(personId) ?? new Map<ConsultationId, Notice>();
    const last = own.get(consultationId);
    const isRepeat = (last?.activity ?? 'none') === activity;
    if (isRepeat && (last === undefined || activity === 'none' || now - last.toldAt < REPEAT_MS)) return;
    const isNewSecond = last === undefined || now - last.countedFrom >= 1_000;
    const changes = (isNewSecond ? 0 : last.changes) + (isRepeat ? 0 : 1);
    // An end always passes: whoever was told of a beginning hears of it.
    if (changes > CHANGES_A_SECOND && activity !== 'none') return;
    const countedFrom = isNewSecond ? now : last.countedFrom;
    own.set(consultationId, { deviceId, activity, toldAt: now, countedFrom, changes });
    this.#notices.delete(personId);
    this.#notices.set(personId, own);
    this.#tell(personId, consultationId, activity);
  }

  /** Ends what this person, or this device of theirs, was typing, in one consultation or (null) anywhere. */
  clear(
    { personId, deviceId }: { readonly personId: PersonId; readonly deviceId?: DeviceId },
    within: ConsultationId | null,
  ): void {
    const own = this.#notices.get(personId);
    for (const [consultationId, notice] of own ?? []) {
      if (within !== null && consultationId !== within) continue;
      if (deviceId !== undefined && notice.deviceId !== deviceId) continue;
      own?.delete(consultationId);
      if (notice.activity !== 'none') this.#tell(personId, consultationId, 'none');
    }
    if (own?.size === 0) this.#notices.delete(personId);
  }

  /** Watchers end a notice by themselves that is not renewed. */
  #forgetPast(now: number): void {
    for (const [personId, own] of this.#notices) {
      for (const [consultationId, { toldAt }] of own)
        if (now - toldAt >= TYPING_MS) own.delete(consultationId);
      if (own.size > 0 && this.#notices.size < MAX_TYPING) return;
      this.#notices.delete(personId);
    }
  }

  #tell(personId: PersonId, consultationId: ConsultationId, activity: TypingActivity): void {
    this.#publisher.toOtherWatchers(consultationId, personId, 'typing.changed', {
      consultationId,
      personId,
      activity,
    });
  }
}
