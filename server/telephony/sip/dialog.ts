import { Timers } from './clock.ts';
import { ALLOW, type Core, type DialogMember, REFUSED_METHODS, SDP_TYPE } from './core.ts';
import type { Dialog, DialogEnd, DialogListener, ReinviteOutcome } from './dialog-api.ts';
import type { DialogSnapshot, DialogState } from './dialog-state.ts';
import type { DigestClient } from './digest.ts';
import { digitOfInfo } from './dtmf-info.ts';
import { exchange } from './exchange.ts';
import type { HeaderLine, SipRequest } from './message.ts';
import { OffersIn } from './offers-in.ts';
import { Reinvite } from './reinvite.ts';
import { concluded, proposal, type SessionInterval, SessionTimer } from './session-timer.ts';
import type { Incoming } from './transactions.ts';
import type { Hop } from './transport.ts';
import { TwoHundred } from './two-hundred.ts';

interface DialogOptions {
  readonly core: Core;
  readonly state: DialogState;
  readonly localSdp: string;
  /** null: they answer with the ACK. */
  readonly remoteSdp: string | null;
  readonly interval: SessionInterval | null;
  readonly digest: DigestClient | null;
  /** Whether they take UPDATE. */
  readonly updates: boolean;
  /** Our 200, where we were called: it is said again until it is acknowledged. */
  readonly accepted: { readonly incoming: Incoming; readonly bytes: Buffer } | null;
  readonly onEnded: () => void;
}

/** A confirmed dialog of a call (RFC 3261 §12, §14, §15). */
export class SipDialog implements Dialog, DialogMember {
  readonly ended: Promise<DialogEnd>;
  readonly reached: Promise<void>;
  readonly #options: DialogOptions;
  readonly #core: Core;
  readonly #state: DialogState;
  readonly #session: SessionTimer;
  readonly #offers: OffersIn;
  readonly #accepted: TwoHundred | null;
  readonly #settle: (end: DialogEnd) => void;
  readonly #tellReached: () => void;
  readonly #timers: Timers<'closeLater' | 'refresh'>;
  #updates: boolean;
  #localSdp: string;
  #remoteSdp: string | null;
  #listener: DialogListener = {};
  #end: DialogEnd | null = null;
  #told = false;
  #reinvite: Reinvite | null = null;
  /** They have shown that our messages reach them. */
  #proven: boolean;
  #hangUp: { readonly cause: number | undefined; readonly done: () => void } | null = null;

