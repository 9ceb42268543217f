import { Timers } from './clock.ts';
import { ALLOW, type Core, SDP_TYPE } from './core.ts';
import { SipDialog } from './dialog.ts';
import type { Dialog } from './dialog-api.ts';
import { DialogState, firstSeq } from './dialog-state.ts';
import { type Credentials, DigestClient, type DigestRound } from './digest.ts';
import { exchange } from './exchange.ts';
import { parseCount } from './grammar.ts';
import { updatesOf } from './incoming-call.ts';
import { EMPTY, type HeaderLine, type RequestParts, type SipResponse, writeRequest } from './message.ts';
import type { OutgoingSnapshot, Resumed } from './ringing-snapshot.ts';
import { concluded, minSe, proposal } from './session-timer.ts';
import { branch, token } from './token.ts';
import type { ClientHandle, RequestFailure } from './transactions.ts';
import type { Hop } from './transport.ts';
import { formatNameAddress, parseUri } from './uri.ts';

export interface InviteOptions {
  /** Whom: the Request-URI, and To where nothing else is said. */
  readonly uri: string;
  readonly to?: string;
  /** Where it is sent: an allowed address. */
  readonly via: Hop;
  /** Who calls, as the other is to see it. */
  readonly from: { readonly uri: string; readonly display?: string };
  /** More headers, such as P-Asserted-Identity. None that a dialog lives on. */
  readonly headers?: readonly HeaderLine[];
  readonly sdp: string;
  readonly auth?: Credentials;
  /** Gives up, as `cancel()`. */
  readonly signal?: AbortSignal;
  /** It rings, perhaps with sound before the answer. May come more than once. */
  readonly onRinging?: (ringing: { readonly status: number; readonly sdp: string | null }) => void;
}

export type CallOutcome =
  | { readonly type: 'answered'; readonly dialog: Dialog; readonly sdp: string }
  /** 3xx to 6xx. A 3xx is a refusal: where it points is not even read. */
  | {
      readonly type: 'refused';
      readonly status: number;
      readonly cause: number | null;
      readonly retryAfterSeconds: number | null;
    }
  /** By us, before anybody answered. */
  | { readonly type: 'cancelled' }
  /** `noMedia`: they answered without saying where they listen. */
  | { readonly type: 'failed'; readonly why: RequestFailure | 'noMedia' };

export interface OutgoingCall {
  readonly callId: string;
  /** Never rejects. */
  readonly outcome: Promise<CallOutcome>;
  /** Gives up; an answer that is on its way already is acknowledged and hung up. Again changes nothing. */
  cancel(options?: { readonly cause?: number }): void;
  /** To be able to take it back after a restart, with `SipEndpoint.endRinging`. */
  snapshot(): OutgoingSnapshot;
}

/** Written by the dialog or the transaction, and by nobody else. */
const RESERVED: ReadonlySet<string> = new Set(
  'via from to call-id cseq contact max-forwards route record-route content-length content-type user-agent allow supported session-expires min-se authorization proxy-authorization v f t i m l c k x'.split(
    ' ',
  ),
);
/** More branches of one call than this answer nothing but trouble. */
const MAX_BRANCHES = 8;
const MAX_INVITES = 6;

/** Our INVITE until somebody has answered, and for as long as late answers may come. */
export class SipOutgoingCall implements OutgoingCall {
  readonly callId: string;
  readonly outcome: Promise<CallOutcome>;
  readonly #core: Core;
  readonly #options: InviteOptions;
  readonly #onSettled: () => void;
  readonly #onDialogEnded: () => void;
  readonly #settle: (outcome: CallOutcome) => void;
  readonly #localTag: string;
  readonly #digest: DigestClient | null;
  readonly #round: DigestRound | null;
  readonly #timers: Timers<'c' | 'cancel'>;
  /** How each answered branch is acknowledged again. */
  readonly #branches = new Map<string, () => void>();
  #seq: number;
  #branch: string;
  #attempts = 0;
  #leastSeconds = 0;
  #settled = false;
  #handle: ClientHandle | null = null;
  #heard = false;
  #cancelHeaders: readonly HeaderLine[] | null = null;
  #cancelSent = false;
  #earlySdp = new Map<string, string>();
  #authorization: readonly HeaderLine[] = [];

