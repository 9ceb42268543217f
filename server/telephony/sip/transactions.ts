import { ClientTransaction } from './client-transaction.ts';
import type { SipClock, SipTimers } from './clock.ts';
import { formatParameters } from './grammar.ts';
import {
  EMPTY,
  type HeaderLine,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  writeRequest,
  writeResponse,
} from './message.ts';
import { ServerTransaction } from './server-transaction.ts';
import type { SourceGuard } from './sources.ts';
import type { SipStatistics } from './statistics.ts';
import { BRANCH_COOKIE, branch, token } from './token.ts';
import type { Hop, SipTransport } from './transport.ts';
import { formatHostPort } from './uri.ts';

/** A request of ours without the headers its transaction writes (Via, Max-Forwards, User-Agent, Content-Length). */
export interface RequestSpec {
  readonly method: string;
  readonly uri: string;
  readonly hop: Hop;
  readonly headers: readonly HeaderLine[];
  readonly body?: Uint8Array;
  /** Sent to somebody who has proved nothing yet: counted against what that source has earned. */
  readonly charged?: boolean;
}

export interface ClientEvents {
  readonly onResponse: (response: SipResponse) => void;
  readonly onFailed: (why: RequestFailure) => void;
}

/** `overLimit`: too many transactions run. */
export type RequestFailure = 'timeout' | 'unreachable' | 'overLimit' | 'closed';

export interface ClientHandle {
  /** CANCEL of an INVITE that was answered provisionally; only called then. */
  cancel(headers: readonly HeaderLine[]): void;
  /** Stops it without telling anybody. */
  end(): void;
}

/** What answers a request that arrived. */
export interface Incoming {
  readonly request: SipRequest;
  readonly from: Hop;
  readonly transaction: ServerTransaction;
  /** Ours in every answer to it. */
  readonly toTag: string;
  respond(status: number, extra?: ResponseExtra): void;
  /** Sends a 2xx again, until it is acknowledged. */
  repeat(bytes: Buffer): void;
  write(status: number, extra?: ResponseExtra): Buffer;
}

export interface ResponseExtra {
  readonly headers?: readonly HeaderLine[];
  readonly body?: Uint8Array;
}

export interface LayerOptions {
  readonly guard: SourceGuard;
  readonly statistics: SipStatistics;
  readonly clock: SipClock;
  readonly timers: SipTimers;
  readonly userAgent: string;
  readonly maxTransactions: number;
  /** Our own host and port, for Via. */
  readonly sentBy: () => string;
  readonly onRequest: (incoming: Incoming) => void;
  readonly onAck: (request: SipRequest, from: Hop) => void;
  /** The INVITE a CANCEL is for. */
  readonly onCancel: (invite: Incoming, cancel: SipRequest) => void;
}

/** Every transaction of an endpoint: who an incoming message belongs to, and how many there may be. */
export class TransactionLayer {
  readonly #options: LayerOptions;
  readonly #servers = new Map<string, Incoming>();
  readonly #clients = new Map<string, ClientTransaction>();
  /** Call-ID, From tag and CSeq of INVITEs in progress: the same on another path is a loop (RFC 3261 §8.2.2.2). */
  readonly #invites = new Map<string, string>();
  #transport: SipTransport | null = null;

  constructor(options: LayerOptions) {
    this.#options = options;
  }

  attach(transport: SipTransport): void {
    this.#transport = transport;
  }

  get size(): number {
    return this.#servers.size + this.#clients.size;
  }

  received(message: SipMessage, from: Hop, bytes: number): void {
    if (message.kind === 'response') {
      this.#response(message);
      return;
    }
    this.#options.guard.earns(from.address, bytes);
    const key = serverKey(message, from);
    if (message.method === 'ACK') this.#ack(message, from, key);
    else if (message.method === 'CANCEL') this.#cancel(message, from, key);
    else this.#request(message, from, key);
  }

