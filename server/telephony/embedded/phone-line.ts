/** The trunk, and the sound of what runs over it: what calls through the relay and phones of a consultation share. */
import type { Log } from '../../host/ports.ts';
import { mayDial } from '../bindings/destinations.ts';
import type { PhoneNumber } from '../numbers.ts';
import { type PhoneLanguage, type PromptId, RelayError } from '../ports.ts';
import { loadPrompts, type Prompts } from '../prompts/prompts.ts';
import type { PhoneMedia, PhoneSession, SessionOptions } from '../rtp/ports.ts';
import type { DialogSnapshot } from '../sip/dialog-state.ts';
import type { Credentials } from '../sip/digest.ts';
import { SipEndpoint } from '../sip/endpoint.ts';
import type { IncomingCall } from '../sip/incoming-call.ts';
import type { InviteOptions, OutgoingCall } from '../sip/outgoing-call.ts';
import type { SipStatistics } from '../sip/statistics.ts';
import type { Hop } from '../sip/transport.ts';
import type { KeepAlive, TrunkState } from '../sip/trunk.ts';
import { sipUri } from '../sip/uri.ts';
import { atMost } from './at-most.ts';
import type { TabledCall } from './call-table.ts';
import { openLineMedia } from './line-media.ts';
import {
  MAX_CALLS,
  RELAY_TIMINGS,
  type RelaySettings,
  type RelayTimings,
  type RelayTuning,
} from './settings.ts';
import { TrunkAddress } from './trunk-address.ts';

export interface LineParts {
  readonly settings: RelaySettings;
  readonly tuning: RelayTuning;
  readonly log: Log;
  readonly onInvite: (call: IncomingCall) => void;
}

export interface DialWish {
  readonly to: PhoneNumber;
  /** What the callee sees. */
  readonly showAs: PhoneNumber;
  readonly sdp: string;
  readonly onRinging: NonNullable<InviteOptions['onRinging']>;
}

export class PhoneLine {
  readonly timings: RelayTimings;
  readonly #parts: LineParts;
  readonly #auth: Credentials | null;
  readonly #prompts: Prompts;
  readonly #media: PhoneMedia;
  readonly #sip: SipEndpoint;
  readonly #trunk: TrunkAddress;
  #keepAlive: KeepAlive | null = null;
  #probing: Promise<boolean> | null = null;
  #closing: Promise<void> | null = null;

  /** @throws Error when a port is taken, an announcement is missing, or the trunk is none of the allowed sources */
  static async open(parts: LineParts): Promise<PhoneLine> {
    const { settings, tuning, onInvite, log } = parts;
    const { listen, publicAddress, sources, maxCalls = MAX_CALLS, promptsFolder } = settings;
    await using stack = new AsyncDisposableStack();
    const prompts = await loadPrompts(promptsFolder === null ? {} : { overrideFolder: promptsFolder });
    const media = await openLineMedia({ settings, tuning, log });
    stack.defer(() => media.close());
    const sip = await SipEndpoint.listen({
      address: listen.host,
      port: listen.port,
      ...(publicAddress === undefined ? {} : { publicAddress }),
      allow: sources,
      // Two legs a call, and those of consultations.
      maxCalls: 4 * maxCalls,
      ...tuning.sip,
      onInvite,
      onError: (error) => log.error('phone.signallingFailed', { error }),
    });
    stack.defer(() => sip.close());
    const trunk = new TrunkAddress({
      host: settings.trunk.host,
      admits: (address) => sip.admits(address),
    });
    stack.defer(() => trunk.close());
    if (!(await trunk.start()))
      throw new Error('masked calls: the trunk is not found, or is none of its own sources');
    const line = new PhoneLine(parts, { prompts, media, sip, trunk });
    stack.move();
    return line;
  }

  private constructor(
    parts: LineParts,
    own: { prompts: Prompts; media: PhoneMedia; sip: SipEndpoint; trunk: TrunkAddress },
  ) {
    const { credentials, timings } = parts.settings;
    this.timings = { ...RELAY_TIMINGS, ...timings };
    this.#parts = parts;
    this.#auth = credentials === null ? null : { username: credentials.user, password: credentials.password };
    this.#prompts = own.prompts;
    this.#media = own.media;
    this.#sip = own.sip;
    this.#trunk = own.trunk;
    this.#trunk.onMoved(() => this.#watch());
    this.#watch();
  }

  get port(): number {
    return this.#sip.port;
  }

