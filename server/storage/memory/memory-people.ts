import type { DeviceId, PersonId, Preferences } from '@teleconsult/protocol';
import { MAX_SUBSCRIPTIONS, type PeopleStore, type StoredSubscription } from '../../people/ports.ts';

/** Choices and push subscriptions in memory, gone with the process: for tests and for trying things out. */
export class MemoryPeople implements PeopleStore {
  readonly #preferences = new Map<PersonId, Preferences>();
  readonly #subscriptions = new Map<PersonId, readonly StoredSubscription[]>();

  async preferences(personId: PersonId): Promise<Preferences | null> {
    return structuredClone(this.#preferences.get(personId) ?? null);
  }

  async setPreferences(personId: PersonId, preferences: Preferences): Promise<void> {
    this.#preferences.set(personId, structuredClone(preferences));
  }

  async subscriptions(personId: PersonId): Promise<readonly StoredSubscription[]> {
    return structuredClone(this.#of(personId));
  }

  async putSubscription(subscription: StoredSubscription): Promise<void> {
    const { personId, deviceId } = subscription;
    const others = this.#of(personId).filter((other) => other.deviceId !== deviceId);
    const kept = [structuredClone(subscription), ...others].toSorted(
      (one, other) => other.createdAt - one.createdAt,
    );
    this.#subscriptions.set(personId, kept.slice(0, MAX_SUBSCRIPTIONS));
  }

  async removeSubscription(personId: PersonId, deviceId: DeviceId, createdAt?: number): Promise<void> {
    const kept = this.#of(personId).filter(
      (one) => one.deviceId !== deviceId || (createdAt !== undefined && one.createdAt !== createdAt),
    );
    this.#subscriptions.set(personId, kept);
  }

  #of(personId: PersonId): readonly StoredSubscription[] {
    return this.#subscriptions.get(personId) ?? [];
  }
}
