import { guardedClock, type SipClock, sipTimers, systemClock } from './clock.ts';
import { ALLOW, type Core, DialogTable, REFUSED_METHODS, SDP_TYPE, SUPPORTED } from './core.ts';
import type { Datagrams } from './datagrams.ts';
import { causeOf } from './dialog.ts';
import { type DialogSnapshot, DialogState } from './dialog-state.ts';
import { type Credentials, DigestClient } from './digest.ts';
import { exchange } from './exchange.ts';
import { type IncomingCall, SipIncomingCall } from './incoming-call.ts';
import { type InviteOptions, type OutgoingCall, SipOutgoingCall } from './outgoing-call.ts';
import { type ParseLimits, parseMessage } from './parse.ts';
import type { IncomingSnapshot, OutgoingSnapshot } from './ringing-snapshot.ts';
import { answerSession, SESSION_SETTINGS, type SessionSettings } from './session-timer.ts';
import { SOURCE_LIMITS, SourceGuard, type SourceLimits } from './sources.ts';
import { noStatistics, type SipStatistics } from './statistics.ts';
import type { ConnectionLimits } from './tcp-connections.ts';
import { type Incoming, TransactionLayer } from './transactions.ts';
import { type Hop, SipTransport } from './transport.ts';
import {
  type KeepAlive,
  type KeepAliveOptions,
  type RegisterOptions,
  type Registration,
  SipKeepAlive,
  SipRegistration,
} from './trunk.ts';
import { formatHostPort } from './uri.ts';

export interface EndpointOptions {
  /** UDP and TCP are both opened on it. */
  readonly address: string;
  /** 0: a free one. */
  readonly port: number;
  /** What our Via and Contact say, where it is not the address itself (NAT, all interfaces). */
  readonly publicAddress?: { readonly host: string; readonly port: number };
  /** Addresses and CIDR ranges that may speak to us, and that we speak to. Others get nothing at all. */
  readonly allow: readonly string[];
  /** A call came in. Answered nowhere, it is refused after Timer C. */
  readonly onInvite: (call: IncomingCall) => void;
  /** An exception, ours or of a callback: a bug. The endpoint goes on. */
  readonly onError?: (error: unknown) => void;
  /** The same in every message. */
  readonly userAgent?: string;
  /** Milliseconds; 500 where the network is not tiny. All timers follow it. */
  readonly t1?: number;
  readonly clock?: SipClock;
  /** null: no session timers. */
  readonly session?: SessionSettings | null;
  /** Calls that ring or run at once; one more gets 503. */
  readonly maxCalls?: number;
  readonly maxTransactions?: number;
  readonly sources?: Partial<SourceLimits>;
  readonly connections?: Partial<ConnectionLimits>;
  readonly parsing?: Partial<ParseLimits>;
  readonly openDatagrams?: (address: string) => Datagrams;
}

const MAX_CALLS = 1000;
const MAX_TRANSACTIONS = 10_000;
/** RFC 3261 §8.1.1.5: a request of a dialog we have lost count of is far enough ahead. */
const LOST_SEQ_AHEAD = 1000;

/** A SIP user agent: calls come in and go out, and no call knows of another. */
export class SipEndpoint {
  readonly #options: EndpointOptions;
  readonly #statistics = noStatistics();
  readonly #guard: SourceGuard;
  readonly #core: Core;
  readonly #incoming = new Map<string, SipIncomingCall>();
  readonly #outgoing = new Set<SipOutgoingCall>();
  readonly #trunks = new Set<{ close(): void | Promise<void> }>();
  #transport: SipTransport | null = null;
  #calls = 0;
  #closed: Promise<void> | null = null;

