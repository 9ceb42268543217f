/** The relay on a carrier's trunk of our own: people dial by SIP, telephones have real sockets. */

import { join } from 'node:path';
import { DEFAULT_PHONE_SETTINGS } from '@teleconsult/server/telephony/bindings/settings';
import type { EmbeddedRelayParts } from '@teleconsult/server/telephony/embedded/embedded-relay';
import { EmbeddedRelay } from '@teleconsult/server/telephony/embedded/embedded-relay';
import type { RelaySettings } from '@teleconsult/server/telephony/embedded/settings';
import type { PhoneNumber } from '@teleconsult/server/telephony/numbers';
import type { BindRequest, BoundRelay, OpenTape, RelayCore } from '@teleconsult/server/telephony/ports';
import { type Datagrams, openDatagrams } from '@teleconsult/server/telephony/sip/datagrams';
import type { Dialog } from '@teleconsult/server/telephony/sip/dialog-api';
import { type EndpointOptions, SipEndpoint } from '@teleconsult/server/telephony/sip/endpoint';
import type { IncomingCall } from '@teleconsult/server/telephony/sip/incoming-call';
import type { CallOutcome, OutgoingCall } from '@teleconsult/server/telephony/sip/outgoing-call';
import { parseSdp, writeAnswer, writeOffer } from '@teleconsult/server/telephony/sip/sdp';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { newBindingId, ScriptedCore } from '../../../contract/relay.core.ts';
import { ANN, BOB, WrittenLog, X } from '../../../contract/relay.under-test.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { Telephone } from '../rtp/telephone.ts';

export const RELAY_HOST = '127.0.71.50';
export const CARRIER_HOST = '127.0.71.1';
export const CALLER_HOST = '127.0.71.11';
export const CALLEE_HOST = '127.0.71.12';
/** Test files run in processes of their own, several at once. */
const FIRST_PORT = 32_000 + 8 * (process.pid % 900);

export interface StageOptions {
  readonly settings?: Partial<RelaySettings>;
  readonly openTape?: OpenTape | null;
  readonly tuning?: EmbeddedRelayParts['tuning'];
  readonly carrier?: Partial<EndpointOptions>;
  readonly asSeen?: (core: RelayCore) => RelayCore;
  readonly clock?: () => number;
  /** What becomes of a phone that is rung; otherwise it waits in `rung`. */
  readonly onRung?: (call: IncomingCall) => void;
  /** Of a relay that ran before. */
  readonly folder?: string;
}

export interface Stage extends AsyncDisposable {
  readonly relay: EmbeddedRelay;
  readonly core: ScriptedCore;
  readonly log: WrittenLog;
  readonly carrier: SipEndpoint;
  /** Calls that the relay has made towards the carrier. */
  readonly rung: IncomingCall[];
  readonly settings: RelaySettings;
  /** Where the table of running calls lies. */
  readonly table: string;
  bind(change?: Partial<BindRequest>): Promise<BoundRelay>;
  /** Somebody dials. */
  dial(from: PhoneNumber | null, x: PhoneNumber): Promise<Caller>;
  /** The carrier hears nothing and says nothing any more, or does again. */
  setDown(isDown: boolean): void;
  /** The n-th phone that is rung. */
  rings(n?: number): Promise<IncomingCall>;
}

export interface Caller extends AsyncDisposable {
  readonly call: OutgoingCall;
  readonly phone: Telephone;
  readonly rang: number[];
  /** Answered; throws when it was not. */
  talk(): Promise<Talk>;
}

/** A phone in a call. */
export interface Talk {
  readonly phone: Telephone;
  readonly dialog: Dialog;
  /** Where it sends its sound. */
  readonly to: { readonly host: string; readonly port: number };
  readonly ended: Promise<unknown>;
}

export const settingsFor = (carrierPort: number, change: Partial<RelaySettings> = {}): RelaySettings => ({
  listen: { host: RELAY_HOST, port: 0 },
  trunk: { host: CARRIER_HOST, port: carrierPort, transport: 'udp' },
  sources: ['127.0.0.0/8'],
  credentials: null,
  promptsFolder: null,
  rtp: { host: RELAY_HOST, firstPort: FIRST_PORT, lastPort: FIRST_PORT + 799, source: 'signalled' },
  defaultRegion: 'CN',
  language: 'zh',
  destinations: DEFAULT_PHONE_SETTINGS.destinations,
  ...change,
  timings: { closeMs: 300, leadMs: 20, ...change.timings },
});

export const offerOf = (phone: Telephone, version = 1): string =>
  writeOffer({
    host: phone.host,
    port: phone.port,
    codecs: [8, 0],
    telephoneEvent: 101,
    direction: 'both',
    session: { id: 7, version },
  });

