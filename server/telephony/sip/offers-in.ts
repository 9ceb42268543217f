import { Timers } from './clock.ts';
import { type Core, SDP_TYPE } from './core.ts';
import type { Offer } from './dialog-api.ts';
import type { HeaderLine } from './message.ts';
import { answerSession, type SessionInterval } from './session-timer.ts';
import type { Incoming } from './transactions.ts';
import { TwoHundred } from './two-hundred.ts';

interface OffersOptions {
  readonly core: Core;
  /** What we have said last, and they. */
  readonly localSdp: () => string;
  readonly remoteSdp: () => string | null;
  /** Whether an offer of ours is on its way. */
  readonly offering: () => boolean;
  /** null: nobody wants offers. */
  readonly tell: (offer: Offer) => boolean;
  readonly onAgreed: (incoming: Incoming, sdp: { local: string; remote: string | null }) => void;
  readonly onSession: (interval: SessionInterval | null) => void;
  readonly onUnacknowledged: () => void;
}

const textOf = (incoming: Incoming): string => incoming.request.body.toString('utf8');

/** The re-INVITEs and UPDATEs of the other side, one at a time (RFC 3261 §14.2, RFC 3311 §5.2). */
export class OffersIn {
  readonly #options: OffersOptions;
  readonly #timers: Timers<'answer'>;
  #pending: Incoming | null = null;
  /** Our 200 to a re-INVITE, until it is acknowledged. */
  #accepted: { readonly seq: number; readonly late: boolean; readonly repeat: TwoHundred } | null = null;

  constructor(options: OffersOptions) {
    this.#options = options;
    this.#timers = new Timers(options.core.clock);
  }

  get busy(): boolean {
    return this.#pending !== null || this.#accepted !== null;
  }

  received(incoming: Incoming): void {
    const { request } = incoming;
    const { core, offering, localSdp, remoteSdp, tell } = this.#options;
    // The same that they have said before only keeps the session alive (RFC 4028 §7.4).
    const body = request.body.length === 0 ? null : textOf(incoming);
    const session = answerSession(core.session, request);
    if (this.#pending !== null || this.#accepted !== null)
      return incoming.respond(500, { headers: [['Retry-After', '1']] });
    if (offering() && (body !== null || request.method === 'INVITE')) return incoming.respond(491);
    if (!session.ok) return incoming.respond(422, { headers: session.headers });
    if (body !== null && request.headers.get('content-type')?.toLowerCase().startsWith(SDP_TYPE) !== true)
      return incoming.respond(415, { headers: [['Accept', SDP_TYPE]] });
    if (body === null || body === remoteSdp()) return this.#accept(incoming, localSdp(), remoteSdp());

    this.#pending = incoming;
    this.#timers.set('answer', core.timers.giveUp / 2, () => this.#refuse(incoming, 500));
    const told = tell({
      sdp: body,
      answer: (sdp) => this.#accept(incoming, sdp, body),
      refuse: (status = 488) => this.#refuse(incoming, status),
    });
    if (!told) this.#refuse(incoming, 488);
  }

  /** Whether an ACK was for one of our answers; `late`: it brings the answer to an offer we made in it. */
  acknowledged(seq: number): 'no' | 'yes' | 'late' {
    const accepted = this.#accepted;
    if (accepted?.seq !== seq) return 'no';
    accepted.repeat.stop();
    this.#accepted = null;
    return accepted.late ? 'late' : 'yes';
  }

  close(): void {
    this.#timers.clear();
    this.#accepted?.repeat.stop();
    this.#accepted = null;
    if (this.#pending !== null) this.#refuse(this.#pending, 487);
  }

  #accept(incoming: Incoming, local: string, remote: string | null): void {
    const { core, onAgreed, onSession, onUnacknowledged } = this.#options;
    if (!incoming.transaction.open) return this.#settled(incoming);
    const { request } = incoming;
    const invite = request.method === 'INVITE';
    const session = answerSession(core.session, request);
    const silent = request.body.length === 0 && !invite;
    const headers: HeaderLine[] = [
      ...request.headers.all('record-route').map((route): HeaderLine => ['Record-Route', route]),
      ['Contact', core.contact(incoming.from)],
      ...session.headers,
      ...(silent ? [] : [['Content-Type', SDP_TYPE] as const]),
    ];
    const bytes = incoming.write(200, { headers, ...(silent ? {} : { body: Buffer.from(local) }) });
    this.#settled(incoming);
    incoming.transaction.respond(200, bytes);
    if (invite)
      this.#accepted = {
        seq: request.cseq.number,
        late: request.body.length === 0,
        repeat: new TwoHundred({
          clock: core.clock,
          timers: core.timers,
          send: () => incoming.repeat(bytes),
          unacknowledged: onUnacknowledged,
        }),
      };
    onAgreed(incoming, { local, remote });
    if (session.ok) onSession(session.interval);
  }

  #refuse(incoming: Incoming, status: number): void {
    this.#settled(incoming);
    incoming.respond(status);
  }

  #settled(incoming: Incoming): void {
    if (this.#pending !== incoming) return;
    this.#pending = null;
    this.#timers.clear();
  }
}
