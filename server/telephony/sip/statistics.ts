import { MALFORMED, type Malformed } from './parse.ts';

/** What an endpoint has seen and done since it was opened. Counts only; nothing of what was in the messages. */
export interface SipStatistics {
  received: number;
  sent: number;
  /** Packets and connections of sources that are not allowed; they got nothing. */
  unknownSources: number;
  malformed: Record<Malformed, number>;
  /** Requests dropped because their source asks too fast. */
  rateLimited: number;
  /** Requests dropped because their source, or all together, have too many transactions or calls open. */
  overLimit: number;
  /** Answers and repetitions not sent because their receiver has not earned them. */
  withheld: number;
  /** Answers and acknowledgements that belong to nothing. */
  stray: number;
  /** TCP connections turned away or cut: too many, half a message for too long, more than they read. */
  connectionsCut: number;
  /** Exceptions in our code or in callbacks of the application. */
  failures: number;
}

export const noStatistics = (): SipStatistics => ({
  received: 0,
  sent: 0,
  unknownSources: 0,
  malformed: Object.fromEntries(MALFORMED.map((why) => [why, 0])) as Record<Malformed, number>,
  rateLimited: 0,
  overLimit: 0,
  withheld: 0,
  stray: 0,
  connectionsCut: 0,
  failures: 0,
});
