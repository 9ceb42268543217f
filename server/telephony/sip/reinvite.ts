import { randomInt } from 'node:crypto';
import { Timers } from './clock.ts';
import { ALLOW, type Core, SDP_TYPE } from './core.ts';
import type { ReinviteOutcome } from './dialog-api.ts';
import type { DialogState } from './dialog-state.ts';
import type { DigestClient, DigestRound } from './digest.ts';
import { EMPTY, type HeaderLine, type SipResponse } from './message.ts';
import { concluded, minSe, proposal, type SessionInterval } from './session-timer.ts';
import type { ClientHandle } from './transactions.ts';

interface ReinviteOptions {
  readonly core: Core;
  readonly state: DialogState;
  readonly digest: DigestClient | null;
  readonly sdp: string;
  /** Whether the Call-ID is ours: who made it waits longer after a collision (RFC 3261 §14.1). */
  readonly ours: boolean;
  /** Whether an offer of theirs is being worked on: ours waits for it. */
  readonly blocked: () => boolean;
  readonly session: () => SessionInterval | null;
  readonly onSession: (interval: SessionInterval | null) => void;
  readonly onDone: (outcome: ReinviteOutcome) => void;
}

/** After so many collisions it is left. */
const MAX_TRIES = 4;

/** One re-INVITE of ours until it is agreed or refused: challenges, 422 and 491 on the way, the ACK at its end. */
export class Reinvite {
  readonly #options: ReinviteOptions;
  readonly #timers: Timers<'again' | 'giveUp'>;
  readonly #round: DigestRound | null;
  #tries = 0;
  #leastSeconds = 0;
  #done = false;
  #waiting = false;
  #handle: ClientHandle | null = null;
  #acknowledge: (() => void) | null = null;

  constructor(options: ReinviteOptions) {
    this.#options = options;
    this.#timers = new Timers(options.core.clock);
    this.#round = options.digest?.round() ?? null;
    this.#attempt();
  }

  /** Whether it is on its way now; not while it waits after a collision. */
  get asking(): boolean {
    return !this.#waiting;
  }

  /** Stops it: the dialog is over. */
  close(): void {
    if (!this.#done) this.#handle?.end();
    this.#finish({ ok: false, failed: 'ended' });
  }

  #attempt(): void {
    const { core, state, sdp } = this.#options;
    const seq = state.nextSeq();
    this.#tries += 1;
    this.#waiting = false;
    let authorization: HeaderLine[] = [];
    const spec = state.request({
      method: 'INVITE',
      seq,
      guard: core.guard,
      charged: false,
      headers: (uri) => {
        authorization = this.#round?.headers('INVITE', uri) ?? [];
        return [
          ['Contact', core.contact(state.hop(core.guard))],
          ['Allow', ALLOW],
          ...proposal(core.session, this.#options.session(), this.#leastSeconds),
          ...authorization,
          ['Content-Type', SDP_TYPE],
        ];
      },
      body: Buffer.from(sdp),
    });
    // It changes a call that runs; one that is not answered soon is not going to be.
    this.#timers.set('giveUp', 2 * core.timers.giveUp, () => {
      this.#handle?.end();
      this.#finish({ ok: false, failed: 'timeout' });
    });
    this.#handle = core.layer.start(spec, {
      onResponse: (response) => this.#answered(response, seq, () => authorization),
      onFailed: (failed) => this.#finish({ ok: false, failed }),
    });
  }

  #answered(response: SipResponse, seq: number, authorization: () => readonly HeaderLine[]): void {
    const { core, state } = this.#options;
    const { status } = response;
    if (status < 200) return;
    if (status < 300) {
      if (this.#acknowledge !== null) return this.#acknowledge();
      state.refreshTarget(response);
      this.#acknowledge = core.layer.sendOnce(
        state.request({
          method: 'ACK',
          seq,
          guard: core.guard,
          charged: false,
          headers: authorization,
          body: EMPTY,
        }),
      );
      this.#options.onSession(concluded(core.session, response));
      this.#finish({ ok: true, sdp: response.body.toString('utf8') });
      return;
    }
    if (this.#round?.challenged(response) === true) return this.#attempt();
    const least = status === 422 ? minSe(response) : null;
    if (least !== null && least > this.#leastSeconds && this.#tries < MAX_TRIES) {
      this.#leastSeconds = least;
      return this.#attempt();
    }
    if (status === 491 && this.#tries < MAX_TRIES) return this.#later();
    this.#finish({ ok: false, status });
  }

  #later(): void {
    const { core, ours } = this.#options;
    if (!this.#waiting)
      this.#timers.set('giveUp', 2 * core.timers.giveUp, () => this.#finish({ ok: false, status: 491 }));
    this.#waiting = true;
    const tenMs = ours ? randomInt(210, 400) : randomInt(0, 200);
    this.#timers.set('again', (tenMs * core.timers.second) / 100, () =>
      this.#options.blocked() ? this.#later() : this.#attempt(),
    );
  }

  #finish(outcome: ReinviteOutcome): void {
    this.#timers.clear();
    if (this.#done) return;
    this.#done = true;
    this.#options.onDone(outcome);
  }
}
