import { createHmac } from 'node:crypto';
import type { IceServer, PersonId } from '@teleconsult/protocol';
import type { Clock } from '../host/ports.ts';

export interface TurnSettings {
  /** Such as `turn:turn.example.org:3478?transport=udp`; empty: no TURN. */
  readonly urls: readonly string[];
  /** coturn's `static-auth-secret`; null when there are no urls. */
  readonly secret: string | null;
  readonly lifetimeMs: number;
}

/** Enough letters of a pseudonym that no two people share one (96 bits). */
const PSEUDONYM_LENGTH = 16;

/**
 * Short-lived TURN credentials, one a person, as coturn's `use-auth-secret` checks them
 * (draft-uberti-behave-turn-rest-00): the name is when they expire and for whom they are, the password is made
 * of both with the shared secret. coturn asks nobody, and nothing has to be stored or revoked.
 */
export class TurnCredentials {
  readonly #settings: TurnSettings;
  readonly #clock: Clock;

  /** Throws when there are urls and no secret: relays for everybody are not offered by mistake. */
  constructor(settings: TurnSettings, clock: Clock) {
    if (settings.urls.length > 0 && !settings.secret)
      throw new Error('TURN servers are set and the secret they share with this server is not.');
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Empty without TURN servers. */
  forPerson(personId: PersonId): IceServer[] {
    const { urls, secret, lifetimeMs } = this.#settings;
    if (urls.length === 0 || secret === null) return [];
    const expiresAt = Math.floor((this.#clock() + lifetimeMs) / 1000);
    const username = `${expiresAt}:${pseudonym(secret, personId)}`;
    const credential = createHmac('sha1', secret).update(username).digest('base64');
    return [{ urls: [...urls], username, credential }];
  }
}

/**
 * What the relay knows a person by: the same for all their credentials, so that coturn can count what one person
 * uses, and worth nothing without the secret. It travels in clear text over the network, the person's id never.
 */
function pseudonym(secret: string, personId: PersonId): string {
  return createHmac('sha256', secret)
    .update(`teleconsult turn pseudonym\0${personId}`)
    .digest('base64url')
    .slice(0, PSEUDONYM_LENGTH);
}
