import type {
  ClientEvents,
  ConnectionState,
  Consultation,
  TeleconsultClient,
  VoiceRecorder,
} from '@teleconsult/client-sdk/api';
import type { ConsultationView } from '@teleconsult/protocol';
import { AppError, type ErrorCode } from '@teleconsult/protocol/errors';
import { MockEvents } from './mock-events.ts';
import { mockVoice } from './mock-media.ts';

/** A client without a server. */
export class MockClient implements TeleconsultClient {
  readonly deviceId = 'device-mock';
  readonly personId = null;
  readonly #events = new MockEvents<ClientEvents>();
  readonly on = this.#events.on;
  readonly #visits = new Map<string, Consultation>();
  views: readonly ConsultationView[] = [];
  connection: ConnectionState = 'idle';
  /** What `connect` fails with. */
  refusal: ErrorCode | null = null;

  add(visit: Consultation): void {
    this.#visits.set(visit.id, visit);
    this.views = [...this.views, visit.view];
  }

  announce(view: ConsultationView): void {
    this.views = this.views.map((held) => (held.consultationId === view.consultationId ? view : held));
    this.#events.emit('consultation', view);
  }

  become(state: ConnectionState, code: ErrorCode | null = null): void {
    this.connection = state;
    const error = code === null ? null : new AppError(code, { requestId: 'req_7Kq2mZ' });
    this.#events.emit('connection', { state, error });
  }

  async connect(): Promise<void> {
    this.become('connecting');
    await new Promise((resolve) => setTimeout(resolve, 30));
    if (this.refusal === null) return this.become('connected');
    this.become('closed', this.refusal);
    throw new AppError(this.refusal, { requestId: 'req_7Kq2mZ' });
  }

  reconnectHint(): void {
    this.become('connected');
  }

  async listConsultations(): Promise<{ consultations: ConsultationView[]; hasMore: boolean }> {
    return { consultations: [...this.views], hasMore: this.views.length > 3 };
  }

  async open(consultationId: string): Promise<Consultation> {
    const visit = this.#visits.get(consultationId);
    if (visit === undefined) throw new AppError('NOT_FOUND', { requestId: 'req_7Kq2mZ' });
    return visit;
  }

  async close(): Promise<void> {
    this.become('closed');
  }
}

export class MockRecorder implements VoiceRecorder {
  state: VoiceRecorder['state'] = 'recording';
  readonly #startedAt = performance.now();

  get durationMs(): number {
    return performance.now() - this.#startedAt;
  }

  get level(): number {
    return Math.abs(Math.sin(performance.now() / 170) * Math.cos(performance.now() / 610));
  }

  async stop(): Promise<Blob> {
    this.state = 'stopped';
    return mockVoice(3);
  }

  cancel(): void {
    this.state = 'stopped';
  }
}