  /** Starts a client transaction. Failures are told later, never from within this call. `id`: its branch, never used before. */
  start(spec: RequestSpec, events: ClientEvents, id = branch()): ClientHandle {
    if (this.#clients.size >= this.#options.maxTransactions || this.#transport === null) {
      const why = this.#transport === null ? 'closed' : 'overLimit';
      queueMicrotask(() => events.onFailed(why));
      return { cancel: () => undefined, end: () => undefined };
    }
    const bytes = this.#write(spec, id);
    const transaction = this.#client(spec, id, bytes, events);
    transaction.start();
    return {
      cancel: (headers) => {
        const cancel = { ...spec, method: 'CANCEL', headers: [...hopHeaders(spec, 'CANCEL'), ...headers] };
        const without = { ...cancel, body: EMPTY };
        this.#client(without, id, this.#write(without, id), {
          onResponse: () => undefined,
          onFailed: () => undefined,
        }).start();
      },
      end: () => transaction.end(),
    };
  }

  /** Sends a request nobody answers: the ACK of a 2xx. Its bytes may be sent again. */
  sendOnce(spec: RequestSpec): () => void {
    const bytes = this.#write(spec, branch());
    const send = (): void => this.#send(spec.hop, bytes, spec.charged === true);
    send();
    return send;
  }

  /** Answers a request of before a restart, as if it had just come. */
  answerLost(request: SipRequest, from: Hop, status: number): void {
    const key = serverKey(request, from);
    if (!this.#servers.has(key)) this.#open(request, from, key)?.respond(status);
  }

  /** Ends all; whoever waits for an answer is told `closed`. */
  close(): void {
    this.#transport = null;
    for (const { transaction } of this.#servers.values()) transaction.end();
    for (const transaction of this.#clients.values()) transaction.abort();
  }

  #response(response: SipResponse): void {
    const id = response.via.parameters.get('branch') ?? '';
    const transaction = this.#clients.get(`${id}|${response.cseq.method}`);
    if (transaction === undefined) this.#options.statistics.stray += 1;
    else transaction.received(response);
  }

  #ack(request: SipRequest, from: Hop, key: string): void {
    const incoming = this.#servers.get(key);
    if (incoming === undefined || incoming.transaction.state === 'accepted')
      this.#options.onAck(request, from);
    else {
      // Only who was sent the answer knows its tag; the branch is the sender's own.
      const proof = incoming.transaction.state === 'completed' && request.toTag === incoming.toTag;
      incoming.transaction.acknowledged();
      if (proof) this.#options.guard.proves(from.address);
    }
  }

  #cancel(request: SipRequest, from: Hop, key: string): void {
    const repeated = this.#servers.get(key);
    if (repeated !== undefined) {
      repeated.transaction.repeated();
      return;
    }
    const invite = this.#servers.get(serverKey(request, from, 'INVITE'));
    const incoming = this.#open(request, from, key);
    if (incoming === null) return;
    incoming.respond(invite === undefined ? 481 : 200);
    if (invite?.transaction.open === true) this.#options.onCancel(invite, request);
  }

  #request(request: SipRequest, from: Hop, key: string): void {
    const repeated = this.#servers.get(key);
    if (repeated !== undefined) {
      repeated.transaction.repeated();
      return;
    }
    const loop = request.method === 'INVITE' && request.toTag === null && this.#invites.has(loopKey(request));
    const incoming = this.#open(request, from, key);
    if (incoming === null) return;
    if (loop) incoming.respond(482);
    else this.#options.onRequest(incoming);
  }

  #open(request: SipRequest, from: Hop, key: string): Incoming | null {
    const { guard, statistics, maxTransactions } = this.#options;
    const opens = this.#servers.size >= maxTransactions ? 'limit' : guard.opens(from.address);
    if (opens !== 'yes') {
      if (opens === 'rate') statistics.rateLimited += 1;
      else statistics.overLimit += 1;
      return null;
    }
    const to = answerHop(request, from);
    const send = (bytes: Buffer): void => this.#send(to, bytes, true);
    const toTag = request.toTag ?? token();
    const write = (status: number, extra: ResponseExtra = {}): Buffer =>
      this.#answer(request, from, status, extra, toTag);
    const loop = loopKey(request);
    const transaction = new ServerTransaction({
      request,
      reliable: from.protocol === 'tcp',
      clock: this.#options.clock,
      timers: this.#options.timers,
      send,
      trying: () => write(100),
      onEnded: () => {
        this.#servers.delete(key);
        if (this.#invites.get(loop) === key) this.#invites.delete(loop);
        guard.closed(from.address);
      },
    });
    const respond = (status: number, extra: ResponseExtra = {}): void =>
      transaction.respond(status, write(status, extra));
    const incoming: Incoming = { request, from, transaction, toTag, respond, repeat: send, write };
    this.#servers.set(key, incoming);
    if (request.method === 'INVITE' && !this.#invites.has(loop)) this.#invites.set(loop, key);
    return incoming;
  }

  #client(spec: RequestSpec, id: string, bytes: Buffer, events: ClientEvents): ClientTransaction {
    const key = `${id}|${spec.method}`;
    const transaction: ClientTransaction = new ClientTransaction({
      method: spec.method,
      reliable: spec.hop.protocol === 'tcp',
      clock: this.#options.clock,
      timers: this.#options.timers,
      send: () => this.#send(spec.hop, bytes, spec.charged === true, () => transaction.unreachable()),
      acknowledge: (response) => {
        const headers = hopHeaders(spec, 'ACK').map(
          ([name, value]): HeaderLine =>
            name === 'To' ? ['To', response.headers.get('to') ?? value] : [name, value],
        );
        const ack = { ...spec, method: 'ACK', headers, body: EMPTY };
        this.#send(spec.hop, this.#write(ack, id), spec.charged === true);
      },
      onResponse: events.onResponse,
      onFailed: events.onFailed,
      onEnded: () => this.#clients.delete(key),
    });
    this.#clients.set(key, transaction);
    return transaction;
  }

  #write(spec: RequestSpec, id: string): Buffer {
    const sentBy = this.#options.sentBy();
    const headers: HeaderLine[] = [
      ['Via', `SIP/2.0/${spec.hop.protocol.toUpperCase()} ${sentBy};branch=${id};rport`],
      ['Max-Forwards', '70'],
      ...spec.headers,
      ['User-Agent', this.#options.userAgent],
    ];
    return writeRequest({ method: spec.method, uri: spec.uri, headers, body: spec.body ?? EMPTY });
  }

  #answer(request: SipRequest, from: Hop, status: number, extra: ResponseExtra, toTag: string): Buffer {
    const to = request.headers.get('to') ?? '';
    const tag = request.toTag === null && status > 100 ? `;tag=${toTag}` : '';
    const headers: HeaderLine[] = [
      ...viasOf(request, from).map((via): HeaderLine => ['Via', via]),
      ['From', request.headers.get('from') ?? ''],
      ['To', to + tag],
      ['Call-ID', request.callId],
      ['CSeq', `${request.cseq.number} ${request.cseq.method}`],
      ...(extra.headers ?? []),
      ['Server', this.#options.userAgent],
    ];
    return writeResponse(status, headers, extra.body);
  }

  #send(to: Hop, bytes: Buffer, charged: boolean, onFailed?: () => void): void {
    const { guard, statistics } = this.#options;
    if (charged && to.protocol === 'udp' && !guard.pays(to.address, bytes.length)) {
      statistics.withheld += 1;
      return;
    }
    this.#transport?.send(to, bytes, onFailed);
  }
}

