import { z } from 'zod';
import type { Clock, Log } from '../../host/ports.ts';
import { isPhoneNumber, type PhoneNumber } from '../numbers.ts';
import type {
  BindingChange,
  BindRequest,
  BoundRelay,
  FetchedRecording,
  RelayCapabilities,
  RelayCore,
  RelayDirection,
  RelayProvider,
} from '../ports.ts';
import { RelayError } from '../ports.ts';
import { laterInstead, type ProviderHttpPace } from '../provider-http.ts';
import type { RelayLookup } from '../relay-lookup.ts';
import { beijingTime } from './beijing-time.ts';
import { domesticNumber, numberOfReport } from './domestic-number.ts';
import { ReportReceiver } from './report-receiver.ts';
import { ALIBABA, REPORT_KINDS, recordingOf } from './reports.ts';
import { AlibabaRefusal, AlibabaRpc } from './rpc.ts';
import { type AlibabaSettings, checkAlibabaSettings } from './settings.ts';
import { SubscriptionQueries } from './subscription-queries.ts';

/** The service wants more than a minute; clocks differ. */
const MIN_LIFETIME_MS = 120_000;
/** `CallTimeout`, in seconds. */
const RING_SECONDS = { least: 5, most: 20 };
/** `yes` for bindings made by this process, so that asking again does not ask the service. */
const MOST_REMEMBERED = 10_000;

/** Who may not call: the service restricts a side. */
const RESTRICTIONS: Readonly<Record<RelayDirection, string>> = {
  both: 'CONTROL_CLEAR_DISABLE',
  a_calls: 'CONTROL_BX_DISABLE',
  b_calls: 'CONTROL_AX_DISABLE',
};

const Bound = z.object({
  SecretBindDTO: z.object({ SubsId: z.coerce.string().regex(/^\d{1,20}$/), SecretNo: z.string() }),
});
const Download = z.object({ DownloadUrl: z.string() });

export interface AlibabaRelayParts {
  readonly settings: AlibabaSettings;
  readonly lookup: RelayLookup;
  readonly log: Log;
  readonly clock: Clock;
  readonly pace?: Partial<ProviderHttpPace>;
}

/** Masked calls by Alibaba's number service: it holds the binding and routes, and reports afterwards. */
export class AlibabaRelay implements RelayProvider {
  readonly name = ALIBABA;
  readonly capabilities: RelayCapabilities;
  /** It has no list of calls to read again. */
  readonly reconcile = null;
  readonly #settings: AlibabaSettings;
  readonly #clock: Clock;
  readonly #rpc: AlibabaRpc;
  readonly #queries: SubscriptionQueries;
  readonly #binding = new Map<string, Promise<BoundRelay>>();
  /** Their paths hold the secret: whoever writes this object down does not write those. */
  readonly #webhooks: RelayProvider['webhooks'];
  #core: RelayCore | null = null;

