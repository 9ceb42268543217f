import {
  AppError,
  DEFAULT_PREFERENCES,
  type DeviceId,
  type PersonId,
  type Preferences,
  type RequestPayload,
} from '@teleconsult/protocol';
import type { Clock, Log, Publisher } from '../host/ports.ts';
import { BoundedMap } from '../notify/bounded-map.ts';
import type { PushSettings } from '../notify/settings.ts';
import type { Vault } from '../vault/vault.ts';
import type { PeopleStore, StoredSubscription } from './ports.ts';
import { checkedSubscription, Subscription } from './subscription.ts';

/** Most people whose choices and devices are kept in memory; those that were asked for longest ago are read again. */
const REMEMBERED_PEOPLE = 10_000;

export interface PeopleParts {
  readonly people: PeopleStore;
  readonly publisher: Publisher;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Log;
  readonly push: PushSettings | null;
}

/** A device that can be pushed to. */
export interface PushDevice {
  readonly deviceId: DeviceId;
  readonly createdAt: number;
  readonly subscription: Subscription;
}

/** What people have chosen, and where their closed apps can be reached. */
export class People {
  readonly #parts: PeopleParts;
  /** In the order in which they were asked for. A choice that is written replaces the promise, so none is out of date. */
  readonly #remembered = new BoundedMap<PersonId, Promise<Preferences>>(REMEMBERED_PEOPLE);
  readonly #devices = new BoundedMap<PersonId, Promise<readonly PushDevice[]>>(REMEMBERED_PEOPLE);
  /** The changes of a person follow one another: two devices that change different choices both count. */
  readonly #changing = new Map<PersonId, Promise<unknown>>();

  constructor(parts: PeopleParts) {
    this.#parts = parts;
  }

  preferences(personId: PersonId): Promise<Preferences> {
    let reading = this.#remembered.get(personId);
    if (reading === undefined) {
      const begun = this.#parts.people.preferences(personId).then((chosen) => chosen ?? DEFAULT_PREFERENCES);
      begun.catch(() => {
        if (this.#remembered.get(personId) === begun) this.#remembered.delete(personId);
      });
      reading = begun;
    }
    this.#remembered.set(personId, reading);
    return reading;
  }

  /** Changes what is named; what is left out stays. All devices of the person are told. */
  async setPreferences(personId: PersonId, change: RequestPayload<'preferences.set'>): Promise<Preferences> {
    const before = this.#changing.get(personId) ?? Promise.resolve();
    const changed = before.then(() => this.#change(personId, change));
    const settled = changed.catch(() => undefined);
    this.#changing.set(personId, settled);
    try {
      return await changed;
    } finally {
      if (this.#changing.get(personId) === settled) this.#changing.delete(personId);
    }
  }

  /** Whether others see what this person has read. Answered from memory where it is known. */
  async showsRead(personId: PersonId): Promise<boolean> {
    return (await this.preferences(personId)).readReceipts;
  }

  /** The public key that browsers subscribe with. */
  pushKey(): string {
    return this.#push().publicKey;
  }

  async subscribe(
    personId: PersonId,
    deviceId: DeviceId,
    subscription: RequestPayload<'push.subscribe'>['subscription'],
  ): Promise<void> {
    const { people, vault, clock } = this.#parts;
    const checked = checkedSubscription(subscription, this.#push().extraOrigins);
    const plain = Buffer.from(JSON.stringify(checked), 'utf8');
    const sealed = await vault.sealRecord(plain, placeOf(personId, deviceId));
    await people.putSubscription({ personId, deviceId, createdAt: clock(), sealed });
    this.#devices.delete(personId);
  }

  async unsubscribe(personId: PersonId, deviceId: DeviceId): Promise<void> {
    this.#push();
    await this.#parts.people.removeSubscription(personId, deviceId);
    this.#devices.delete(personId);
  }

  /** The devices a person can be pushed to. One that cannot be opened does not hide the others. */
  pushDevices(personId: PersonId): Promise<readonly PushDevice[]> {
    let reading = this.#devices.get(personId);
    if (reading === undefined) {
      const begun = this.#readDevices(personId);
      begun.catch(() => {
        if (this.#devices.get(personId) === begun) this.#devices.delete(personId);
      });
      reading = begun;
    }
    this.#devices.set(personId, reading);
    return reading;
  }

  /** The push service knows the subscription no more. One that the device made since then stays. */
  async forgetDevice(personId: PersonId, { deviceId, createdAt }: PushDevice): Promise<void> {
    await this.#parts.people.removeSubscription(personId, deviceId, createdAt);
    this.#devices.delete(personId);
  }

  async #change(personId: PersonId, change: RequestPayload<'preferences.set'>): Promise<Preferences> {
    const { people, publisher } = this.#parts;
    const present = await this.preferences(personId);
    const next: Preferences = {
      readReceipts: change.readReceipts ?? present.readReceipts,
      push: {
        calls: change.push?.calls ?? present.push.calls,
        messages: change.push?.messages ?? present.push.messages,
        consultations: change.push?.consultations ?? present.push.consultations,
      },
    };
    await people.setPreferences(personId, next);
    this.#remembered.set(personId, Promise.resolve(next));
    publisher.toPerson(personId, 'preferences.changed', next);
    return next;
  }

  async #readDevices(personId: PersonId): Promise<readonly PushDevice[]> {
    const devices: PushDevice[] = [];
    for (const stored of await this.#parts.people.subscriptions(personId)) {
      const device = await this.#open(stored);
      if (device !== null) devices.push(device);
    }
    return devices;
  }

  async #open({ personId, deviceId, createdAt, sealed }: StoredSubscription): Promise<PushDevice | null> {
    try {
      const plain = await this.#parts.vault.openRecord(sealed, placeOf(personId, deviceId));
      return { deviceId, createdAt, subscription: Subscription.parse(JSON.parse(plain.toString('utf8'))) };
    } catch (error) {
      this.#parts.log.error('push.unreadable', { person: personId, device: deviceId, error });
      return null;
    }
  }

  #push(): PushSettings {
    if (this.#parts.push === null) throw new AppError('NOT_CONFIGURED');
    return this.#parts.push;
  }
}

const placeOf = (person: PersonId, device: DeviceId) => ({ purpose: 'push-subscription', person, device });