/** The headers CANCEL and the ACK of a refusal share with their INVITE (RFC 3261 §9.1, §17.1.1.3). */
function hopHeaders(spec: RequestSpec, method: 'ACK' | 'CANCEL'): HeaderLine[] {
  const kept = spec.headers.filter(([name]) => ['From', 'To', 'Call-ID', 'CSeq', 'Route'].includes(name));
  return kept.map(([name, value]) =>
    name === 'CSeq' ? ['CSeq', `${value.split(' ', 1)[0] ?? ''} ${method}`] : [name, value],
  );
}

/** RFC 3261 §17.2.3; without the cookie the older rule, by what names the request. */
function serverKey(request: SipRequest, from: Hop, method = request.method): string {
  const { via, cseq, callId, fromTag } = request;
  const id = via.parameters.get('branch') ?? '';
  const kind = method === 'ACK' ? 'INVITE' : method;
  const sentBy = `${via.host.toLowerCase()}:${via.port ?? ''}`;
  return id.startsWith(BRANCH_COOKIE) && id.length > BRANCH_COOKIE.length
    ? `${from.address}|${id}|${sentBy}|${kind}`
    : `${from.address}|old|${callId}|${fromTag ?? ''}|${cseq.number}|${id}|${sentBy}|${kind}`;
}

const loopKey = (request: SipRequest): string =>
  `${request.callId}|${request.fromTag ?? ''}|${request.cseq.number}`;

/** RFC 3261 §18.2.2 and RFC 3581 §4: always to where the request came from; `maddr` is not obeyed. */
function answerHop(request: SipRequest, from: Hop): Hop {
  if (from.protocol === 'tcp' || request.via.parameters.has('rport')) return from;
  return { ...from, port: request.via.port ?? 5060 };
}

/** The Via lines for the answer, the topmost with what we saw (RFC 3581). */
function viasOf(request: SipRequest, from: Hop): string[] {
  const [, ...others] = request.headers.all('via');
  const { transport, host, port, parameters } = request.via;
  const seen = new Map(parameters);
  seen.set('received', from.address);
  if (seen.has('rport')) seen.set('rport', String(from.port));
  const sentBy = port === null ? (host.includes(':') ? `[${host}]` : host) : formatHostPort(host, port);
  return [`SIP/2.0/${transport} ${sentBy}${formatParameters(seen)}`, ...others];
}
