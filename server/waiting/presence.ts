import type { ConsultationId, ConsultationView, PersonId, TypingActivity } from '@teleconsult/protocol';
import type { Publisher } from '../host/ports.ts';
import type { Session } from '../signalling/session.ts';

export interface PresenceParts {
  readonly publisher: Publisher;
}

/** Who is there now, and who is typing. Nothing of it is kept. */
export class Presence {
  readonly #parts: PresenceParts;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
  }

  onlineIn({ consultationId, participants }: ConsultationView): readonly PersonId[] {
    return participants
      .map(({ personId }) => personId)
      .filter((personId) => this.#parts.publisher.isOnline(personId, consultationId));
  }

  /** A device came or went: who watches a consultation with its person is told. */
  handleDevice(
    _device: Pick<Session, 'personId' | 'onlyConsultation'>,
    _type: 'device.lost' | 'device.returned',
  ): void {}

  typing(_consultationId: ConsultationId, _personId: PersonId, _activity: TypingActivity): void {}
}
