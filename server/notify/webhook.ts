import type { Entry, PersonId, Preferences } from '@teleconsult/protocol';
import type { Clock, Publisher } from '../host/ports.ts';
import { noticesOf } from './notices.ts';
import { isSuccess, post } from './post.ts';
import { NotTaken, type Receiver } from './receiver.ts';
import type { WebhookSettings } from './settings.ts';
import type { Situations } from './situations.ts';
import { type ToNotify, webhookEvent, webhookId } from './webhook-event.ts';
import { webhookSignature } from './webhook-signature.ts';

export interface WebhookParts {
  readonly settings: WebhookSettings;
  readonly situations: Situations;
  readonly preferences: (personId: PersonId) => Promise<Preferences>;
  readonly publisher: Pick<Publisher, 'isOnline'>;
  readonly clock: Clock;
}

/** Tells the host application. Anything but 2xx within ten seconds is tried again. */
export class Webhook implements Receiver {
  readonly name = 'webhook';
  readonly #parts: WebhookParts;

  constructor(parts: WebhookParts) {
    this.#parts = parts;
  }

  async tell(entry: Entry, signal: AbortSignal): Promise<void> {
    const { settings, clock } = this.#parts;
    const id = webhookId(entry);
    const body = JSON.stringify(webhookEvent(entry, await this.#toNotify(entry)));
    const now = clock();
    const timestamp = Math.floor(now / 1_000);
    const { status, retryAfterMs } = await post(settings.url, {
      headers: {
        'content-type': 'application/json',
        'user-agent': 'teleconsult',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': webhookSignature(settings.secret, { id, timestamp, body }),
      },
      body,
      signal,
      now,
    });
    if (!isSuccess(status)) throw new NotTaken(status, retryAfterMs);
  }

  /** The host application hears of everything. */
  async isAwaitedBy(): Promise<boolean> {
    return true;
  }

  async close(): Promise<void> {}

  /** Who wants to hear of it and has no device connected that does. */
  async #toNotify(entry: Entry): Promise<readonly ToNotify[]> {
    const { situations, preferences, publisher } = this.#parts;
    const toNotify: ToNotify[] = [];
    for (const { personId, choice, payload } of noticesOf(entry, await situations.of(entry))) {
      if (publisher.isOnline(personId, entry.consultationId)) continue;
      if (!(await preferences(personId)).push[choice]) continue;
      toNotify.push({ personId, kind: payload.kind, payload });
    }
    return toNotify;
  }
}
