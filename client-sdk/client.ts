import type { CallId, CallView, ConsultationId, ConsultationView, PersonId } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type {
  CallOptions,
  ClientEvents,
  ClientOptions,
  ConnectionState,
  Consultation,
  Subscribe,
  TeleconsultClient,
} from './api.ts';
import { defaultReconnectPolicy } from './backoff.ts';
import { Connection } from './connection.ts';
import { FollowedConsultation } from './consultation.ts';
import { Emitter } from './events.ts';
import { Http } from './http.ts';
import { Lifetime, throwIfAborted } from './lifetime.ts';
import type { FactHandlers } from './link.ts';
import { MediaDevice } from './media-device.ts';
import { resolveDeviceId } from './mint-id.ts';
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

/** Makes a client. Nothing is connected, and no device is asked for, before the app says so. */
export function createTeleconsultClient(options: ClientOptions): TeleconsultClient {
  return new Client(options);
}

class Client implements TeleconsultClient {
  readonly deviceId: string;
  readonly #events = new Emitter<ClientEvents>();
  readonly #life = new Lifetime();
  readonly #connection: Connection;
  readonly #http: Http;
  readonly #uploads: Uploads;
  readonly #device: MediaDevice;
  readonly #followed = new Map<ConsultationId, Followed>();
  readonly #knownCalls = new Map<CallId, CallView>();
  #closing: Promise<void> | null = null;

  constructor(options: ClientOptions) {
    const deviceId = resolveDeviceId(options.deviceId);
    const url = originOf(options.url);
    const timeoutMs = options.requestTimeoutMs ?? DEFAULT_TIMEOUT_MS;
    const tokens = new TokenSource(options.token);
    this.deviceId = deviceId;
    this.#connection = new Connection({
      url,
      deviceId,
      tokens,
      requestTimeoutMs: timeoutMs,
      policy: options.reconnect ?? defaultReconnectPolicy,
      facts: this.#factHandlers(),
    });
    this.#http = new Http({ url, tokens, timeoutMs });
    this.#uploads = new Uploads({ http: this.#http, tokens, signalling: this.#connection });
    this.#device = new MediaDevice(options.media);
    this.#connection.events.on('state', (change) => {
      if (change.state === 'closed') this.#life.end(change.error ?? new AppError('DISCONNECTED'));
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
    hasMore: boolean;
  }> {
    return this.#connection.request('consultation.list', page, { signal });
  }

  async open(consultationId: string, { signal }: CallOptions = {}): Promise<Consultation> {
    throwIfAborted(signal);
    if (this.#life.endReason !== null) throw this.#life.endReason;
    const followed = this.#follow(consultationId as ConsultationId);
    const { consultation } = followed;
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
      life: this.#life,
      onCall: (view) => this.#tellCall(view),
      onClosing: () => this.#followed.delete(consultationId),
    });
    const followed: Followed = { consultation, waiting: 0 };
    this.#followed.set(consultationId, followed);
    return followed;
  }

  async #close(): Promise<void> {
    const reason = new AppError('DISCONNECTED', { detail: 'the client was closed' });
    await Promise.all([...this.#followed.values()].map(({ consultation }) => consultation.close(reason)));
    this.#life.end(reason);
    this.#connection.close();
  }

  #factHandlers(): FactHandlers {
    const at = (consultationId: ConsultationId) => this.#followed.get(consultationId)?.consultation;
    return {
      'entry.added': (entry) => at(entry.consultationId)?.handleEntry(entry),
      'consultation.changed': (view) => {
        at(view.consultationId)?.handleChanged(view);
        this.#events.emit('consultation', view);
      },
      'call.changed': (view) => {
        at(view.consultationId)?.handleCall(view);
        this.#tellCall(view);
      },
      'seat.consumerAdded': ({ consultationId, callId, consumer }) =>
        at(consultationId)?.handleSeatFact(callId, { kind: 'consumerAdded', consumer }),
      'seat.consumerRemoved': ({ consultationId, callId, consumerId }) =>
        at(consultationId)?.handleSeatFact(callId, { kind: 'consumerRemoved', consumerId }),
      'seat.consumerPaused': ({ consultationId, callId, consumerId, paused }) =>
        at(consultationId)?.handleSeatFact(callId, { kind: 'consumerPaused', consumerId, paused }),
      'seat.mediaLost': ({ consultationId, callId }) =>
        at(consultationId)?.handleSeatFact(callId, { kind: 'mediaLost' }),
      'seat.moved': ({ consultationId, callId }) => at(consultationId)?.handleSeatMoved(callId),
    };
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