  get settings(): RelaySettings {
    return this.#parts.settings;
  }

  get trunkState(): TrunkState {
    return this.#keepAlive?.state ?? 'unknown';
  }

  get sessions(): number {
    return this.#media.sessions;
  }

  statistics(): SipStatistics {
    return this.#sip.statistics();
  }

  /** Asks the trunk whether it is there, now. Asked by many at once, it is asked once. Never rejects. */
  reaches(withinMs: number): Promise<boolean> {
    this.#probing ??= this.#probe(withinMs).finally(() => {
      this.#probing = null;
    });
    return this.#probing;
  }

  prompt(language: PhoneLanguage, prompt: PromptId): Uint8Array {
    return this.#prompts[language][prompt];
  }

  /** The sound of a call. @throws Error when there is no port or no thread */
  openSession(
    options: Pick<SessionOptions, 'onEvent' | 'onTapeFailed' | 'isPlain'> & { b?: string },
  ): Promise<PhoneSession> {
    const { host, source } = this.#parts.settings.rtp;
    const { b, ...events } = options;
    return this.#media.open({
      address: { a: host, b: b ?? host },
      source: { a: source, b: b === undefined ? source : 'signalled' },
      ...events,
    });
  }

  /** Rings a phone through the trunk. @throws RelayError `refused` for a destination nobody may dial, `unavailable` */
  dial({ to, showAs, sdp, onRinging }: DialWish): OutgoingCall {
    const { destinations, publicAddress, listen, trunk } = this.#parts.settings;
    if (!mayDial(to, destinations)) throw new RelayError('refused', { detail: 'destination' });
    const via = this.#hop();
    if (via === null || this.#closing !== null) throw new RelayError('unavailable');
    const shown = sipUri({ user: this.#written(showAs), host: publicAddress?.host ?? listen.host });
    return this.#sip.invite({
      uri: sipUri({ user: this.#written(to), host: trunk.host, port: trunk.port }),
      via,
      from: { uri: shown },
      headers: [['P-Asserted-Identity', `<${shown}>`]],
      sdp,
      onRinging,
      ...(this.#auth === null ? {} : { auth: this.#auth }),
    });
  }

  /** Says BYE in a dialog of before a restart. Never rejects. */
  async endLost(dialog: DialogSnapshot): Promise<void> {
    await this.#sip.endLost(dialog, this.#auth ?? undefined);
  }

  /** Ends a call of before a restart that rang. */
  endRinging({ caller, callee }: Pick<NonNullable<TabledCall['ringing']>, 'caller' | 'callee'>): void {
    if (caller !== null) this.#sip.refuseLost(caller);
    if (callee !== null) this.#sip.endRinging(callee);
  }

  /** Ends what runs. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#keepAlive?.close();
    this.#trunk.close();
    await this.#sip.close();
    await this.#media.close();
  }

  #hop(): Hop | null {
    const { port, transport } = this.#parts.settings.trunk;
    const { address } = this.#trunk;
    return address === null ? null : { protocol: transport, address, port };
  }

  #written(number: PhoneNumber): string {
    return this.#parts.settings.numbers === 'digits' ? number.slice(1) : number;
  }

  #watch(): void {
    const { log } = this.#parts;
    // A trunk that has moved is asked where it is now.
    this.#keepAlive?.close();
    if (this.timings.keepAliveMs === null) return;
    this.#keepAlive = this.#ask(this.timings.keepAliveMs, (state) => {
      if (state === 'up') log.info('phone.trunkUp');
      else log.warn('phone.trunkDown');
    });
  }

  async #probe(withinMs: number): Promise<boolean> {
    const answered = Promise.withResolvers<void>();
    const probe = this.#ask(2 ** 31 - 1, () => answered.resolve());
    if (probe === null) return false;
    await atMost(withinMs, answered.promise);
    probe.close();
    return probe.state === 'up';
  }

  #ask(intervalMs: number, onState: (state: 'up' | 'down') => void): KeepAlive | null {
    const via = this.#hop();
    if (via === null || this.#closing !== null) return null;
    const { trunk, publicAddress, listen } = this.#parts.settings;
    return this.#sip.keepAlive({
      via,
      uri: sipUri({ host: trunk.host, port: trunk.port }),
      from: sipUri({ user: 'relay', host: publicAddress?.host ?? listen.host }),
      intervalMs,
      onState,
      ...(this.#auth === null ? {} : { auth: this.#auth }),
    });
  }
}
