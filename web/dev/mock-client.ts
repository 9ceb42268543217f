import type {
  Call,
  CallToRestore,
  ClientEvents,
  Colleague,
  ConnectionState,
  Consultation,
  TeleconsultClient,
  VoiceRecorder,
} from '@teleconsult/client-sdk/api';
import type {
  CallView,
  ConsultationView,
  PersonId,
  Preferences,
  QueuePlace,
  Unread,
} from '@teleconsult/protocol';
import { AppError, type ErrorCode } from '@teleconsult/protocol/errors';
import { MockEvents } from './mock-events.ts';
import { mockFace, mockSound, mockVoice } from './mock-media.ts';
import { MOCK_INVITATION } from './mock-visit.ts';

const DEFAULT_PREFERENCES: Preferences = {
  readReceipts: true,
  push: { calls: true, messages: true, consultations: true },
};

/** A client without a server. */
export class MockClient implements TeleconsultClient {
  readonly deviceId = 'device-mock';
  personId: PersonId | null = null;
  chosen: Preferences = DEFAULT_PREFERENCES;
  queuePlaces: QueuePlace[] = [];
  unreadOf = new Map<string, number>();
  near: readonly Colleague[] = [];
  /** What `previewInvitation` fails with. */
  invitationRefusal: ErrorCode | null = null;
  readonly #events = new MockEvents<ClientEvents>();
  readonly on = this.#events.on;
  readonly #visits = new Map<string, Consultation>();
  activeCall: Call | null = null;
  restoring: CallToRestore | null = null;
  views: readonly ConsultationView[] = [];
  connection: ConnectionState = 'idle';
  /** What `connect` fails with. */
  refusal: ErrorCode | null = null;
  /** What was asked for, in order, as far as the order matters. */
  readonly asked: string[] = [];
  /** What `restoreCall` does. */
  restores: () => Promise<Call | null> = async () => null;

  add(visit: Consultation): void {
    this.#visits.set(visit.id, visit);
    this.views = [...this.views, visit.view];
  }

  /** As when a call begins to be this device's, or is over. */
  becomeActive(call: Call | null): void {
    this.activeCall = call;
    this.#events.emit('activeCall', call);
  }

  becomeRestoring(restoring: CallToRestore | null): void {
    this.restoring = restoring;
    this.#events.emit('restoring', restoring);
  }

  restoreCall(): Promise<Call | null> {
    this.asked.push('restoreCall');
    return this.restores();
  }

  simulate(): Promise<void> {
    return Promise.resolve();
  }

  announce(view: ConsultationView): void {
    this.views = this.views.map((held) => (held.consultationId === view.consultationId ? view : held));
    this.#events.emit('consultation', view);
  }

  /** A call of any consultation, open or not. */
  announceCall(call: CallView): void {
    this.#events.emit('call', call);
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

  async listConsultations(): ReturnType<TeleconsultClient['listConsultations']> {
    this.asked.push('listConsultations');
    const unread = this.views.map(({ consultationId }) => ({
      consultationId,
      unread: this.unreadOf.get(consultationId) ?? 0,
      read: 0,
    }));
    return {
      consultations: [...this.views],
      unread,
      queue: this.queuePlaces,
      hasMore: this.views.length > 3,
    };
  }

  announceUnread(unread: Unread): void {
    this.#events.emit('unread', unread);
  }

  async preferences(): Promise<Preferences> {
    return this.chosen;
  }

  async setPreferences(change: Parameters<TeleconsultClient['setPreferences']>[0]): Promise<Preferences> {
    this.chosen = {
      readReceipts: change.readReceipts ?? this.chosen.readReceipts,
      push: { ...this.chosen.push, ...change.push },
    };
    return this.chosen;
  }

  async enablePush(): Promise<void> {
    throw new AppError('NOT_CONFIGURED');
  }

  async disablePush(): Promise<void> {}

  async checkNetwork(
    _options?: Parameters<TeleconsultClient['checkNetwork']>[0],
  ): ReturnType<TeleconsultClient['checkNetwork']> {
    return {
      verdict: 'good',
      path: 'udp',
      rttMs: 38,
      jitterMs: 4,
      lossPercent: 0,
      sendKbps: 2400,
      receiveKbps: 5200,
      advice: [],
    };
  }

  async openDeviceCheck(): ReturnType<TeleconsultClient['openDeviceCheck']> {
    return {
      microphone: mockSound(),
      camera: mockFace('#2f6f8f', 480, 360),
      problems: { microphone: null, camera: null },
      get level() {
        return Math.abs(Math.sin(performance.now() / 300));
      },
      async playTone() {},
      close() {},
    };
  }

  async listDevices(): ReturnType<TeleconsultClient['listDevices']> {
    return [];
  }

  async inviteColleague(): ReturnType<TeleconsultClient['inviteColleague']> {
    return MOCK_INVITATION();
  }

  async previewInvitation(): ReturnType<TeleconsultClient['previewInvitation']> {
    if (this.invitationRefusal !== null) throw new AppError(this.invitationRefusal);
    const [first] = this.views;
    const invitedBy = first?.participants[0]?.displayName ?? '';
    return { purpose: 'participant', invitedBy, role: 'relative', expiresAt: MOCK_INVITATION().expiresAt };
  }

  async redeemInvitation(): Promise<ConsultationView> {
    const [first] = this.views;
    if (first === undefined) throw new AppError('EXPIRED');
    return first;
  }

  async revokeInvitation(): Promise<void> {}

  async showNearby(): Promise<{ until: number }> {
    return { until: Date.now() + 600_000 };
  }

  async hideNearby(): Promise<void> {}

  async listNearby(): Promise<readonly Colleague[]> {
    return this.near;
  }

  async requestColleague(): Promise<ConsultationView> {
    return this.redeemInvitation();
  }

  async forget(): Promise<void> {}

  async open(consultationId: string): Promise<Consultation> {
    this.asked.push('open');
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
