import type {
  CallId,
  CallView,
  ConsultationId,
  ConsultationView,
  GuestRole,
  PersonId,
  Preferences,
  QueuePlace,
  Unread,
} from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type {
  Call,
  CallOptions,
  CallToRestore,
  ClientEvents,
  ClientOptions,
  Colleague,
  ConnectionState,
  Consultation,
  DeviceCheck,
  InputDevice,
  Invitation,
  NetworkReport,
  SimulatedFailure,
  Subscribe,
  TeleconsultClient,
} from './api.ts';
import { Connection } from './connection.ts';
import { FollowedConsultation } from './consultation.ts';
import { openDeviceCheck } from './device-check.ts';
import { listDevices } from './device-list.ts';
import { Emitter } from './events.ts';
import { factRoutes } from './fact-routes.ts';
import { Http } from './http.ts';
import { type ClientInsides, insides } from './insides.ts';
import { Lifetime, throwIfAborted } from './lifetime.ts';
import { MediaDevice } from './media-device.ts';
import { resolveDeviceId } from './mint-id.ts';
import { checkNetwork } from './network-check.ts';
import { PersonRequests } from './person-requests.ts';
import { disablePush, enablePush } from './push.ts';
import { reconnectPolicyOf } from './reconnect-policy.ts';
import { CallRestorer } from './resume/call-restorer.ts';
import { CurrentCall } from './resume/current-call.ts';
import { KeptCall } from './resume/kept-call.ts';
import type { Simulation } from './simulation/simulation.ts';
import { DeviceStore } from './storage/device-store.ts';
import { TokenSource } from './token-source.ts';
import { Uploads } from './uploads.ts';

interface Followed {
  readonly consultation: FollowedConsultation;
  /** How many calls of `open` still wait for the first page. */
  waiting: number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** Calls whose latest revision is remembered, so that late news is not told. */
const MAX_KNOWN_CALLS = 64;
/** How long closing waits for what is being written to this device. */
const WRITING_MS = 2_000;

/** Makes a client. Nothing is connected, and no device is asked for, before the app says so. */
export function createTeleconsultClient(options: ClientOptions): TeleconsultClient {
  return new Client(options);
}

class Client implements TeleconsultClient {
  readonly deviceId: string;
  readonly #events = new Emitter<ClientEvents>();
  readonly #life = new Lifetime();
  readonly #tokens: TokenSource;
  readonly #connection: Connection;
  readonly #http: Http;
  readonly #uploads: Uploads;
  readonly #device: MediaDevice;
  readonly #store: DeviceStore;
  readonly #kept: KeptCall;
  readonly #current = new CurrentCall((call) => this.#events.emit('activeCall', call));
  readonly #restorer: CallRestorer;
  readonly #person: PersonRequests;
  readonly #farewells: ClientInsides['farewells'] = new Set();
  #simulation: Promise<Simulation> | null = null;
  readonly #followed = new Map<ConsultationId, Followed>();
  readonly #knownCalls = new Map<CallId, CallView>();
  #closing: Promise<void> | null = null;