  /** @throws Error when a setting cannot be right */
  constructor({ lookup, log, clock, pace = {}, ...parts }: AlibabaRelayParts) {
    const settings = checkAlibabaSettings(parts.settings);
    this.#settings = settings;
    this.#clock = clock;
    this.#rpc = new AlibabaRpc({ settings, clock, pace });
    this.#queries = new SubscriptionQueries(this.#rpc);
    this.capabilities = {
      routing: 'provider',
      chooses: settings.chooses,
      changes: new Set(['a', 'b', 'expiresAt', 'direction', 'recorded'] as const),
      recording: settings.recordingRingConfig === null ? 'none' : 'mixed',
      ringEvents: true,
      endsCalls: false,
      announcements: 'uploaded',
      webhookProof: 'secret_address',
      minLifetimeMs: MIN_LIFETIME_MS,
    };
    const receiver = new ReportReceiver({ settings, lookup, log, clock });
    this.#webhooks = REPORT_KINDS.map((kind) => ({
      path: `${ALIBABA}/${settings.reportSecret}/${kind}`,
      handle: (request) => receiver.handle(kind, request, this.#core),
    }));
  }

  get webhooks(): RelayProvider['webhooks'] {
    return this.#webhooks;
  }

  async start(core: RelayCore): Promise<void> {
    this.#core = core;
  }

  async bind(request: BindRequest): Promise<BoundRelay> {
    const { bindingId } = request;
    const before = this.#binding.get(bindingId);
    if (before !== undefined) return await before;
    const binding = this.#bind(request);
    this.#binding.set(bindingId, binding);
    binding.catch(() => this.#binding.delete(bindingId));
    for (const [oldest] of this.#binding) {
      if (this.#binding.size <= MOST_REMEMBERED) break;
      this.#binding.delete(oldest);
    }
    return await binding;
  }

  /** What narrows comes first: whoever may no longer call cannot while the rest is changed. */
  async change(bound: BoundRelay, change: BindingChange): Promise<void> {
    const { direction, recorded, a, b, expiresAt } = change;
    if (direction !== undefined)
      await this.#update(bound, { OperateType: 'updateCallRestrict', CallRestrict: RESTRICTIONS[direction] });
    if (recorded !== undefined) {
      if (recorded) this.#noticed();
      await this.#update(bound, {
        OperateType: 'updateIsRecordingEnabled',
        IsRecordingEnabled: String(recorded),
      });
    }
    if (a !== undefined) await this.#update(bound, { OperateType: 'updateNoA', PhoneNoA: bindable(a) });
    if (b !== undefined) await this.#update(bound, { OperateType: 'updateNoB', PhoneNoB: bindable(b) });
    if (expiresAt !== undefined)
      await this.#update(bound, { OperateType: 'updateExpire', Expiration: this.#expiration(expiresAt) });
  }

  /** The service cannot end a running call: it ends by itself, and no other is made. */
  async unbind({ bindingId, ref, x }: BoundRelay): Promise<void> {
    try {
      await this.#rpc.call('UnbindSubscription', { SubsId: ref, SecretNo: bindable(x) });
    } catch (error) {
      if (!(error instanceof RelayError) || error.reason === 'unavailable') throw error;
      // Its codes for "not there" are not all documented, and ours are guesses: whether it is there decides.
      if (await this.#queries.isThere(ref, bindable(x)))
        throw error.reason === 'not_found' ? new RelayError('unavailable', { detail: error.message }) : error;
    }
    this.#binding.delete(bindingId);
  }

  /** @throws RelayError `refused` always: `capabilities.endsCalls` says so */
  async endCall(): Promise<void> {
    throw new RelayError('refused', { detail: 'this provider cannot end a call' });
  }

  /** @throws RelayError `not_found`, `unavailable` */
  async fetchRecording(recordingRef: string): Promise<FetchedRecording> {
    const recording = recordingOf(recordingRef);
    if (recording === null) throw new RelayError('not_found');
    const asked = { CallId: recording.callId, CallTime: beijingTime(recording.callAt) };
    const found = await this.#rpc.call('QueryRecordFileDownloadUrl', asked).catch((error: unknown) => {
      throw laterInstead(error);
    });
    const answer = Download.safeParse(found);
    const url = answer.success ? this.#recordingUrl(answer.data.DownloadUrl) : null;
    if (url === null) throw new RelayError('unavailable', { detail: 'no address of the recording' });
    const { response, body, discard } = await this.#rpc.open(url);
    if (response.status === 200) {
      const contentType = /\.wav$/i.test(new URL(url).pathname) ? 'audio/wav' : 'audio/mpeg';
      return { body, contentType, channels: 1 };
    }
    discard();
    // It takes the service up to 20 minutes to put a recording where its address points to.
    throw new RelayError('unavailable', { detail: `http ${response.status}` });
  }

  /** The service has no such request: it deletes recordings itself after the days of its contract. */
  async deleteRecording(): Promise<void> {}

  /** Asks for a binding that is not there: an answer about it proves the way, the keys and the pool. */
  async check(): Promise<void> {
    await this.#queries.checkAccess();
  }

  /** The bindings stay at the service, which goes on routing: they are the store's to end. */
  async close(): Promise<void> {
    this.#core = null;
    this.#binding.clear();
    this.#rpc.close();
  }

  async #bind(request: BindRequest): Promise<BoundRelay> {
    const { bindingId, a, b, x, expiresAt, direction, recorded, ringMs } = request;
    if (x === null && this.#settings.chooses === 'us') throw new RelayError('no_number');
    const ring = Math.min(Math.max(Math.floor(ringMs / 1_000), RING_SECONDS.least), RING_SECONDS.most);
    const { city } = this.#settings;
    const wanted = { a: bindable(a), b: bindable(b), x: x === null ? null : bindable(x) };
    const parameters = {
      PhoneNoA: wanted.a,
      PhoneNoB: wanted.b,
      ...(wanted.x === null ? {} : { PhoneNoX: wanted.x }),
      ...(wanted.x !== null || city === null ? {} : { ExpectCity: city }),
      Expiration: this.#expiration(expiresAt),
      // Comes back in reports: opaque, never a number.
      OutId: bindingId,
      OutOrderId: bindingId,
      // 1: both see X. Anything else would show numbers.
      CallDisplayType: '1',
      CallTimeout: String(ring),
      IsRecordingEnabled: String(recorded),
      ...(recorded ? { RingConfig: this.#noticed() } : {}),
      ...(direction === 'both' ? {} : { CallRestrict: RESTRICTIONS[direction] }),
    };
    try {
      // Where the service chooses X, a binding whose answer was lost could not be found again: it is not asked twice.
      const answer = await this.#rpc.call('BindAxb', parameters, { repeats: wanted.x !== null });
      return boundFrom(bindingId, answer);
    } catch (error) {
      if (!(error instanceof AlibabaRefusal) || error.code !== 'isv.BIND_CONFLICT' || x === null) throw error;
      // Made before, and its answer lost: it is found by X, and is ours only when it is between the same two.
      const ref = await this.#queries.between(wanted.a, wanted.b, bindable(x));
      if (ref === null) throw error;
      return { bindingId, ref, x };
    }
  }

  async #update({ ref, x }: BoundRelay, what: Readonly<Record<string, string>>): Promise<void> {
    await this.#rpc.call('UpdateSubscription', { SubsId: ref, PhoneNoX: bindable(x), ...what });
  }

  #expiration(at: number): string {
    if (at - this.#clock() < MIN_LIFETIME_MS)
      throw new RelayError('refused', { detail: 'it would end too soon' });
    return beijingTime(at);
  }

  /** What both hear before a recorded call. @throws RelayError where nothing is set up: nobody is recorded unawares */
  #noticed(): string {
    const { recordingRingConfig } = this.#settings;
    if (recordingRingConfig === null)
      throw new RelayError('refused', { detail: 'no recording notice is set up' });
    return recordingRingConfig;
  }

  /** Over TLS, and to the hosts of the settings alone. */
  #recordingUrl(text: string): string | null {
    if (!URL.canParse(text)) return null;
    const url = new URL(text);
    const isAllowed = this.#settings.recordingHosts.some(
      (end) => url.host === end || url.host.endsWith(`.${end}`),
    );
    if (!isAllowed || url.username !== '' || url.password !== '') return null;
    if (url.protocol === 'http:' && url.hostname !== '127.0.0.1') url.protocol = 'https:';
    return url.protocol === 'https:' || url.hostname === '127.0.0.1' ? url.href : null;
  }
}

function boundFrom(bindingId: BindRequest['bindingId'], answer: unknown): BoundRelay {
  const bound = Bound.safeParse(answer);
  const x = bound.success ? numberOfReport(bound.data.SecretBindDTO.SecretNo) : null;
  if (!bound.success || x === null || !isPhoneNumber(x))
    throw new RelayError('unavailable', { detail: 'an answer of another shape' });
  return { bindingId, ref: bound.data.SecretBindDTO.SubsId, x };
}

function bindable(number: PhoneNumber): string {
  const written = domesticNumber(number);
  if (written === null) throw new RelayError('refused', { detail: 'a number outside of mainland China' });
  return written;
}