  /** @throws TypeError for options nothing may be sent with */
  constructor(
    core: Core,
    options: InviteOptions,
    on: { settled: () => void; dialogEnded: () => void },
    resumed: Resumed | null = null,
  ) {
    const { promise, resolve } = Promise.withResolvers<CallOutcome>();
    this.outcome = promise;
    this.#settle = resolve;
    this.callId = resumed?.callId ?? token();
    this.#localTag = resumed?.localTag ?? token();
    this.#seq = resumed?.seq ?? firstSeq();
    this.#branch = resumed?.branch ?? branch();
    this.#core = core;
    this.#options = options;
    this.#onSettled = on.settled;
    this.#onDialogEnded = on.dialogEnded;
    this.#digest = options.auth === undefined ? null : new DigestClient(options.auth);
    this.#round = this.#digest?.round() ?? null;
    this.#timers = new Timers(core.clock);
    check(options, core);
    if (options.signal?.aborted === true) {
      this.#finish({ type: 'cancelled' });
      return;
    }
    options.signal?.addEventListener('abort', this.#abort, { once: true });
    this.#attempt();
  }

  cancel(options: { readonly cause?: number } = {}): void {
    if (this.#settled || this.#cancelHeaders !== null) return;
    const { cause } = options;
    this.#cancelHeaders = cause === undefined ? [] : [['Reason', `Q.850;cause=${Math.trunc(cause)}`]];
    this.#finish({ type: 'cancelled' });
    this.#sendCancel();
  }

  snapshot(): OutgoingSnapshot {
    const { uri, to = uri, via, from, sdp } = this.#options;
    const { protocol, address, port } = via;
    return {
      uri,
      to,
      via: { protocol, address, port },
      from: from.uri,
      sdp,
      callId: this.callId,
      localTag: this.#localTag,
      seq: this.#seq,
      branch: this.#branch,
    };
  }

  /** The endpoint is being closed. */
  closeNow(): void {
    this.cancel();
  }

  readonly #abort = (): void => this.cancel();

  #attempt(): void {
    const { core, via, uri, headers = [], sdp } = { core: this.#core, ...this.#options };
    this.#attempts += 1;
    // Another attempt is another request of the same call.
    if (this.#attempts > 1) {
      this.#seq += 1;
      this.#branch = branch();
    }
    this.#heard = false;
    this.#authorization = this.#round?.headers('INVITE', uri) ?? [];
    this.#timers.set('c', core.timers.c, () => this.#tooLong());
    this.#handle = core.layer.start(
      {
        method: 'INVITE',
        uri,
        hop: via,
        headers: [
          [
            'From',
            `${formatNameAddress({ display: this.#options.from.display ?? null, uri: this.#options.from.uri })};tag=${this.#localTag}`,
          ],
          ['To', `<${this.#options.to ?? uri}>`],
          ['Call-ID', this.callId],
          ['CSeq', `${this.#seq} INVITE`],
          ['Contact', core.contact(via)],
          ['Allow', ALLOW],
          ...proposal(core.session, null, this.#leastSeconds),
          ...this.#authorization,
          ...headers,
          ['Content-Type', SDP_TYPE],
        ],
        body: Buffer.from(sdp),
      },
      {
        onResponse: (response) => this.#answered(response),
        onFailed: (why) => this.#finish({ type: 'failed', why }),
      },
      this.#branch,
    );
  }

  #answered(response: SipResponse): void {
    const { status } = response;
    if (status < 200) this.#provisional(response);
    else if (status < 300) this.#accepted(response);
    else this.#refused(response);
  }

  #provisional(response: SipResponse): void {
    this.#heard = true;
    if (this.#cancelHeaders !== null) {
      this.#sendCancel();
      return;
    }
    if (response.status === 100) return;
    this.#timers.set('c', this.#core.timers.c, () => this.#tooLong());
    const sdp = response.body.length === 0 ? null : response.body.toString('utf8');
    if (sdp !== null && this.#earlySdp.size < MAX_BRANCHES) this.#earlySdp.set(response.toTag ?? '', sdp);
    const { onRinging } = this.#options;
    if (onRinging !== undefined && !this.#settled)
      this.#core.guarded(() => onRinging({ status: response.status, sdp }));
  }

  #accepted(response: SipResponse): void {
    const core = this.#core;
    const tag = response.toTag ?? '';
    const again = this.#branches.get(tag);
    if (again !== undefined) return again();
    if (this.#branches.size >= MAX_BRANCHES) return;
    const state = DialogState.ofOutgoing(response, {
      localTag: this.#localTag,
      from: this.#options.from.uri,
      to: this.#options.to ?? this.#options.uri,
      seq: this.#seq,
      hop: this.#options.via,
    });
    // RFC 3261 §13.2.2.4, §22.1: the ACK carries the same authorization as its INVITE.
    const authorization = this.#authorization;
    const ack = core.layer.sendOnce(
      state.request({
        method: 'ACK',
        seq: this.#seq,
        guard: core.guard,
        charged: false,
        headers: () => authorization,
        body: EMPTY,
      }),
    );
    this.#branches.set(tag, ack);
    const sdp = response.body.length > 0 ? response.body.toString('utf8') : (this.#earlySdp.get(tag) ?? null);
    // Later branches, and what was answered while it was cancelled: nobody is there to talk to them.
    if (this.#settled || sdp === null) {
      this.#hangUp(state);
      this.#finish({ type: 'failed', why: 'noMedia' });
      return;
    }
    const dialog = new SipDialog({
      core,
      state,
      localSdp: this.#options.sdp,
      remoteSdp: sdp,
      interval: concluded(core.session, response),
      digest: this.#digest,
      updates: updatesOf(response),
      accepted: null,
      onEnded: this.#onDialogEnded,
    });
    this.#finish({ type: 'answered', dialog, sdp });
  }

  #refused(response: SipResponse): void {
    if (this.#settled) return this.#timers.clear();
    const { status, headers } = response;
    if (this.#attempts < MAX_INVITES) {
      if (this.#round?.challenged(response) === true) return this.#attempt();
      const least = status === 422 ? minSe(response) : null;
      if (least !== null && least > this.#leastSeconds && least <= 86_400) {
        this.#leastSeconds = least;
        return this.#attempt();
      }
    }
    const reason = headers.all('reason').find((value) => /^\s*Q\.850\s*;/i.test(value));
    this.#finish({
      type: 'refused',
      status,
      cause: parseCount(/;\s*cause\s*=\s*(\d{1,3})\b/i.exec(reason ?? '')?.[1] ?? null),
      retryAfterSeconds: parseCount(/^\d+/.exec(headers.get('retry-after') ?? '')?.[0] ?? null),
    });
  }

  /** Timer C. */
  #tooLong(): void {
    if (this.#settled) return;
    this.#cancelHeaders = [];
    this.#finish({ type: 'failed', why: 'timeout' });
    this.#sendCancel();
  }

  /** RFC 3261 §9.1: only after a provisional answer; before that it waits for one. */
  #sendCancel(): void {
    if (this.#cancelSent || !this.#heard || this.#cancelHeaders === null) return;
    this.#cancelSent = true;
    this.#handle?.cancel(this.#cancelHeaders);
    this.#timers.set('cancel', this.#core.timers.giveUp, () => this.#handle?.end());
  }

  #hangUp(state: DialogState): void {
    const { layer, guard } = this.#core;
    void exchange(
      layer,
      (authorization) =>
        state.request({
          method: 'BYE',
          seq: state.nextSeq(),
          guard,
          charged: false,
          headers: (uri) => authorization('BYE', uri),
        }),
      this.#digest,
    );
  }

  #finish(outcome: CallOutcome): void {
    this.#timers.clear();
    if (this.#settled) return;
    this.#settled = true;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#settle(outcome);
    this.#onSettled();
    if (outcome.type !== 'answered') this.#onDialogEnded();
  }
}

/** Refuses early, in the caller's stack, what would fail while it is being sent. */
function check(options: InviteOptions, core: Core): void {
  const { uri, to, via, from, headers = [] } = options;
  if ([uri, to ?? uri, from.uri].some((each) => parseUri(each) === null))
    throw new TypeError('not a SIP URI');
  if (!core.guard.admits(via.address)) throw new TypeError('the next hop is not an allowed address');
  if (headers.some(([name]) => RESERVED.has(name.toLowerCase())))
    throw new TypeError('a header that is not free');
  const display: HeaderLine = ['From', from.display ?? ''];
  const probe: RequestParts = { method: 'INVITE', uri, headers: [...headers, display], body: EMPTY };
  writeRequest(probe);
}
