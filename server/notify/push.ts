import type { DeviceId, Entry, PersonId } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { Clock, Log, Publisher } from '../host/ports.ts';
import type { People } from '../people/people.ts';
import { BoundedMap } from './bounded-map.ts';
import { type Notice, noticesOf } from './notices.ts';
import { PUSH_PACE, PushSender } from './push-sender.ts';
import type { Receiver } from './receiver.ts';
import type { RetryPace } from './retry-delay.ts';
import type { PushSettings } from './settings.ts';
import type { Situations } from './situations.ts';

/** Who was told of a message hears of the next one only after this, unless they have read it meanwhile. */
const MESSAGE_PAUSE_MS = 10_000;
/** Most people and consultations of whom the last notice is remembered. */
const REMEMBERED = 10_000;

export interface PushParts {
  readonly settings: PushSettings;
  readonly situations: Situations;
  readonly people: Pick<People, 'preferences' | 'pushDevices' | 'forgetDevice'>;
  readonly publisher: Pick<Publisher, 'isConnected'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly pace?: RetryPace | undefined;
}

interface LastNotice {
  readonly at: number;
  readonly sequence: number;
}

/** Wakes devices whose app is closed. A push is a hint and may be lost; the thread holds what happened. */
export class Push implements Receiver {
  readonly name = 'push';
  readonly #parts: PushParts;
  readonly #sender: PushSender;
  readonly #lastMessage = new BoundedMap<string, LastNotice>(REMEMBERED);
  /** Who was told that a call rings them no more. One that also ends is told once. */
  readonly #over = new BoundedMap<string, true>(REMEMBERED);

  constructor(parts: PushParts) {
    this.#parts = parts;
    const { people, pace = PUSH_PACE } = parts;
    this.#sender = new PushSender({
      ...parts,
      pace,
      onGone: (personId, device) => people.forgetDevice(personId, device),
      isWanted: (notice, { deviceId }) => !this.#isConnected(notice, deviceId),
    });
  }

  async tell(entry: Entry): Promise<void> {
    // Most people have no device: then nothing more has to be found out.
    if (!(await this.isAwaitedBy(await this.#parts.situations.peopleOf(entry)))) return;
    const situation = await this.#parts.situations.of(entry);
    const notices = noticesOf(entry, situation);
    await Promise.all(
      notices.map((notice) => this.#tellPerson(notice, entry, situation.read.get(notice.personId) ?? 0)),
    );
  }

  /** Whether one of them has a device that can be pushed to. */
  async isAwaitedBy(people: readonly PersonId[]): Promise<boolean> {
    for (const personId of people)
      if ((await this.#parts.people.pushDevices(personId)).length > 0) return true;
    return false;
  }

  close(): Promise<void> {
    return this.#sender.close();
  }

  async #tellPerson(notice: Notice, entry: Entry, read: number): Promise<void> {
    const { people } = this.#parts;
    const { personId, choice } = notice;
    if (!(await people.preferences(personId)).push[choice]) return;
    const devices = (await people.pushDevices(personId)).filter(
      ({ deviceId }) => !this.#isConnected(notice, deviceId),
    );
    if (devices.length === 0) return;
    if (this.#isRepeat(notice, entry, read)) return;
    await Promise.all(devices.map((device) => this.#sender.send(notice, device)));
  }

  #isConnected({ personId, consultationId }: Notice, deviceId: DeviceId): boolean {
    return this.#parts.publisher.isConnected(personId, deviceId, consultationId);
  }

  /** Whether the person's devices show it already; else they will. */
  #isRepeat({ personId, payload }: Notice, entry: Entry, read: number): boolean {
    switch (payload.kind) {
      case 'message':
        return this.#wasJustTold(personId, entry, read);
      case 'call.ringing':
        this.#over.delete(`${personId}|${payload.callId}`);
        return false;
      case 'call.over': {
        const key = `${personId}|${payload.callId}`;
        const repeat = this.#over.get(key) !== undefined;
        this.#over.set(key, true);
        return repeat;
      }
      case 'consultation':
        return false;
      default:
        return unreachable(payload);
    }
  }

  /** Whether the person has an unseen notice of this consultation that is a few seconds old; else this is the new one. */
  #wasJustTold(personId: PersonId, { consultationId, sequence }: Entry, read: number): boolean {
    const key = `${personId}|${consultationId}`;
    const now = this.#parts.clock();
    const last = this.#lastMessage.get(key);
    if (last !== undefined && last.at + MESSAGE_PAUSE_MS > now && read < last.sequence) return true;
    this.#lastMessage.set(key, { at: now, sequence });
    return false;
  }
}
