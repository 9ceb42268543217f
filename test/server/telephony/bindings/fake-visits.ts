import {
  AppError,
  ConsultationId,
  type ConsultationView,
  type ParticipantRole,
  PersonId,
} from '@teleconsult/protocol';
import type { PhoneHost, PhoneNews } from '@teleconsult/server/telephony/bindings/ports';
import { ConsultationKey } from '@teleconsult/server/vault/consultation-key';

export const consultation = (number: number) =>
  ConsultationId.parse(`cns_${String(number).padStart(22, '0')}`);
export const person = (name: string) => PersonId.parse(name);

export type Told = PhoneNews & { readonly consultationId: ConsultationId; readonly again: boolean };

/** Consultations that are what the test says, and threads that remember what they were told. */
export class FakeVisits implements PhoneHost {
  readonly views = new Map<ConsultationId, ConsultationView>();
  readonly told: Told[] = [];
  readonly keys = new Map<ConsultationId, ConsultationKey>();
  changes = 0;
  /** Threads that cannot be written now. */
  failing = false;
  /** Views are answered after this. */
  slow: Promise<void> = Promise.resolve();

  /** A visit in which these take part; again replaces them. */
  set(
    number: number,
    people: Readonly<Record<string, ParticipantRole>>,
    change: Partial<ConsultationView> = {},
  ): ConsultationView {
    const consultationId = consultation(number);
    const view: ConsultationView = {
      consultationId,
      kind: 'visit',
      phase: 'active',
      phaseSince: 0,
      endReason: null,
      declineReason: null,
      requestedBy: null,
      subject: null,
      participants: Object.entries(people).map(([name, role]) => ({
        personId: person(name),
        role,
        displayName: name,
      })),
      createdAt: 0,
      lastSequence: 1,
      ...this.views.get(consultationId),
      ...(this.views.has(consultationId)
        ? {
            participants: Object.entries(people).map(([name, role]) => ({
              personId: person(name),
              role,
              displayName: name,
            })),
          }
        : {}),
      ...change,
    };
    this.views.set(consultationId, view);
    return view;
  }

  end(number: number): ConsultationView {
    const view = this.views.get(consultation(number));
    if (view === undefined) throw new Error('no such visit');
    const ended: ConsultationView = { ...view, phase: 'ended', endReason: 'completed' };
    this.views.set(view.consultationId, ended);
    return ended;
  }

  async view(consultationId: ConsultationId): Promise<ConsultationView> {
    await this.slow;
    const view = this.views.get(consultationId);
    if (view === undefined) throw new AppError('NOT_FOUND');
    return view;
  }

  async sealing(consultationId: ConsultationId): Promise<{ readonly key: ConsultationKey }> {
    if (!this.views.has(consultationId)) throw new AppError('NOT_FOUND');
    const key =
      this.keys.get(consultationId) ?? new ConsultationKey(consultationId, new Uint8Array(32).fill(7));
    this.keys.set(consultationId, key);
    return { key };
  }

  async tell(consultationId: ConsultationId, news: PhoneNews, again: boolean): Promise<void> {
    if (this.failing) throw new AppError('STORAGE_UNAVAILABLE');
    if (!this.views.has(consultationId)) throw new AppError('NOT_FOUND');
    this.told.push({ ...news, consultationId, again });
  }

  changed(): void {
    this.changes += 1;
  }

  facts(number: number): readonly string[] {
    return this.told
      .filter(({ consultationId: of }) => of === consultation(number))
      .map(({ fact }) => fact.type.slice('phone.'.length));
  }
}