  constructor(options: DialogOptions) {
    const { core, state, accepted } = options;
    const { clock, timers } = core;
    const { promise, resolve } = Promise.withResolvers<DialogEnd>();
    this.ended = promise;
    this.#settle = resolve;
    const reached = Promise.withResolvers<void>();
    this.reached = reached.promise;
    this.#tellReached = reached.resolve;
    if (accepted === null) reached.resolve();
    this.#options = options;
    this.#core = core;
    this.#state = state;
    this.#localSdp = options.localSdp;
    this.#remoteSdp = options.remoteSdp;
    this.#proven = accepted === null;
    this.#updates = options.updates;
    this.#timers = new Timers(clock);
    this.#session = new SessionTimer({
      clock,
      timers,
      refresh: () => void this.#refresh(),
      expired: () => this.#lost(),
    });
    this.#session.agreed(options.interval);
    this.#offers = this.#offersIn();
    this.#accepted =
      accepted === null
        ? null
        : new TwoHundred({
            clock,
            timers,
            send: () => accepted.incoming.repeat(accepted.bytes),
            unacknowledged: () => this.#unacknowledged(),
          });
    core.dialogs.set(state, this);
  }

  get callId(): string {
    return this.#state.callId;
  }

  get state(): 'confirmed' | 'ended' {
    return this.#end === null ? 'confirmed' : 'ended';
  }

  listen(listener: DialogListener): void {
    this.#listener = listener;
    this.#tell();
  }

  async bye(options: { readonly cause?: number } = {}): Promise<void> {
    if (this.#end !== null) return;
    this.#finish({ by: 'us', cause: null });
    if (this.#proven) return this.#sayBye(options.cause);
    // RFC 3261 §15: who was called hangs up only after the ACK, or when it is certain that none comes.
    await new Promise<void>((done) => {
      this.#hangUp = { cause: options.cause, done };
    });
  }

  reinvite(sdp: string): Promise<ReinviteOutcome> {
    if (this.#end !== null) return Promise.resolve({ ok: false, failed: 'ended' });
    if (this.#reinvite !== null || this.#offers.busy || !this.#proven)
      return Promise.resolve({ ok: false, status: 491 });
    return new Promise((resolve) => {
      this.#reinvite = new Reinvite({
        core: this.#core,
        state: this.#state,
        digest: this.#options.digest,
        sdp,
        ours: this.#options.accepted === null,
        blocked: () => this.#offers.busy,
        session: () => this.#session.interval,
        onSession: (interval) => this.#session.agreed(interval),
        onDone: (outcome) => {
          this.#reinvite = null;
          if (outcome.ok) {
            this.#localSdp = sdp;
            this.#remoteSdp = outcome.sdp;
          } else if (isLost(outcome)) this.#lost();
          resolve(outcome);
        },
      });
    });
  }

  async info(contentType: string, body: Uint8Array): Promise<number | null> {
    if (this.#end !== null || !this.#proven) return null;
    const exchanged = await this.#exchange('INFO', [['Content-Type', contentType]], body);
    if (exchanged.type === 'failed') return null;
    if (isLost({ ok: false, status: exchanged.response.status })) this.#lost();
    return exchanged.response.status;
  }

  snapshot(): DialogSnapshot {
    return this.#state.snapshot();
  }

  received(incoming: Incoming): void {
    const { request, from } = incoming;
    if (!this.#state.takes(request, from)) return incoming.respond(500);
    this.#prove(from);
    if (this.#end !== null && request.method !== 'BYE') return incoming.respond(481);
    switch (request.method) {
      case 'BYE':
        incoming.respond(200);
        this.#finish({ by: 'them', cause: causeOf(request) });
        this.#saidBye();
        this.#forget();
        return;
      case 'INVITE':
      case 'UPDATE':
        return this.#offers.received(incoming);
      case 'INFO':
        return this.#info(incoming);
      case 'OPTIONS':
        return incoming.respond(200, {
          headers: [
            ['Allow', ALLOW],
            ['Accept', SDP_TYPE],
          ],
        });
      default:
        return incoming.respond(REFUSED_METHODS.has(request.method) ? 405 : 501, {
          headers: [['Allow', ALLOW]],
        });
    }
  }

  acknowledged(request: SipRequest, from: Hop): void {
    this.#prove(from);
    const ofOffer = this.#offers.acknowledged(request.cseq.number);
    if (ofOffer === 'late') this.#answered(request);
    if (ofOffer !== 'no' || request.cseq.number !== this.#options.accepted?.incoming.request.cseq.number)
      return;
    this.#accepted?.stop();
    if (this.#remoteSdp === null) this.#answered(request);
    this.#saidBye();
  }

  /** The answer that came with an ACK. */
  #answered(ack: SipRequest): void {
    const sdp = ack.body.toString('utf8');
    if (this.#end !== null || sdp === '' || sdp === this.#remoteSdp) return;
    this.#remoteSdp = sdp;
    this.#core.guarded(() => this.#listener.onAnswer?.(sdp));
  }

  closeNow(): void {
    if (this.#end === null) {
      this.#finish({ by: 'closed', cause: null });
      void this.#sayBye();
    }
    this.#forget();
  }

  #offersIn(): OffersIn {
    return new OffersIn({
      core: this.#core,
      localSdp: () => this.#localSdp,
      remoteSdp: () => this.#remoteSdp,
      offering: () => this.#reinvite?.asking === true || (!this.#proven && this.#remoteSdp === null),
      tell: (offer) => {
        const { onOffer } = this.#listener;
        return onOffer !== undefined && this.#core.guarded(() => onOffer(offer));
      },
      onAgreed: (incoming, sdp) => {
        this.#state.refreshTarget(incoming.request);
        this.#localSdp = sdp.local;
        this.#remoteSdp = sdp.remote;
      },
      onSession: (interval) => this.#session.agreed(interval),
      onUnacknowledged: () => this.#lost(),
    });
  }

  #info(incoming: Incoming): void {
    const { onInfo } = this.#listener;
    if (onInfo === undefined) return incoming.respond(415);
    const contentType = incoming.request.headers.get('content-type') ?? '';
    const { body } = incoming.request;
    incoming.respond(200);
    this.#core.guarded(() => onInfo({ contentType, body, digit: digitOfInfo(contentType, body) }));
  }

  /** Keeps the session alive: by UPDATE where they take it, or by the same offer again. */
  async #refresh(): Promise<void> {
    if (this.#end !== null) return;
    const refreshed = this.#updates ? await this.#update() : await this.#offerAgain();
    if (refreshed || this.state === 'ended') return;
    // Refused, or something else was being asked: again soon, until the session expires.
    const { second } = this.#core.timers;
    this.#timers.set('refresh', ((this.#session.interval?.seconds ?? 90) / 12) * second, () => {
      void this.#refresh();
    });
  }

  /** Whether they have answered. They may say that they listen elsewhere now. */
  async #offerAgain(): Promise<boolean> {
    const before = this.#remoteSdp;
    const outcome = await this.reinvite(this.#localSdp);
    if (!outcome.ok) return false;
    const { sdp } = outcome;
    if (sdp !== '' && sdp !== before && this.#end === null)
      this.#core.guarded(() => this.#listener.onAnswer?.(sdp));
    return true;
  }

  /** Whether it did what it is for, or the dialog is over. */
  async #update(): Promise<boolean> {
    const exchanged = await this.#exchange('UPDATE', [
      ['Contact', this.#core.contact(this.#state.hop(this.#core.guard))],
      ...proposal(this.#core.session, this.#session.interval),
    ]);
    if (this.#end !== null) return true;
    if (exchanged.type === 'failed') {
      this.#lost();
      return true;
    }
    const { response } = exchanged;
    if (isLost({ ok: false, status: response.status })) this.#lost();
    if (response.status === 405 || response.status === 501) this.#updates = false;
    if (response.status >= 300) return false;
    this.#state.refreshTarget(response);
    this.#session.agreed(concluded(this.#core.session, response));
    return true;
  }

  #exchange(method: string, headers: readonly HeaderLine[], body?: Uint8Array): ReturnType<typeof exchange> {
    return exchange(
      this.#core.layer,
      (authorization) =>
        this.#state.request({
          method,
          seq: this.#state.nextSeq(),
          guard: this.#core.guard,
          charged: !this.#proven,
          headers: (uri) => [...headers, ...authorization(method, uri)],
          ...(body === undefined ? {} : { body }),
        }),
      this.#options.digest,
    );
  }

  async #sayBye(cause?: number): Promise<void> {
    const headers: HeaderLine[] = cause === undefined ? [] : [['Reason', `Q.850;cause=${Math.trunc(cause)}`]];
    await this.#exchange('BYE', headers);
    this.#forget();
  }

  /** What waited for the ACK. After a BYE of theirs there is nothing left to say. */
  #saidBye(): void {
    const waiting = this.#hangUp;
    this.#hangUp = null;
    if (waiting === null) return;
    if (this.#end?.by === 'them') waiting.done();
    else void this.#sayBye(waiting.cause).then(waiting.done, waiting.done);
  }

  #unacknowledged(): void {
    if (this.#end === null) {
      this.#finish({ by: 'unacknowledged', cause: null });
      void this.#sayBye();
    } else this.#saidBye();
  }

  #lost(): void {
    if (this.#end !== null) return;
    this.#finish({ by: 'lost', cause: null });
    void this.#sayBye();
  }

  #prove(from: Hop): void {
    if (this.#proven) return;
    this.#proven = true;
    this.#tellReached();
    this.#core.guard.proves(from.address);
  }

  #finish(end: DialogEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#session.stop();
    this.#timers.clear();
    this.#offers.close();
    this.#reinvite?.close();
    if (end.by !== 'us' || this.#proven) this.#accepted?.stop();
    // It stays in the table for a while: their BYE may cross ours and wants an answer.
    this.#timers.set('closeLater', 2 * this.#core.timers.giveUp, () => this.#forget());
    this.#settle(end);
    this.#tell();
  }

  #tell(): void {
    const end = this.#end;
    const { onBye } = this.#listener;
    if (end === null || end.by === 'us' || this.#told || onBye === undefined) return;
    this.#told = true;
    this.#core.guarded(() => onBye(end));
  }

  #forget(): void {
    this.#timers.clear();
    this.#accepted?.stop();
    this.#hangUp?.done();
    this.#hangUp = null;
    this.#core.dialogs.delete(this.#state, this);
    this.#options.onEnded();
  }
}

/** RFC 3261 §12.2.1.2, RFC 4028 §10: they know nothing of it, or do not answer. */
const isLost = (outcome: ReinviteOutcome): boolean =>
  !outcome.ok &&
  ('status' in outcome
    ? outcome.status === 408 || outcome.status === 481
    : outcome.failed === 'timeout' || outcome.failed === 'unreachable');

/** RFC 3326. */
export function causeOf(request: SipRequest): number | null {
  const reason = request.headers.all('reason').find((value) => /^\s*Q\.850\s*;/i.test(value));
  const cause = /;\s*cause\s*=\s*(\d{1,3})\b/i.exec(reason ?? '')?.[1];
  return cause === undefined ? null : Number(cause);
}
