import type {
  Attachment,
  AttachmentId,
  ConsultationId,
  ConsultationView,
  DeclineReason,
  GuestRole,
  PersonId,
  SubjectDraft,
} from '@teleconsult/protocol';
import type { CallOptions, Invitation } from './api.ts';
import type { Http } from './http.ts';
import { type Lifetime, throwIfAborted } from './lifetime.ts';
import type { Signalling } from './requests.ts';

export interface ConsultationActsOptions {
  readonly consultationId: ConsultationId;
  readonly signalling: Signalling;
  readonly http: Http;
  readonly life: Lifetime;
  readonly onView: (view: ConsultationView) => void;
}

type Act =
  | 'consultation.enter'
  | 'consultation.accept'
  | 'consultation.decline'
  | 'consultation.cancel'
  | 'consultation.end';

/** A server may take its time to listen to ten minutes of speech, in milliseconds. */
const TRANSCRIPTION_MS = 120_000;

/** What a person does with a consultation, each asked once. */
export class ConsultationActs {
  readonly #options: ConsultationActsOptions;

  constructor(options: ConsultationActsOptions) {
    this.#options = options;
  }

  enter(options?: CallOptions): Promise<ConsultationView> {
    return this.#act('consultation.enter', {}, options);
  }

  accept(options?: CallOptions): Promise<ConsultationView> {
    return this.#act('consultation.accept', {}, options);
  }

  decline({ reason, note, ...options }: CallOptions & { reason?: DeclineReason; note?: string } = {}) {
    return this.#act('consultation.decline', given({ reason, note }), options);
  }

  cancel(options?: CallOptions): Promise<ConsultationView> {
    return this.#act('consultation.cancel', {}, options);
  }

  end({ note, ...options }: CallOptions & { note?: string } = {}): Promise<ConsultationView> {
    return this.#act('consultation.end', given({ note }), options);
  }

  setSubject(subject: SubjectDraft | null, options?: CallOptions): Promise<ConsultationView> {
    const { signalling, consultationId } = this.#options;
    const payload = { consultationId, subject };
    return this.#viewOf(signalling.request('consultation.setSubject', payload, options));
  }

  removeParticipant(personId: string, options?: CallOptions): Promise<ConsultationView> {
    const { signalling, consultationId } = this.#options;
    const payload = { consultationId, personId: personId as PersonId };
    return this.#viewOf(signalling.request('participant.remove', payload, options));
  }

  async invite(
    role: GuestRole,
    { validForMs, ...options }: CallOptions & { validForMs?: number } = {},
  ): Promise<Invitation> {
    const { signalling, consultationId, life } = this.#options;
    const payload = { purpose: 'participant', consultationId, role, ...given({ validForMs }) } as const;
    return life.within(signalling.request('invitation.create', payload, options));
  }

  async leave(options?: CallOptions): Promise<void> {
    const { signalling, consultationId } = this.#options;
    // Not within the consultation's life, which ends with this: the fact may come before the answer.
    await signalling.request('participant.leave', { consultationId }, options);
  }

  async transcribe(
    sequence: number,
    { language, signal }: CallOptions & { language?: 'zh' | 'en' } = {},
  ): Promise<string> {
    const { signalling, consultationId, life } = this.#options;
    const payload = { consultationId, sequence, ...given({ language }) };
    const options = { signal, timeoutMs: TRANSCRIPTION_MS };
    const { text } = await life.within(signalling.request('message.transcribe', payload, options));
    return text;
  }

  async fetchAttachment(
    attachment: Attachment | AttachmentId,
    { variant = 'original', signal }: CallOptions & { variant?: 'original' | 'thumbnail' } = {},
  ): Promise<Blob> {
    throwIfAborted(signal);
    const { http, consultationId, life } = this.#options;
    const attachmentId = typeof attachment === 'string' ? attachment : attachment.attachmentId;
    const path = `/v1/consultations/${consultationId}/attachments/${encodeURIComponent(attachmentId)}/content`;
    return http.getBlob(`${path}?variant=${variant}`, { life, signal });
  }

  #act(name: Act, payload: object, options?: CallOptions): Promise<ConsultationView> {
    const { signalling, consultationId } = this.#options;
    return this.#viewOf(signalling.request(name, { consultationId, ...payload }, options));
  }

  async #viewOf(asking: Promise<{ consultation: ConsultationView }>): Promise<ConsultationView> {
    const { consultation } = await this.#options.life.within(asking);
    this.#options.onView(consultation);
    return consultation;
  }
}

/** What was given of it: the protocol knows no `undefined`. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
