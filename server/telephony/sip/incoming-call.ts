import { Timers } from './clock.ts';
import { ALLOW, type Core, type DialogMember, SDP_TYPE } from './core.ts';
import { causeOf, SipDialog } from './dialog.ts';
import type { Dialog } from './dialog-api.ts';
import { DialogState } from './dialog-state.ts';
import type { HeaderLine, SipRequest } from './message.ts';
import { headOf, type IncomingSnapshot } from './ringing-snapshot.ts';
import type { SessionInterval } from './session-timer.ts';
import type { Incoming } from './transactions.ts';
import type { Hop } from './transport.ts';
import type { NameAddress, SipUri } from './uri.ts';

/** Somebody calls. What is here is what they have written: to be believed only where the trunk is. */
export interface IncomingCall {
  readonly callId: string;
  readonly source: Hop;
  readonly requestUri: SipUri;
  readonly from: NameAddress;
  readonly to: NameAddress;
  /** Every value of a header. */
  header(name: string): readonly string[];
  /** null: they want ours, and answer it with the ACK. */
  readonly offer: string | null;
  readonly state: 'open' | 'answered' | 'refused' | 'cancelled';
  /** 180. */
  ringing(): void;
  /** 183, with sound before the answer. */
  earlyMedia(sdp: string): void;
  /** 200. @throws Error when it is not open any more */
  answer(sdp: string): Dialog;
  /** 3xx never: we send nobody elsewhere. Changes nothing when it is not open any more. */
  refuse(status: number, options?: { readonly cause?: number; readonly retryAfterSeconds?: number }): void;
  /** They gave up before it was answered; told at once where that has happened already. */
  onCancelled(listener: (cause: number | null) => void): void;
  /** To be able to refuse it after a restart, with `SipEndpoint.refuseLost`. */
  snapshot(): IncomingSnapshot;
}

interface IncomingCallOptions {
  readonly core: Core;
  readonly incoming: Incoming;
  /** What of the 200 is about the session timer. */
  readonly session: { readonly interval: SessionInterval | null; readonly headers: readonly HeaderLine[] };
  readonly onSettled: () => void;
  readonly onDialogEnded: () => void;
}

/** An INVITE that was not answered yet. */
export class SipIncomingCall implements IncomingCall, DialogMember {
  readonly #options: IncomingCallOptions;
  readonly #incoming: Incoming;
  readonly #dialog: DialogState;
  readonly #timers: Timers<'again' | 'giveUp'>;
  #state: 'open' | 'answered' | 'refused' | 'cancelled' = 'open';
  #cancelled: { readonly cause: number | null } | null = null;
  #listener: ((cause: number | null) => void) | null = null;

