import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import type { HeaderLine, SipRequest, SipResponse } from './message.ts';
import type { SourceGuard } from './sources.ts';
import type { Incoming, RequestSpec } from './transactions.ts';
import type { Hop } from './transport.ts';
import { type NameAddress, parseNameAddress, parseUri } from './uri.ts';

/** A dialog written down, to end it after a restart. The URIs hold telephone numbers: it is to be sealed. */
export interface DialogSnapshot {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** URIs without tags. */
  readonly local: string;
  readonly remote: string;
  readonly localSeq: number;
  readonly remoteSeq: number | null;
  readonly routes: readonly string[];
  readonly target: string;
  readonly flow: Hop;
}

/** The state of RFC 3261 §12.1. */
export class DialogState {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly #local: string;
  readonly #remote: string;
  readonly #routes: readonly string[];
  #target: string;
  #localSeq: number;
  #remoteSeq: number | null;
  #flow: Hop;

  constructor(snapshot: DialogSnapshot) {
    this.callId = snapshot.callId;
    this.localTag = snapshot.localTag;
    this.remoteTag = snapshot.remoteTag;
    this.#local = snapshot.local;
    this.#remote = snapshot.remote;
    this.#routes = snapshot.routes;
    this.#target = snapshot.target;
    this.#localSeq = snapshot.localSeq;
    this.#remoteSeq = snapshot.remoteSeq;
    this.#flow = snapshot.flow;
  }

  /** Of an INVITE that arrived. */
  static ofIncoming(incoming: Incoming): DialogState {
    const { request, from, toTag } = incoming;
    return new DialogState({
      callId: request.callId,
      localTag: toTag,
      remoteTag: request.fromTag ?? '',
      local: request.to.uri.text,
      remote: request.from.uri.text,
      localSeq: firstSeq(),
      remoteSeq: request.cseq.number,
      routes: request.headers.all('record-route'),
      target: contactOf(request) ?? request.from.uri.text,
      flow: from,
    });
  }

  /** Of an answer to our INVITE. */
  static ofOutgoing(
    response: SipResponse,
    ours: {
      readonly localTag: string;
      readonly from: string;
      readonly to: string;
      readonly seq: number;
      readonly hop: Hop;
    },
  ): DialogState {
    return new DialogState({
      callId: response.callId,
      localTag: ours.localTag,
      remoteTag: response.toTag ?? '',
      local: ours.from,
      remote: ours.to,
      localSeq: ours.seq,
      remoteSeq: null,
      routes: response.headers.all('record-route').toReversed(),
      target: contactOf(response) ?? ours.to,
      flow: ours.hop,
    });
  }

  snapshot(): DialogSnapshot {
    return {
      callId: this.callId,
      localTag: this.localTag,
      remoteTag: this.remoteTag,
      local: this.#local,
      remote: this.#remote,
      localSeq: this.#localSeq,
      remoteSeq: this.#remoteSeq,
      routes: this.#routes,
      target: this.#target,
      flow: this.#flow,
    };
  }

  /** The number of the next request of ours. */
  nextSeq(): number {
    this.#localSeq += 1;
    return this.#localSeq;
  }

  /** Whether a request of theirs is in order; it counts from then on (RFC 3261 §12.2.2). */
  takes(request: SipRequest, from: Hop): boolean {
    if (this.#remoteSeq !== null && request.cseq.number <= this.#remoteSeq) return false;
    this.#remoteSeq = request.cseq.number;
    this.#flow = from;
    return true;
  }

  /** Target refresh by an INVITE or UPDATE, or a 2xx to one. */
  refreshTarget(message: SipRequest | SipResponse): void {
    this.#target = contactOf(message) ?? this.#target;
  }

  /** A request of ours within it. ACK and the requests of one attempt share a number. */
  request(options: {
    readonly method: string;
    readonly seq: number;
    readonly guard: SourceGuard;
    readonly charged: boolean;
    readonly headers?: (uri: string) => readonly HeaderLine[];
    readonly body?: Uint8Array;
  }): RequestSpec {
    const { method, seq, guard, charged, body } = options;
    const { uri, routes } = this.#route();
    const headers: HeaderLine[] = [
      ...routes.map((route): HeaderLine => ['Route', route]),
      ['From', tagged(this.#local, this.localTag)],
      ['To', tagged(this.#remote, this.remoteTag)],
      ['Call-ID', this.callId],
      ['CSeq', `${seq} ${method}`],
      ...(options.headers?.(uri) ?? []),
    ];
    return { method, uri, hop: this.hop(guard), headers, charged, ...(body === undefined ? {} : { body }) };
  }

  /**
   * Where its requests go: to the first route or the target where that is an allowed address, and otherwise to where
   * the other's messages come from. A name a peer has written is never looked up, and an address it has written is no
   * reason to send anything to a third party.
   */
  hop(guard: SourceGuard): Hop {
    const flow = this.#flow;
    const first = this.#routes[0];
    const uri = first === undefined ? parseUri(this.#target) : (parseNameAddress(first)?.uri ?? null);
    if (uri === null || uri.scheme !== 'sip' || isIP(uri.host) === 0 || !guard.admits(uri.host)) return flow;
    const transport = uri.parameters.get('transport')?.toLowerCase();
    const protocol = transport === 'tcp' || transport === 'udp' ? transport : null;
    if (transport !== undefined && protocol === null) return flow;
    // The connection they use is open; a port they name may be one nobody can reach.
    if (flow.protocol === 'tcp' && protocol !== 'udp' && flow.address === uri.host)
      return { ...flow, port: uri.port ?? 5060 };
    return { protocol: protocol ?? flow.protocol, address: uri.host, port: uri.port ?? 5060 };
  }

  /** RFC 3261 §12.2.1.1: loose and strict routing. */
  #route(): { readonly uri: string; readonly routes: readonly string[] } {
    const [first, ...others] = this.#routes;
    const uri = first === undefined ? null : (parseNameAddress(first)?.uri ?? null);
    if (uri === null || uri.parameters.has('lr')) return { uri: this.#target, routes: this.#routes };
    return { uri: uri.text, routes: [...others, `<${this.#target}>`] };
  }
}

const tagged = (uri: string, tag: string): string => `<${uri}>${tag === '' ? '' : `;tag=${tag}`}`;

/** RFC 3261 §8.1.1.5: below 2³¹ for as long as a dialog may live. */
export const firstSeq = (): number => randomInt(1, 1_000_000);

function contactOf(message: SipRequest | SipResponse): string | null {
  const contact: NameAddress | null = parseNameAddress(message.headers.get('contact') ?? '');
  return contact !== null && (contact.uri.scheme === 'sip' || contact.uri.scheme === 'sips')
    ? contact.uri.text
    : null;
}
