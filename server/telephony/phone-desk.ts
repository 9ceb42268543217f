import {
  AppError,
  type CallId,
  type ConsultationId,
  type DeviceId,
  type PersonId,
  type PhoneBindingId,
  type PhoneBoard,
  type PhoneDirection,
  type PhoneRecordingMode,
} from '@teleconsult/protocol';
import type { ConsultationHost } from '../host/host.ts';

/** Whether calls through a relay number are recorded: never, where it was asked for, or all of them. */
export type PhoneRecording = PhoneRecordingMode;

export interface BindWish {
  /** The same again is the same number. */
  readonly clientBindingId: string;
  readonly direction: PhoneDirection;
  readonly recorded: boolean;
}

export interface PhoneJoinWish {
  readonly by: PersonId;
  readonly deviceId: DeviceId;
  readonly callId: CallId;
  readonly personId: PersonId;
}

/** Who keeps relay numbers and the numbers of people (`bindings/`). Rights are checked before it is asked. */
export interface PhoneBook {
  /** What this person sees of it. @throws AppError NOT_FOUND */
  board(consultationId: ConsultationId, by: PersonId): Promise<PhoneBoard>;
  bind(
    consultationId: ConsultationId,
    by: PersonId,
    wish: BindWish,
  ): Promise<{ readonly board: PhoneBoard; readonly bindingId: PhoneBindingId }>;
  unbind(consultationId: ConsultationId, by: PersonId, bindingId: PhoneBindingId): Promise<PhoneBoard>;
  setRefused(consultationId: ConsultationId, by: PersonId, refused: boolean): Promise<PhoneBoard>;
  /** null: none is known any more. @throws AppError INVALID with a reason, never with the number */
  setNumber(personId: PersonId, text: string | null): Promise<void>;
}

/** What is asked of masked calls, with the rights of the consultation. */
export interface PhoneDesk {
  /** `by` null reads as the host application. @throws AppError NOT_FOUND, FORBIDDEN */
  board(consultationId: ConsultationId, by: PersonId | null): Promise<PhoneBoard>;
  /** @throws AppError NOT_FOUND, FORBIDDEN, WRONG_STATE, NOT_CONFIGURED, and what the bindings refuse it with */
  bind(
    consultationId: ConsultationId,
    by: PersonId,
    wish: BindWish,
  ): Promise<{ readonly board: PhoneBoard; readonly bindingId: PhoneBindingId }>;
  unbind(consultationId: ConsultationId, by: PersonId, bindingId: PhoneBindingId): Promise<PhoneBoard>;
  setRefused(consultationId: ConsultationId, by: PersonId, refused: boolean): Promise<PhoneBoard>;
  /** Rings a telephone for a running call. Resolved: it is on disk that it rings. */
  join(consultationId: ConsultationId, wish: PhoneJoinWish): Promise<void>;
  /** From the host application alone. */
  setNumber(personId: PersonId, text: string | null): Promise<void>;
}

export interface MaskedPhonesParts {
  readonly host: Pick<ConsultationHost, 'phones' | 'view'>;
  /** null: this server has no telephony. */
  readonly book: PhoneBook | null;
  readonly recording: PhoneRecording;
  /** Whether telephones can be rung for calls of consultations. */
  readonly rings: boolean;
}

const NO_TELEPHONY = 'this server has no telephony';
const NOTHING: PhoneBoard = {
  available: false,
  reachable: [],
  refused: [],
  label: '',
  recording: 'off',
  bindings: [],
};

/** Masked calls as devices and the host application ask for them. */
export class MaskedPhones implements PhoneDesk {
  readonly #parts: MaskedPhonesParts;

  constructor(parts: MaskedPhonesParts) {
    this.#parts = parts;
  }

  async board(consultationId: ConsultationId, by: PersonId | null): Promise<PhoneBoard> {
    const { host, book } = this.#parts;
    if (by !== null) await host.phones.check(consultationId, 'phone.get', by);
    const { participants } = await host.view(consultationId, null);
    // A relay number is the clinic's own: the host application sees what the doctor sees.
    const asWhom = by ?? participants.find(({ role }) => role === 'doctor')?.personId;
    return book === null || asWhom === undefined ? NOTHING : book.board(consultationId, asWhom);
  }

  async bind(
    consultationId: ConsultationId,
    by: PersonId,
    wish: BindWish,
  ): Promise<{ readonly board: PhoneBoard; readonly bindingId: PhoneBindingId }> {
    const { host, recording } = this.#parts;
    await host.phones.check(consultationId, 'phone.bind', by);
    const book = this.#book();
    // Who asked for a recording and got none would not know.
    if (wish.recorded && recording === 'off')
      throw new AppError('WRONG_STATE', { detail: 'phone calls are not recorded here' });
    return book.bind(consultationId, by, { ...wish, recorded: wish.recorded || recording === 'always' });
  }

  async unbind(consultationId: ConsultationId, by: PersonId, bindingId: PhoneBindingId): Promise<PhoneBoard> {
    await this.#parts.host.phones.check(consultationId, 'phone.unbind', by);
    return this.#book().unbind(consultationId, by, bindingId);
  }

  async setRefused(consultationId: ConsultationId, by: PersonId, refused: boolean): Promise<PhoneBoard> {
    await this.#parts.host.phones.check(consultationId, 'phone.setRefused', by);
    return this.#book().setRefused(consultationId, by, refused);
  }

  async join(consultationId: ConsultationId, wish: PhoneJoinWish): Promise<void> {
    const { host, rings } = this.#parts;
    await host.phones.ring(consultationId, wish, async () => {
      const book = this.#book();
      if (!rings)
        throw new AppError('NOT_CONFIGURED', { detail: 'no telephone can be rung for a call here' });
      return (await book.board(consultationId, wish.by)).reachable.includes(wish.personId);
    });
  }

  async setNumber(personId: PersonId, text: string | null): Promise<void> {
    await this.#book().setNumber(personId, text);
  }

  #book(): PhoneBook {
    const { book } = this.#parts;
    if (book === null) throw new AppError('NOT_CONFIGURED', { detail: NO_TELEPHONY });
    return book;
  }
}