  constructor(options: IncomingCallOptions) {
    const { core, incoming } = options;
    this.#options = options;
    this.#incoming = incoming;
    this.#dialog = DialogState.ofIncoming(incoming);
    this.#timers = new Timers(core.clock);
    // Whoever forgets to answer does not hold a line for ever.
    this.#timers.set('giveUp', core.timers.c, () => {
      this.refuse(480);
      this.#cancel(null);
    });
    core.dialogs.set(this.#dialog, this);
  }

  get callId(): string {
    return this.#incoming.request.callId;
  }

  get source(): Hop {
    return this.#incoming.from;
  }

  get requestUri(): SipUri {
    return this.#incoming.request.uri;
  }

  get from(): NameAddress {
    return this.#incoming.request.from;
  }

  get to(): NameAddress {
    return this.#incoming.request.to;
  }

  header(name: string): readonly string[] {
    return this.#incoming.request.headers.all(name);
  }

  get offer(): string | null {
    const { body } = this.#incoming.request;
    return body.length === 0 ? null : body.toString('utf8');
  }

  get state(): 'open' | 'answered' | 'refused' | 'cancelled' {
    return this.#state;
  }

  ringing(): void {
    this.#progress(180);
  }

  earlyMedia(sdp: string): void {
    this.#progress(183, sdp);
  }

  answer(sdp: string): Dialog {
    if (this.#state !== 'open') throw new Error('the call is not open any more');
    const { core, session } = this.#options;
    const incoming = this.#incoming;
    const bytes = incoming.write(200, {
      headers: [
        ...this.#recordRoutes(),
        ['Contact', core.contact(incoming.from)],
        ['Allow', ALLOW],
        ...session.headers,
        ['Content-Type', SDP_TYPE],
      ],
      body: Buffer.from(sdp),
    });
    this.#settle('answered');
    incoming.transaction.respond(200, bytes);
    return new SipDialog({
      core,
      state: this.#dialog,
      localSdp: sdp,
      remoteSdp: this.offer,
      interval: session.interval,
      digest: null,
      updates: updatesOf(incoming.request),
      accepted: { incoming, bytes },
      onEnded: this.#options.onDialogEnded,
    });
  }

  refuse(
    status: number,
    options: { readonly cause?: number; readonly retryAfterSeconds?: number } = {},
  ): void {
    if (this.#state !== 'open') return;
    if (status < 400 || status > 699) throw new RangeError('a call is refused with a status from 400 to 699');
    const { cause, retryAfterSeconds } = options;
    const headers: HeaderLine[] = [];
    if (cause !== undefined) headers.push(['Reason', `Q.850;cause=${Math.trunc(cause)}`]);
    if (retryAfterSeconds !== undefined) headers.push(['Retry-After', String(Math.ceil(retryAfterSeconds))]);
    this.#settle('refused');
    this.#incoming.respond(status, { headers });
    this.#options.core.dialogs.delete(this.#dialog, this);
    this.#options.onDialogEnded();
  }

  onCancelled(listener: (cause: number | null) => void): void {
    this.#listener = listener;
    this.#tell();
  }

  snapshot(): IncomingSnapshot {
    const { request, from } = this.#incoming;
    const { protocol, address, port } = from;
    return { request: headOf(request), flow: { protocol, address, port } };
  }

  /** CANCEL came. */
  cancelled(cause: number | null): void {
    if (this.#state !== 'open') return;
    this.refuse(487);
    this.#cancel(cause);
  }

  /** A request within the early dialog. */
  received(incoming: Incoming): void {
    if (!this.#dialog.takes(incoming.request, incoming.from)) return incoming.respond(500);
    if (incoming.request.method === 'BYE') {
      // RFC 3261 §15: a caller may hang up an early dialog so, too.
      incoming.respond(200);
      this.cancelled(causeOf(incoming.request));
      return;
    }
    if (incoming.request.method === 'INVITE' || incoming.request.method === 'UPDATE')
      return incoming.respond(500, { headers: [['Retry-After', '3']] });
    incoming.respond(incoming.request.method === 'OPTIONS' ? 200 : 405, { headers: [['Allow', ALLOW]] });
  }

  acknowledged(): void {
    // The ACK of a refusal is the transaction's; before an answer there is nothing to acknowledge.
  }

  closeNow(): void {
    if (this.#state !== 'open') return;
    this.refuse(503);
    this.#cancel(null);
  }

  #progress(status: 180 | 183, sdp?: string): void {
    if (this.#state !== 'open') return;
    const headers: HeaderLine[] = [
      ...this.#recordRoutes(),
      ['Contact', this.#options.core.contact(this.#incoming.from)],
      ['Allow', ALLOW],
      ...(sdp === undefined ? [] : [['Content-Type', SDP_TYPE] as const]),
    ];
    this.#incoming.respond(status, { headers, ...(sdp === undefined ? {} : { body: Buffer.from(sdp) }) });
    this.#timers.set('again', this.#options.core.timers.ringAgain, () => this.#progress(status, sdp));
  }

  #recordRoutes(): HeaderLine[] {
    return this.#incoming.request.headers
      .all('record-route')
      .map((route): HeaderLine => ['Record-Route', route]);
  }

  #settle(state: 'answered' | 'refused'): void {
    this.#state = state;
    this.#timers.clear();
    this.#options.onSettled();
  }

  #cancel(cause: number | null): void {
    this.#state = 'cancelled';
    this.#cancelled = { cause };
    this.#tell();
  }

  #tell(): void {
    const listener = this.#listener;
    const cancelled = this.#cancelled;
    if (listener === null || cancelled === null) return;
    this.#listener = null;
    this.#options.core.guarded(() => listener(cancelled.cause));
  }
}

/** Whether who wrote it takes UPDATE. */
export const updatesOf = (message: Pick<SipRequest, 'headers'>): boolean =>
  message.headers.words('allow').includes('update');
