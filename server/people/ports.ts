import type { DeviceId, PersonId, Preferences } from '@teleconsult/protocol';

/** A person has few devices with a browser that is asked for pushes; the oldest are given up beyond this many. */
export const MAX_SUBSCRIPTIONS = 10;

/** Where a device can be reached while its app is closed (Web Push, RFC 8030). `sealed` holds endpoint and keys. */
export interface StoredSubscription {
  readonly personId: PersonId;
  readonly deviceId: DeviceId;
  readonly createdAt: number;
  readonly sealed: Uint8Array;
}

/** What is kept of a person beside consultations. A resolved write is on disk. */
export interface PeopleStore {
  /** null: never chosen anything. */
  preferences(personId: PersonId): Promise<Preferences | null>;
  setPreferences(personId: PersonId, preferences: Preferences): Promise<void>;
  /** Newest first. */
  subscriptions(personId: PersonId): Promise<readonly StoredSubscription[]>;
  /** Replaces the device's former subscription. At most ten a person: the oldest go. */
  putSubscription(subscription: StoredSubscription): Promise<void>;
  /** With `createdAt` only that very subscription: one that replaced it meanwhile stays. */
  removeSubscription(personId: PersonId, deviceId: DeviceId, createdAt?: number): Promise<void>;
}
