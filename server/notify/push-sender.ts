import { createHash } from 'node:crypto';
import { AppError, type PersonId } from '@teleconsult/protocol';
import webPush from 'web-push';
import type { Clock, Log } from '../host/ports.ts';
import type { PushDevice } from '../people/people.ts';
import { BoundedMap } from './bounded-map.ts';
import type { Notice } from './notices.ts';
import { isSuccess, type Posted, post } from './post.ts';
import { acceptedEndpoint } from './push-endpoint.ts';
import { PushServices, Unreachable } from './push-services.ts';
import { type RetryPace, retryDelay } from './retry-delay.ts';
import type { PushSettings } from './settings.ts';

/** Most pushes to one service that wait for another attempt; beyond it devices look for themselves. */
const RETRY_LIMIT = 2_000;
/** Most pushes of which it is remembered that they were the newest. */
const REMEMBERED = 10_000;
/** Longest topic a push service takes (RFC 8030, 5.4). */
const TOPIC_LENGTH = 32;

/** Two seconds, doubling to a minute: rings last 45 s. */
export const PUSH_PACE: RetryPace = { firstMs: 2_000, mostMs: 60_000 };

export interface PushSenderParts {
  readonly settings: PushSettings;
  readonly clock: Clock;
  readonly log: Log;
  readonly pace: RetryPace;
  /** The push service knows the subscription no more. */
  readonly onGone: (personId: PersonId, device: PushDevice) => Promise<void>;
  /** Asked again before each further attempt. */
  readonly isWanted: (notice: Notice, device: PushDevice) => boolean;
}

/**
 * Encrypts notices for devices (RFC 8291) and hands them to their push services. A push that could not be handed over
 * is tried again as long as it is worth it; a newer one about the same thing takes its place.
 */
