import { type SipClock, type SipTimers, Timers } from './clock.ts';
import { parseCount } from './grammar.ts';
import type { HeaderLine, SipRequest, SipResponse } from './message.ts';

/** Seconds (RFC 4028 §4: never below 90). */
export interface SessionSettings {
  readonly intervalSeconds: number;
  readonly minSeconds: number;
}

export const SESSION_SETTINGS: SessionSettings = { intervalSeconds: 1800, minSeconds: 90 };

/** What the two have agreed upon. */
export interface SessionInterval {
  readonly seconds: number;
  /** Who keeps it alive. */
  readonly refresher: 'us' | 'them';
}

const MAX_SECONDS = 86_400;

interface SessionExpires {
  readonly seconds: number;
  readonly refresher: 'uac' | 'uas' | null;
}

function sessionExpires(message: SipRequest | SipResponse): SessionExpires | null {
  const [count = '', ...parameters] = (message.headers.get('session-expires') ?? '').split(';');
  const seconds = parseCount(count);
  if (seconds === null) return null;
  const refresher = parameters
    .map((each) => /^\s*refresher\s*=\s*(ua[cs])\s*$/i.exec(each)?.[1])
    .find(Boolean);
  return {
    seconds,
    refresher: refresher === undefined ? null : refresher.toLowerCase() === 'uac' ? 'uac' : 'uas',
  };
}

export const minSe = (message: SipRequest | SipResponse): number | null =>
  parseCount((message.headers.get('min-se') ?? '').split(';', 1)[0] ?? null);

/** Headers of an INVITE or UPDATE of ours. `current`: it refreshes what was agreed before. */
export function proposal(
  settings: SessionSettings | null,
  current: SessionInterval | null,
  atLeast = 0,
): HeaderLine[] {
  if (settings === null) return [];
  const seconds = Math.max(current?.seconds ?? settings.intervalSeconds, atLeast, settings.minSeconds);
  const refresher = current === null ? '' : `;refresher=${current.refresher === 'us' ? 'uac' : 'uas'}`;
  return [
    ['Supported', 'timer'],
    ['Session-Expires', `${seconds}${refresher}`],
    ['Min-SE', String(Math.max(settings.minSeconds, atLeast))],
  ];
}

/** What a 2xx to our proposal means. Who does not know the extension is kept alive by us (RFC 4028 §7.2). */
export function concluded(settings: SessionSettings | null, response: SipResponse): SessionInterval | null {
  if (settings === null) return null;
  const theirs = sessionExpires(response);
  if (theirs === null) return { seconds: settings.intervalSeconds, refresher: 'us' };
  const seconds = Math.min(Math.max(theirs.seconds, settings.minSeconds), MAX_SECONDS);
  return { seconds, refresher: theirs.refresher === 'uas' ? 'them' : 'us' };
}

export type SessionAnswer =
  | { readonly ok: true; readonly interval: SessionInterval | null; readonly headers: readonly HeaderLine[] }
  /** 422, with these headers. */
  | { readonly ok: false; readonly headers: readonly HeaderLine[] };

/** What we answer to an INVITE or UPDATE (RFC 4028 §9). */
export function answerSession(settings: SessionSettings | null, request: SipRequest): SessionAnswer {
  if (settings === null) return { ok: true, interval: null, headers: [] };
  const theirs = sessionExpires(request);
  const knows = request.headers.words('supported').includes('timer');
  if (theirs !== null && knows && theirs.seconds < settings.minSeconds)
    return { ok: false, headers: [['Min-SE', String(settings.minSeconds)]] };
  const least = Math.max(minSe(request) ?? 0, settings.minSeconds);
  const wanted =
    theirs === null ? settings.intervalSeconds : Math.min(theirs.seconds, settings.intervalSeconds);
  const seconds = Math.min(Math.max(wanted, least), MAX_SECONDS);
  const refresher = knows ? (theirs?.refresher ?? 'uac') : 'uas';
  const headers: HeaderLine[] = [
    ['Supported', 'timer'],
    ['Session-Expires', `${seconds};refresher=${refresher}`],
  ];
  // Only who says it knows the extension may be required to obey it.
  if (refresher === 'uac') headers.push(['Require', 'timer']);
  return { ok: true, interval: { seconds, refresher: refresher === 'uac' ? 'them' : 'us' }, headers };
}

/** Keeps a session alive, or notices that nobody does. */
export class SessionTimer {
  readonly #timers: Timers<'refresh' | 'expire'>;
  readonly #second: number;
  readonly #refresh: () => void;
  readonly #expired: () => void;
  #interval: SessionInterval | null = null;

  constructor(options: {
    readonly clock: SipClock;
    readonly timers: SipTimers;
    readonly refresh: () => void;
    readonly expired: () => void;
  }) {
    this.#timers = new Timers(options.clock);
    this.#second = options.timers.second;
    this.#refresh = options.refresh;
    this.#expired = options.expired;
  }

  get interval(): SessionInterval | null {
    return this.#interval;
  }

  /** Begins anew. null: this session has no timer. */
  agreed(interval: SessionInterval | null): void {
    this.#interval = interval;
    this.#timers.clear();
    if (interval === null) return;
    const { seconds, refresher } = interval;
    // RFC 4028 §10: early enough that a BYE still arrives before the others on the way forget the session.
    const end = seconds - Math.min(32, seconds / 3);
    this.#timers.set('expire', end * this.#second, this.#expired);
    if (refresher === 'us') this.#timers.set('refresh', (seconds / 2) * this.#second, this.#refresh);
  }

  stop(): void {
    this.#timers.clear();
  }
}
