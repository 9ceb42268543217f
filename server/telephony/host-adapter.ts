import type { ConsultationId, ConsultationView } from '@teleconsult/protocol';
import type { ConsultationHost } from '../host/host.ts';
import type { Log, Publisher } from '../host/ports.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { PhoneHost, PhoneNews } from './bindings/ports.ts';

export interface BindingsHostParts {
  readonly host: Pick<ConsultationHost, 'phones' | 'sealing' | 'submit'>;
  readonly publisher: Pick<Publisher, 'toPerson'>;
  readonly log: Log;
}

/** Consultations as the bindings of relay numbers see them. */
export class BindingsHost implements PhoneHost {
  readonly #parts: BindingsHostParts;
  /** Whose devices are about to be told: said again meanwhile, it is the same news. */
  readonly #telling = new Set<ConsultationId>();

  constructor(parts: BindingsHostParts) {
    this.#parts = parts;
  }

  view(consultationId: ConsultationId): Promise<ConsultationView> {
    return this.#parts.host.phones.view(consultationId);
  }

  async sealing(consultationId: ConsultationId): Promise<{ readonly key: ConsultationKey }> {
    const { key } = await this.#parts.host.sealing(consultationId, null);
    return { key };
  }

  /**
   * The consultation itself remembers what the thread was told, in the same commit as the entry: told again, first time or
   * not, it changes nothing.
   */
  async tell(consultationId: ConsultationId, { by, fact }: PhoneNews): Promise<void> {
    await this.#parts.host.submit(consultationId, { ...fact, person: by });
  }

  changed(consultationId: ConsultationId): void {
    if (this.#telling.has(consultationId)) return;
    this.#telling.add(consultationId);
    this.#tellDevices(consultationId).catch((error: unknown) => {
      this.#parts.log.error('phone.changeNotTold', { consultation: consultationId, error });
    });
  }

  async #tellDevices(consultationId: ConsultationId): Promise<void> {
    const { host, publisher } = this.#parts;
    try {
      // A look later, so that changes of one moment are told as one.
      const { participants } = await host.phones.view(consultationId);
      this.#telling.delete(consultationId);
      for (const { personId, role } of participants)
        if (role === 'patient' || role === 'doctor')
          publisher.toPerson(personId, 'phone.changed', { consultationId });
    } finally {
      this.#telling.delete(consultationId);
    }
  }
}
