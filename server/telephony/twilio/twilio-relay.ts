import type { Clock, Log } from '../../host/ports.ts';
import type {
  BindRequest,
  BoundRelay,
  FetchedRecording,
  PromptId,
  RelayCapabilities,
  RelayCore,
  RelayEvent,
  RelayProvider,
} from '../ports.ts';
import { RelayError } from '../ports.ts';
import { laterInstead, type ProviderHttpPace } from '../provider-http.ts';
import type { RelayLookup } from '../relay-lookup.ts';
import { LONGEST_CALL_MS } from './call-context.ts';
import { CallsUnderWay } from './calls-under-way.ts';
import { Ends } from './ends.ts';
import { reconciled } from './reconcile.ts';
import { RecordingStart } from './recording-start.ts';
import { TWILIO } from './reports.ts';
import { TwilioRest } from './rest.ts';
import { checkTwilioSettings, type TwilioSettings } from './settings.ts';
import { Twiml, WEBHOOKS } from './twiml.ts';
import { TwilioWebhooks } from './webhooks.ts';

/** Twilio waits 15 seconds; the caller should not. The core itself gives up sooner. */
const DECIDE_TIMEOUT_MS = 3_000;

export interface TwilioRelayParts {
  readonly settings: TwilioSettings;
  readonly lookup: RelayLookup;
  readonly log: Log;
  readonly clock: Clock;
  readonly pace?: Partial<ProviderHttpPace>;
  readonly decideTimeoutMs?: number;
}

/** Masked calls by Twilio: each call to X asks us, and reports come back to signed addresses. */
export class TwilioRelay implements RelayProvider {
  readonly name = TWILIO;
  readonly capabilities: RelayCapabilities = {
    routing: 'server',
    chooses: 'us',
    changes: new Set(['a', 'b', 'expiresAt', 'direction', 'recorded'] as const),
    recording: 'stereo',
    ringEvents: true,
    endsCalls: true,
    announcements: 'inline',
    webhookProof: 'hmac',
    minLifetimeMs: 0,
  };
  readonly webhooks: RelayProvider['webhooks'];
  readonly #rest: TwilioRest;
  readonly #calls = new CallsUnderWay();
  readonly #lookup: RelayLookup;
  readonly #ends: Ends;
  readonly #clock: Clock;
  #core: RelayCore | null = null;
  #startedAt = 0;

  /** @throws Error when a setting cannot be right */
  constructor(parts: TwilioRelayParts) {
    const { lookup, log, clock, pace, decideTimeoutMs = DECIDE_TIMEOUT_MS } = parts;
    const settings = checkTwilioSettings(parts.settings);
    const calls = this.#calls;
    this.#lookup = lookup;
    this.#clock = clock;
    this.#rest = new TwilioRest(settings, pace);
    this.#ends = new Ends({ rest: this.#rest, calls, lookup, twiml: new Twiml(settings), log });
    const ends = this.#ends;
    const recordings = new RecordingStart({ rest: this.#rest, calls, log });
    const handlers = new TwilioWebhooks({
      settings,
      lookup,
      calls,
      ends,
      recordings,
      log,
      clock,
      decideTimeoutMs,
    });
    this.webhooks = WEBHOOKS.map((name) => ({
      path: `${TWILIO}/${name}`,
      handle: (request) => handlers.handle(name, request, this.#core),
    }));
  }

  async start(core: RelayCore): Promise<void> {
    this.#core = core;
    this.#startedAt = this.#clock();
  }

  /** Nothing is kept at Twilio: each call asks the core. */
  async bind({ bindingId, x }: BindRequest): Promise<BoundRelay> {
    if (x === null) throw new RelayError('no_number');
    return { bindingId, ref: bindingId, x };
  }

  async change(): Promise<void> {}

  async unbind(bound: BoundRelay, why: PromptId): Promise<void> {
    const callRefs = new Set(this.#calls.of(bound.bindingId));
    for (const callRef of await this.#fromBeforeOurStart(bound)) callRefs.add(callRef);
    for (const callRef of callRefs) await this.endCall(callRef, why);
  }

  async endCall(callRef: string, why: PromptId | null): Promise<void> {
    await this.#ends.bringAbout(callRef, why);
  }

  /** @throws RelayError `not_found`, `unavailable` */
  async fetchRecording(recordingRef: string): Promise<FetchedRecording> {
    const { status, channels } = await this.#rest.recording(recordingRef).catch((error: unknown) => {
      throw laterInstead(error);
    });
    if (status === 'deleted' || status === 'absent') throw new RelayError('not_found');
    if (status !== 'completed')
      throw new RelayError('unavailable', { detail: 'the recording is not finished' });
    const wanted = channels === 2 ? 2 : 1;
    const body = await this.#rest.openRecording(recordingRef, wanted);
    return { body, contentType: 'audio/wav', channels: wanted };
  }

  async deleteRecording(recordingRef: string): Promise<void> {
    await this.#rest.deleteRecording(recordingRef);
  }

  readonly reconcile = (since: number, signal: AbortSignal): AsyncIterable<RelayEvent> =>
    reconciled({ rest: this.#rest, lookup: this.#lookup, ends: this.#ends, since, signal });

  async check(): Promise<void> {
    await this.#rest.checkAccount();
  }

  /** Running calls go on at Twilio, within their time limit: their reports are understood by whoever starts next. */
  async close(): Promise<void> {
    this.#core = null;
    this.#calls.clear();
    this.#rest.close();
  }

  /** Running calls of a binding that another process decided. X may serve other pairs, too, so the store says whose each is. */
  async #fromBeforeOurStart({ bindingId, x }: BoundRelay): Promise<string[]> {
    // No call lasts longer: then there is none.
    if (this.#clock() - this.#startedAt > LONGEST_CALL_MS) return [];
    const found: string[] = [];
    for (const Status of ['in-progress', 'ringing'])
      for await (const { sid } of this.#rest.calls({ To: x, Status })) {
        if (this.#calls.get(sid) !== undefined) continue;
        const known = await this.#lookup.callOf(TWILIO, sid);
        if (known !== null && known.bindingId === bindingId) found.push(sid);
      }
    return found;
  }
}