  private constructor(options: EndpointOptions) {
    const { session = SESSION_SETTINGS, sources } = options;
    const clock = guardedClock(options.clock ?? systemClock, (error) => this.#failed(error));
    if (['0.0.0.0', '::'].includes(options.address) && options.publicAddress === undefined)
      throw new TypeError('on all interfaces nobody knows where to answer: a public address is needed');
    const timers = sipTimers(options.t1);
    this.#options = options;
    this.#guard = new SourceGuard(options.allow, { ...SOURCE_LIMITS, ...sources }, clock);
    const layer = new TransactionLayer({
      guard: this.#guard,
      statistics: this.#statistics,
      clock,
      timers,
      userAgent: options.userAgent ?? 'teleconsult',
      maxTransactions: options.maxTransactions ?? MAX_TRANSACTIONS,
      onRequest: (incoming) => this.#received(incoming),
      onAck: (request, from) => {
        const member = this.#core.dialogs.find(request);
        if (member === null) this.#statistics.stray += 1;
        else member.acknowledged(request, from);
      },
      onCancel: (invite, cancel) => {
        const call = this.#incoming.get(invite.toTag);
        // One that is not of a new call changes a running one, and is only dropped.
        if (call === undefined) invite.respond(487);
        else call.cancelled(causeOf(cancel));
      },
      sentBy: () => this.#sentBy(),
    });
    this.#core = {
      layer,
      clock,
      timers,
      session,
      guard: this.#guard,
      dialogs: new DialogTable(),
      contact: (hop) => this.#contact(hop),
      guarded: (run) => this.#guarded(run),
    };
  }

