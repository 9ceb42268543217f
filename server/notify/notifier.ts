import type { Stepped } from '../host/batch.ts';
import type { ConsultationHost } from '../host/host.ts';
import type { Clock, ConsultationStore, Log, Publisher } from '../host/ports.ts';
import type { People } from '../people/people.ts';
import type { PushSettings, WebhookSettings } from './settings.ts';

export interface NotifierParts {
  readonly store: ConsultationStore;
  readonly host: ConsultationHost;
  readonly peopleService: People;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly log: Log;
  readonly webhook: WebhookSettings | null;
  readonly push: PushSettings | null;
}

/** Tells the host application (webhooks) and closed apps (push) what happened, from the thread itself. */
export class Notifier {
  readonly #parts: NotifierParts;

  constructor(parts: NotifierParts) {
    this.#parts = parts;
  }

  /** Goes on where the last run of the server stopped. */
  async start(): Promise<void> {
    void this.#parts;
  }

  handleChange(_change: Stepped): void {}

  async close(): Promise<void> {}
}