export async function startStage(options: StageOptions = {}): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const clock = options.clock ?? Date.now;
  const rung: IncomingCall[] = [];
  let isDown = false;
  const carrier = await SipEndpoint.listen({
    address: CARRIER_HOST,
    port: 0,
    allow: ['127.0.0.0/8'],
    t1: 20,
    ...options.carrier,
    onInvite: (call) => {
      if (options.onRung === undefined) rung.push(call);
      else options.onRung(call);
    },
    openDatagrams: (address) => deaf(openDatagrams(address), () => isDown),
  });
  stack.defer(() => carrier.close());
  const dir = stack.use(await tempDir());
  const folder = options.folder ?? dir.path;
  const keys = await openLocalKeyFile({ path: join(folder, 'keys.json'), mayCreate: true, now: 0 });
  const settings = settingsFor(carrier.port, options.settings);
  const log = new WrittenLog();
  const core = new ScriptedCore(clock);
  const relay = new EmbeddedRelay({
    settings,
    openTape: options.openTape ?? null,
    vault: new Vault(keys),
    folder: join(folder, 'calls'),
    log,
    clock,
    tuning: { ...options.tuning, sip: { t1: 20, ...options.tuning?.sip } },
  });
  stack.defer(() => relay.close());
  await relay.start(options.asSeen?.(core) ?? core);
  const owned = stack.move();

  const stage: Stage = {
    relay,
    core,
    log,
    carrier,
    rung,
    settings,
    table: join(folder, 'calls'),
    async bind(change = {}) {
      const request: BindRequest = {
        bindingId: newBindingId(),
        a: ANN,
        b: BOB,
        x: X,
        expiresAt: clock() + 3_600_000,
        direction: 'both',
        recorded: false,
        ringMs: 20_000,
        maxTalkMs: 1_800_000,
        ...change,
      };
      const bound = await relay.bind(request);
      core.bound(request, bound);
      return bound;
    },
    async dial(from, x) {
      const phone = await Telephone.at(CALLER_HOST);
      const rang: number[] = [];
      const call = carrier.invite({
        uri: `sip:${x}@${RELAY_HOST}:${relay.port}`,
        via: { protocol: 'udp', address: RELAY_HOST, port: relay.port },
        from: { uri: `sip:${from ?? 'anonymous'}@${CARRIER_HOST}` },
        sdp: offerOf(phone),
        onRinging: ({ status }) => void rang.push(status),
      });
      return {
        call,
        phone,
        rang,
        async talk() {
          return talkOf(phone, await call.outcome);
        },
        async [Symbol.asyncDispose]() {
          call.cancel();
          const outcome = await call.outcome;
          if (outcome.type === 'answered') void outcome.dialog.bye();
          await phone[Symbol.asyncDispose]();
        },
      };
    },
    setDown: (to) => {
      isDown = to;
    },
    rings: (n = 0) => eventually('a phone rings', () => rung[n]),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return stage;
}

/** Drops what comes and goes while it is down. */
function deaf(real: Datagrams, isDown: () => boolean): Datagrams {
  const datagrams: Datagrams = {
    bind: (host, port) => real.bind(host, port),
    send: (bytes, host, port) => {
      if (!isDown()) real.send(bytes, host, port);
    },
    onDatagram: () => undefined,
    close: () => real.close(),
  };
  real.onDatagram = (bytes, host, port) => {
    if (!isDown()) datagrams.onDatagram(bytes, host, port);
  };
  return datagrams;
}

function talkOf(phone: Telephone, outcome: CallOutcome): Talk {
  if (outcome.type !== 'answered') throw new Error(`not answered: ${JSON.stringify(outcome)}`);
  const { dialog, sdp } = outcome;
  return { phone, dialog, to: placeIn(sdp), ended: dialog.ended };
}

export function placeIn(sdp: string): { host: string; port: number } {
  const audio = parseSdp(sdp);
  if (audio?.host == null) throw new Error('no sound in the SDP');
  return { host: audio.host, port: audio.port };
}

/** The callee picks up. */
export async function pickUp(call: IncomingCall, phone?: Telephone): Promise<Talk & AsyncDisposable> {
  const owned = phone ?? (await Telephone.at(CALLEE_HOST));
  owned.ssrc = 0x13900002;
  const offer = parseSdp(call.offer ?? '');
  if (offer === null) throw new Error('no offer');
  call.ringing();
  const sdp = writeAnswer(offer, {
    host: owned.host,
    port: owned.port,
    codecs: [8],
    telephoneEvent: 101,
    direction: 'both',
    session: { id: 9, version: 1 },
  });
  const dialog = call.answer(sdp);
  return {
    phone: owned,
    dialog,
    to: placeIn(call.offer ?? ''),
    ended: dialog.ended,
    async [Symbol.asyncDispose]() {
      void dialog.bye();
      await owned[Symbol.asyncDispose]();
    },
  };
}
