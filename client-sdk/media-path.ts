import type { TransportDirection } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import type { types as mediasoup } from 'mediasoup-client';
import type { CallEvents } from './api.ts';
import type { Lifetime } from './lifetime.ts';
import type { SeatRef } from './media-session.ts';
import type { NetworkNews } from './network-hints.ts';
import { recoverPath } from './path-recovery.ts';
import type { Signalling } from './requests.ts';
import type { MediaCut } from './simulation/faults.ts';

export interface MediaPathOptions {
  readonly seat: SeatRef;
  readonly signalling: Signalling;
  readonly life: Lifetime;
  readonly transports: Readonly<Record<TransportDirection, mediasoup.Transport>>;
  readonly onChange: () => void;
  /** No restart brought it back: media has to be built anew. */
  readonly onFailed: () => void;
}

export type PathState = CallEvents['path']['state'];

const DIRECTIONS = ['send', 'receive'] as const satisfies readonly TransportDirection[];

/** The way that the packets of one media session take, and its recovery by new ICE credentials. */
export class MediaPath {
  readonly #options: MediaPathOptions;
  readonly #listeners = new Set<() => void>();
  #state: PathState = 'connecting';
  #isRecovering = false;
  /** The network is another one: what the browser still calls connected may be gone. */
  #isDoubtful = false;
  /** An app tries out what happens when the path breaks. */
  #cut: MediaCut | null = null;

  constructor(options: MediaPathOptions) {
    this.#options = options;
    const { life, signalling, transports } = options;
    for (const direction of DIRECTIONS)
      transports[direction].on('connectionstatechange', () => this.#judge());
    life.onEnd(signalling.onNetwork((news) => this.#handleNetwork(news)));
    life.onEnd(signalling.faults.events.on('mediaCut', (cut) => this.#break(cut)));
  }

  get state(): PathState {
    return this.#state;
  }

  #judge(): void {
    const before = this.#state;
    const state = pathOf(
      before,
      DIRECTIONS.map((direction) => this.#stateOf(direction)),
    );
    this.#state = state;
    for (const listener of this.#listeners) listener();
    if (state === before) return;
    // Media got through, so signalling can as well.
    if (state === 'connected' && before === 'interrupted') this.#options.signalling.networkIsBack();
    if (state === 'interrupted') this.#recover();
    this.#options.onChange();
  }

  #stateOf(direction: TransportDirection): mediasoup.ConnectionState {
    const { connectionState } = this.#options.transports[direction];
    return this.#cut !== null && connectionState !== 'new' ? 'disconnected' : connectionState;
  }

  /** The browser would notice only after seconds that its packets leave by a road that is gone. */
  #handleNetwork(news: NetworkNews): void {
    if (news !== 'changed' || this.#state === 'connecting') return;
    this.#isDoubtful = true;
    this.#recover();
  }

  #recover(): void {
    if (this.#isRecovering) return;
    this.#isRecovering = true;
    const { signalling, life, onFailed } = this.#options;
    void recoverPath({
      signalling,
      life,
      atOnce: this.#isDoubtful,
      isInterrupted: () => this.#state === 'interrupted' || this.#isDoubtful,
      onPathChange: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      restartIce: () => this.#restartIce(),
    })
      .then((isBack) => {
        if (!isBack) onFailed();
      })
      .catch(() => onFailed())
      .finally(() => {
        this.#isRecovering = false;
      });
  }

  async #restartIce(): Promise<void> {
    if (this.#cut === 'for_good') throw new AppError('WRONG_STATE', { detail: 'simulated' });
    const isDoubtful = this.#isDoubtful;
    this.#isDoubtful = false;
    const broken = DIRECTIONS.filter((direction) => {
      const state = this.#stateOf(direction);
      return state !== 'new' && (isDoubtful || state !== 'connected');
    });
    try {
      await Promise.all(broken.map((direction) => this.#restart(direction)));
    } catch (error) {
      this.#isDoubtful ||= isDoubtful;
      throw error;
    }
    if (this.#cut === null) return;
    this.#cut = null;
    this.#judge();
  }

  async #restart(direction: TransportDirection): Promise<void> {
    const { signalling, seat, transports } = this.#options;
    const { iceParameters } = await signalling.request('seat.restartIce', { ...seat, direction });
    await transports[direction].restartIce({ iceParameters: iceParameters as mediasoup.IceParameters });
  }

  #break(cut: MediaCut): void {
    this.#cut = cut;
    this.#judge();
  }
}

/** The path of both transports together. A transport that carries nothing yet does not count. */
export function pathOf(before: PathState, states: readonly mediasoup.ConnectionState[]): PathState {
  const used = states.filter((state) => state !== 'new' && state !== 'closed');
  const connected = used.filter((state) => state === 'connected').length;
  if (used.some((state) => state === 'disconnected' || state === 'failed')) return 'interrupted';
  if (connected > 0 && connected === used.length) return 'connected';
  // While ICE restarts, the browser says `connecting` again.
  if (before === 'interrupted') return 'interrupted';
  // The second transport begins later, with the first track to receive; the path is there already.
  return connected > 0 ? 'connected' : 'connecting';
}