  constructor(options: ClientOptions) {
    const deviceId = resolveDeviceId(options.deviceId);
    const url = originOf(options.url);
    const timeoutMs = options.requestTimeoutMs ?? DEFAULT_TIMEOUT_MS;
    const tokens = new TokenSource(options.token);
    const storage = options.storage ?? 'durable';
    const facts: ClientInsides['facts'] = new Emitter();
    this.deviceId = deviceId;
    this.#tokens = tokens;
    this.#connection = new Connection({
      url,
      deviceId,
      tokens,
      requestTimeoutMs: timeoutMs,
      policy: reconnectPolicyOf(options.reconnect),
      facts: factRoutes({
        at: (consultationId) => this.#followed.get(consultationId)?.consultation,
        events: this.#events,
        records: facts,
        onCall: (view) => this.#tellCall(view),
      }),
    });
    this.#http = new Http({ url, tokens, timeoutMs });
    this.#uploads = new Uploads({ http: this.#http, tokens, signalling: this.#connection });
    this.#device = new MediaDevice(options.media);
    this.#store = new DeviceStore({
      choice: storage,
      url,
      personId: () => this.personId,
      onFailure: (error) => this.#events.emit('storageFailed', error),
    });
    this.#kept = new KeptCall({
      store: this.#store,
      deviceId,
      owner: () => (storage === 'durable' ? this.personId && `${url} ${this.personId}` : null),
    });
    this.#restorer = new CallRestorer({
      kept: this.#kept,
      tokens,
      life: this.#life,
      connect: () => this.connect(),
      current: () => this.#current.call,
      resume: (consultationId, callId) => this.#follow(consultationId).consultation.restoreCall(callId),
      onChange: (restoring) => this.#events.emit('restoring', restoring),
    });
    this.#person = new PersonRequests({ signalling: this.#connection, life: this.#life });
    insides.set(this, {
      url,
      tokens,
      signalling: this.#connection,
      device: this.#device,
      life: this.#life,
      storage,
      facts,
      farewells: this.#farewells,
    });
    this.#connection.events.on('state', (change) => {
      if (change.state === 'closed') this.#end(change.error ?? new AppError('DISCONNECTED'));
      this.#events.emit('connection', change);
    });
  }

  get personId(): PersonId | null {
    return this.#connection.personId;
  }

  get connection(): ConnectionState {
    return this.#connection.state;
  }

  get on(): Subscribe<ClientEvents> {
    return this.#events.on;
  }

  async connect({ signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal);
    await this.#connection.open(this.#life, signal);
  }

  reconnectHint(): void {
    this.#connection.networkIsBack();
  }

  listConsultations({
    signal,
    ...page
  }: CallOptions & { limit?: number; createdBefore?: number } = {}): Promise<{
    consultations: ConsultationView[];
    unread: Unread[];
    queue: QueuePlace[];
    hasMore: boolean;
  }> {
    return this.#connection.request('consultation.list', page, { signal });
  }

  preferences(options?: CallOptions): Promise<Preferences> {
    return this.#person.preferences(options);
  }

  setPreferences(
    change: { readReceipts?: boolean; push?: Partial<Preferences['push']> },
    options?: CallOptions,
  ): Promise<Preferences> {
    return this.#person.setPreferences(change, options);
  }

  enablePush(registration: ServiceWorkerRegistration, options?: CallOptions): Promise<void> {
    return enablePush({ signalling: this.#connection, life: this.#life }, registration, options);
  }

  disablePush(registration: ServiceWorkerRegistration, options?: CallOptions): Promise<void> {
    return disablePush({ signalling: this.#connection, life: this.#life }, registration, options);
  }

  checkNetwork(options: CallOptions & { onProgress?: (share: number) => void } = {}): Promise<NetworkReport> {
    const parts = { signalling: this.#connection, device: this.#device, life: this.#life };
    return checkNetwork(parts, options);
  }

  openDeviceCheck(options: CallOptions & { camera?: boolean } = {}): Promise<DeviceCheck> {
    return openDeviceCheck({ device: this.#device, life: this.#life }, options);
  }

  listDevices(): Promise<readonly InputDevice[]> {
    return listDevices(this.#device);
  }

  inviteColleague(options?: CallOptions & { validForMs?: number }): Promise<Invitation> {
    return this.#person.inviteColleague(options);
  }

  previewInvitation(
    code: string,
    options?: CallOptions,
  ): Promise<{
    purpose: 'participant' | 'colleague';
    invitedBy: string;
    role: GuestRole | null;
    expiresAt: number;
  }> {
    return this.#person.previewInvitation(code, options);
  }

  redeemInvitation(code: string, options?: CallOptions): Promise<ConsultationView> {
    return this.#person.redeemInvitation(code, options);
  }

  revokeInvitation(invitationId: string, options?: CallOptions): Promise<void> {
    return this.#person.revokeInvitation(invitationId, options);
  }

  showNearby(
    position: { latitude: number; longitude: number },
    options?: CallOptions,
  ): Promise<{ until: number }> {
    return this.#person.showNearby(position, options);
  }

  hideNearby(options?: CallOptions): Promise<void> {
    return this.#person.hideNearby(options);
  }

  listNearby(options?: CallOptions): Promise<readonly Colleague[]> {
    return this.#person.listNearby(options);
  }

  requestColleague(personId: string, options?: CallOptions): Promise<ConsultationView> {
    return this.#person.requestColleague(personId, options);
  }

  async forget(): Promise<void> {
    // Only the token says whose it is.
    if (this.personId === null) await this.#tokens.current();
    const reason = new AppError('ABORTED', { detail: 'forgotten' });
    const followed = [...this.#followed.values()];
    await Promise.all(followed.map(({ consultation }) => consultation.forget(reason)));
    await this.#sayFarewell('forget');
    this.#kept.wipe();
    await this.#store.clear();
  }

  get activeCall(): Call | null {
    return this.#current.call;
  }

  get restoring(): CallToRestore | null {
    return this.#restorer.restoring;
  }

  async restoreCall({ signal }: CallOptions = {}): Promise<Call | null> {
    throwIfAborted(signal);
    return this.#restorer.restore(signal);
  }

  async simulate(failure: SimulatedFailure, options?: CallOptions & { durationMs?: number }): Promise<void> {
    this.#simulation ??= this.#loadSimulation();
    const simulation = await this.#simulation;
    return simulation.run(failure, options);
  }

  async open(consultationId: string, { signal }: CallOptions = {}): Promise<Consultation> {
    throwIfAborted(signal);
    if (this.#life.endReason !== null) throw this.#life.endReason;
    const followed = this.#follow(consultationId as ConsultationId);
    const { consultation } = followed;
    consultation.hold();
    followed.waiting += 1;
    try {
      await this.#life.within(consultation.opened, signal);
      return consultation;
    } catch (error) {
      // Nobody holds it and nobody waits for it any more.
      if (followed.waiting === 1) void consultation.close();
      throw error;
    } finally {
      followed.waiting -= 1;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #follow(consultationId: ConsultationId): Followed {
    const known = this.#followed.get(consultationId);
    if (known !== undefined) return known;
    const consultation = new FollowedConsultation({
      consultationId,
      signalling: this.#connection,
      http: this.#http,
      uploads: this.#uploads,
      device: this.#device,
      store: this.#store,
      kept: this.#kept,
      life: this.#life,
      onCall: (view) => this.#tellCall(view),
      onPart: (call) => this.#current.handlePart(call),
      onUnread: (unread) => this.#events.emit('unread', unread),
      onClosing: () => this.#followed.delete(consultationId),
      onLeft: () => this.#events.emit('left', { consultationId }),
    });
    const followed: Followed = { consultation, waiting: 0 };
    this.#followed.set(consultationId, followed);
    return followed;
  }

  /** Fetched when it is asked for: visitors never try out failures. */
  async #loadSimulation(): Promise<Simulation> {
    const { Simulation } = await import('./simulation/simulation.ts');
    return new Simulation({
      connection: this.#connection,
      device: this.#device,
      life: this.#life,
      activeCall: () => this.#current.call,
      lose: (call) => {
        this.#kept.readAgain();
        this.#followed.get(call.view.consultationId)?.consultation.calls.lose();
      },
      restore: () => this.restoreCall(),
    });
  }

  /** Also when the server closed it for good: another page may go on with what is kept. */
  #end(reason: AppError): void {
    this.#kept.close();
    this.#life.end(reason);
    void this.#store.close();
  }

  async #close(): Promise<void> {
    const reason = new AppError('DISCONNECTED', { detail: 'the client was closed' });
    await Promise.all([
      this.#sayFarewell('close'),
      ...[...this.#followed.values()].map(({ consultation }) => consultation.closeNow(reason)),
    ]);
    this.#end(reason);
    this.#connection.close();
    await new Lifetime().withinTime(this.#store.close(), WRITING_MS).catch(() => {});
  }

  /** A device that does not answer keeps nobody from leaving. */
  async #sayFarewell(why: 'close' | 'forget'): Promise<void> {
    const said = Promise.all([...this.#farewells].map((farewell) => farewell(why)));
    await new Lifetime().withinTime(said, WRITING_MS).catch(() => {});
  }

  /** Facts, answers and snapshots tell of the same calls; the app hears of each state once. */
  #tellCall(view: CallView): void {
    const { callId, revision, state } = view;
    const known = this.#knownCalls.get(callId);
    const endedUnseen = state === 'ended' && known?.state !== 'ended' && revision === known?.revision;
    if (known !== undefined && revision <= known.revision && !endedUnseen) return;
    this.#knownCalls.delete(callId);
    this.#knownCalls.set(callId, view);
    const [oldest] = this.#knownCalls.keys();
    if (this.#knownCalls.size > MAX_KNOWN_CALLS && oldest !== undefined) this.#knownCalls.delete(oldest);
    this.#events.emit('call', view);
  }
}

/** Without the slash that people copy along. */
function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch (cause) {
    throw new AppError('INVALID', { detail: 'url', cause });
  }
}