export class PushSender {
  readonly #parts: PushSenderParts;
  readonly #services: PushServices;
  readonly #waiting = new Map<string, { readonly timer: NodeJS.Timeout; readonly origin: string }>();
  /** The newest push about each thing to each device. */
  readonly #newest = new BoundedMap<string, Notice>(REMEMBERED);
  /** How many of those wait for each push service. */
  readonly #waitingAt = new Map<string, number>();
  readonly #sending = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(parts: PushSenderParts) {
    this.#parts = parts;
    this.#services = new PushServices(parts.clock);
  }

  /** Resolves after the first attempt; never rejects. */
  async send(notice: Notice, device: PushDevice): Promise<void> {
    const key = keyOf(notice, device);
    this.#forget(key);
    this.#newest.set(key, notice);
    await this.#attempt(notice, device, 1);
  }

  /** Gives up what waits and what is under way. May be called twice. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    await Promise.all(this.#sending);
  }

  #attempt(notice: Notice, device: PushDevice, attempt: number): Promise<void> {
    const sending = this.#hand(notice, device, attempt).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
    return sending;
  }

  /** One attempt and what follows from its outcome. Never rejects. */
  async #hand(notice: Notice, device: PushDevice, attempt: number): Promise<void> {
    const { log, clock } = this.#parts;
    const named = { person: notice.personId, device: device.deviceId };
    if (this.#closing.signal.aborted || notice.until <= clock() || this.#isOutdated(notice, device)) return;
    try {
      const { status, retryAfterMs } = await this.#post(notice, device);
      if (isSuccess(status)) return;
      if (status === 404 || status === 410) {
        await this.#parts.onGone(notice.personId, device);
        log.info('push.gone', named);
      } else if (status === 429 || status >= 500) {
        this.#retry(notice, device, { attempt, retryAfterMs });
      } else {
        log.warn('push.refused', { ...named, code: `http_${status}` });
      }
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (error instanceof Unreachable) {
        this.#retry(notice, device, { attempt, retryAfterMs: error.forMs });
        return;
      }
      log.warn('push.failed', { ...named, count: attempt, error });
      // What could not even be put together will not be the next time.
      if (!(error instanceof AppError)) this.#retry(notice, device, { attempt, retryAfterMs: null });
    }
  }

  async #post(notice: Notice, device: PushDevice): Promise<Posted> {
    const { endpoint } = device.subscription;
    // Asked again: what was an accepted service when the device subscribed may no longer be one.
    if (acceptedEndpoint(endpoint, this.#parts.settings.extraOrigins) !== endpoint)
      throw new AppError('FORBIDDEN');
    // Encrypted and signed only when the service is really asked.
    return this.#services.reach(originOf(device), () => post(endpoint, this.#requestOf(notice, device)));
  }

  #requestOf(notice: Notice, device: PushDevice): Parameters<typeof post>[1] {
    const now = this.#parts.clock();
    const { contact: subject, publicKey, privateKey } = this.#parts.settings;
    const { endpoint, p256dh, auth } = device.subscription;
    const { headers, body } = webPush.generateRequestDetails(
      { endpoint, keys: { p256dh, auth } },
      JSON.stringify(notice.payload),
      {
        TTL: Math.max(0, Math.ceil((notice.until - now) / 1_000)),
        urgency: notice.urgency,
        topic: topicOf(notice),
        vapidDetails: { subject, publicKey, privateKey },
        contentEncoding: 'aes128gcm',
      },
    );
    const sent = Object.entries(headers)
      .filter(([name]) => name.toLowerCase() !== 'content-length')
      .map(([name, value]) => [name.toLowerCase(), String(value)]);
    return {
      headers: Object.fromEntries(sent),
      body: Uint8Array.from(body),
      signal: this.#closing.signal,
      now,
    };
  }

  #retry(
    notice: Notice,
    device: PushDevice,
    { attempt, retryAfterMs }: { attempt: number; retryAfterMs: number | null },
  ): void {
    const { clock, pace, log, isWanted } = this.#parts;
    const key = keyOf(notice, device);
    const ms = Math.round((retryAfterMs ?? 0) + retryDelay(pace, attempt));
    if (this.#closing.signal.aborted || clock() + ms >= notice.until) return;
    const origin = originOf(device);
    if ((this.#waitingAt.get(origin) ?? 0) >= RETRY_LIMIT) {
      log.warn('push.dropped', { person: notice.personId, device: device.deviceId });
      return;
    }
    // A newer one came while this one was under way: a ring must not follow the end of its call.
    if (this.#isOutdated(notice, device)) return;
    const timer = setTimeout(() => {
      this.#forget(key);
      if (isWanted(notice, device)) void this.#attempt(notice, device, attempt + 1);
    }, ms);
    timer.unref();
    this.#forget(key);
    this.#waiting.set(key, { timer, origin });
    this.#waitingAt.set(origin, (this.#waitingAt.get(origin) ?? 0) + 1);
  }

  #isOutdated(notice: Notice, device: PushDevice): boolean {
    const newest = this.#newest.get(keyOf(notice, device));
    return newest !== undefined && newest !== notice;
  }

  #forget(key: string): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    this.#waiting.delete(key);
    const others = (this.#waitingAt.get(waiting.origin) ?? 1) - 1;
    if (others > 0) this.#waitingAt.set(waiting.origin, others);
    else this.#waitingAt.delete(waiting.origin);
  }
}

const originOf = ({ subscription }: PushDevice): string => new URL(subscription.endpoint).origin;

/** What a newer push takes the place of: the ring and the end of one call, messages or news of one consultation. */
const subjectOf = ({ payload, choice }: Notice): string =>
  'callId' in payload ? `call ${payload.callId}` : `${choice} ${payload.consultationId}`;

/** A push service reads it, so it is no id of ours. */
const topicOf = (notice: Notice): string =>
  createHash('sha256').update(subjectOf(notice)).digest('base64url').slice(0, TOPIC_LENGTH);

const keyOf = (notice: Notice, { deviceId }: PushDevice): string =>
  `${notice.personId}|${deviceId}|${subjectOf(notice)}`;