  /** @throws Error when the port is taken; TypeError for an allow list that is none */
  static async listen(options: EndpointOptions): Promise<SipEndpoint> {
    const endpoint = new SipEndpoint(options);
    const { address, port, parsing, connections, openDatagrams } = options;
    endpoint.#transport = await SipTransport.open({
      address,
      port,
      guard: endpoint.#guard,
      statistics: endpoint.#statistics,
      onMessage: (message, from, bytes) => {
        try {
          endpoint.#core.layer.received(message, from, bytes);
        } catch (error) {
          endpoint.#failed(error);
        }
      },
      ...(parsing === undefined ? {} : { parsing }),
      ...(connections === undefined ? {} : { connections }),
      ...(openDatagrams === undefined ? {} : { openDatagrams }),
    });
    endpoint.#core.layer.attach(endpoint.#transport);
    return endpoint;
  }

  get address(): string {
    return this.#options.address;
  }

  get port(): number {
    return this.#transport?.port ?? 0;
  }

  /** Calls that ring or run. */
  get calls(): number {
    return this.#calls;
  }

  /** Transactions, dialogs and connections that are held now. */
  get held(): { readonly transactions: number; readonly dialogs: number; readonly connections: number } {
    const { layer, dialogs } = this.#core;
    return {
      transactions: layer.size,
      dialogs: dialogs.size,
      connections: this.#transport?.connections ?? 0,
    };
  }

  statistics(): SipStatistics {
    return structuredClone(this.#statistics);
  }

  /** Whether messages from and to there are let through. */
  admits(address: string): boolean {
    return this.#guard.admits(address);
  }

  /** Calls somebody. @throws TypeError for a URI, header or hop that nothing may be sent with */
  invite(options: InviteOptions): OutgoingCall {
    this.#calls += 1;
    try {
      const call: SipOutgoingCall = new SipOutgoingCall(this.#core, options, {
        settled: () => queueMicrotask(() => this.#outgoing.delete(call)),
        dialogEnded: this.#callEnded(),
      });
      this.#outgoing.add(call);
      return call;
    } catch (error) {
      this.#calls -= 1;
      throw error;
    }
  }

  /** Says BYE in a dialog of before a restart, of which nothing but this is known. Never rejects. */
  async endLost(snapshot: DialogSnapshot, auth?: Credentials): Promise<void> {
    const state = new DialogState({ ...snapshot, localSeq: snapshot.localSeq + LOST_SEQ_AHEAD });
    if (!this.#guard.admits(state.hop(this.#guard).address)) return;
    await exchange(
      this.#core.layer,
      (authorization) =>
        state.request({
          method: 'BYE',
          seq: state.nextSeq(),
          guard: this.#guard,
          charged: false,
          headers: (uri) => authorization('BYE', uri),
        }),
      auth === undefined ? null : new DigestClient(auth),
    );
  }

  /** Refuses a call of before a restart that was not answered. */
  refuseLost({ request, flow }: IncomingSnapshot): void {
    const parsed = parseMessage(Buffer.from(request, 'latin1'));
    if (!parsed.ok || parsed.message.kind !== 'request' || !this.#guard.admits(flow.address)) return;
    this.#core.layer.answerLost(parsed.message, flow, 503);
  }

  /**
   * Takes back an INVITE of before a restart: the same is sent once more, which a phone that rings only answers with its
   * state, and cancelled; one that was answered meanwhile is hung up. Not for one that may be over: it would ring anew.
   */
  endRinging({ from, ...snapshot }: OutgoingSnapshot): void {
    if (!this.#guard.admits(snapshot.via.address)) return;
    this.#calls += 1;
    const call: SipOutgoingCall = new SipOutgoingCall(
      this.#core,
      { ...snapshot, from: { uri: from } },
      {
        settled: () => queueMicrotask(() => this.#outgoing.delete(call)),
        dialogEnded: this.#callEnded(),
      },
      snapshot,
    );
    this.#outgoing.add(call);
    call.cancel();
  }

  /** Asks a trunk with OPTIONS whether it is there. */
  keepAlive(options: KeepAliveOptions): KeepAlive {
    const trunk: SipKeepAlive = new SipKeepAlive(this.#core, options, () => this.#trunks.delete(trunk));
    this.#trunks.add(trunk);
    return trunk;
  }

  /** Registers at a trunk, and stays registered. */
  register(options: RegisterOptions): Registration {
    const trunk: SipRegistration = new SipRegistration(this.#core, options, () => this.#trunks.delete(trunk));
    this.#trunks.add(trunk);
    return trunk;
  }

  /** Says one last word to everybody (503, CANCEL, BYE) and waits for no answer. May be called twice. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const trunk of this.#trunks) void trunk.close();
    for (const call of this.#outgoing) call.closeNow();
    for (const member of this.#core.dialogs.all()) member.closeNow();
    this.#core.layer.close();
    await this.#transport?.close();
  }

  #received(incoming: Incoming): void {
    const { request } = incoming;
    const unsupported = request.headers.words('require').filter((word) => !SUPPORTED.has(word));
    if (request.uri.scheme === 'other') return incoming.respond(416);
    if (unsupported.length > 0)
      return incoming.respond(420, { headers: [['Unsupported', unsupported.join(', ')]] });
    if (request.toTag !== null) {
      const member = this.#core.dialogs.find(request);
      if (member === null) incoming.respond(481);
      else member.received(incoming);
      return;
    }
    switch (request.method) {
      case 'INVITE':
        return this.#invited(incoming);
      case 'OPTIONS':
        return incoming.respond(200, {
          headers: [
            ['Contact', this.#core.contact(incoming.from)],
            ['Allow', ALLOW],
            ['Accept', SDP_TYPE],
            ['Supported', [...SUPPORTED].join(', ')],
          ],
        });
      case 'BYE':
      case 'UPDATE':
      case 'INFO':
        return incoming.respond(481);
      default:
        return incoming.respond(REFUSED_METHODS.has(request.method) ? 405 : 501, {
          headers: [['Allow', ALLOW]],
        });
    }
  }

  #invited(incoming: Incoming): void {
    const { request } = incoming;
    const { maxCalls = MAX_CALLS, onInvite } = this.#options;
    if (this.#calls >= maxCalls) {
      this.#statistics.overLimit += 1;
      return incoming.respond(503, { headers: [['Retry-After', '10']] });
    }
    if (request.fromTag === null || !/^\s*[^\s]/.test(request.headers.get('contact') ?? ''))
      return incoming.respond(400);
    const type = (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
    if (request.headers.get('content-encoding') !== null || (request.body.length > 0 && type !== SDP_TYPE))
      return incoming.respond(415, { headers: [['Accept', SDP_TYPE]] });
    const session = answerSession(this.#core.session, request);
    if (!session.ok) return incoming.respond(422, { headers: session.headers });

    this.#calls += 1;
    const call = new SipIncomingCall({
      core: this.#core,
      incoming,
      session,
      onSettled: () => this.#incoming.delete(incoming.toTag),
      onDialogEnded: this.#callEnded(),
    });
    this.#incoming.set(incoming.toTag, call);
    if (!this.#guarded(() => onInvite(call))) call.refuse(500);
  }

  /** Counts a call down, once. */
  #callEnded(): () => void {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#calls -= 1;
    };
  }

  #contact(hop: Hop): string {
    return `<sip:${this.#sentBy()}${hop.protocol === 'tcp' ? ';transport=tcp' : ''}>`;
  }

  #sentBy(): string {
    const { host, port } = this.#options.publicAddress ?? { host: this.address, port: this.port };
    return formatHostPort(host, port);
  }

  #guarded(run: () => void): boolean {
    try {
      run();
      return true;
    } catch (error) {
      this.#failed(error);
      return false;
    }
  }

  #failed(error: unknown): void {
    this.#statistics.failures += 1;
    this.#options.onError?.(error);
  }
}
