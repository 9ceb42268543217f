import { AppError } from '@teleconsult/protocol/errors';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { Call, CallOptions, SimulatedFailure } from '../api.ts';
import type { ActiveCall } from '../call.ts';
import type { Connection } from '../connection.ts';
import { type Lifetime, throwIfAborted } from '../lifetime.ts';
import type { MediaDevice } from '../media-device.ts';
import type { MediaCut } from './faults.ts';

export interface SimulationParts {
  readonly connection: Connection;
  readonly device: Pick<MediaDevice, 'asksAgain'>;
  /** The client's. */
  readonly life: Lifetime;
  readonly activeCall: () => ActiveCall | null;
  /** Drops what is in memory of the call, as a page does that is loaded anew. */
  readonly lose: (call: ActiveCall) => void;
  /** As `client.restoreCall`. */
  readonly restore: () => Promise<Call | null>;
}

type Options = CallOptions & { readonly durationMs?: number };

const DEFAULT_DURATION_MS = { network: 2_000, server: 1_000, interruption: 2_000 } as const;
const MAX_DURATION_MS = 600_000;
/** What is waited for changes in many places; to try something out, a look at times is enough. */
const LOOK_MS = 20;

/**
 * Breaks things on purpose, so that an app's own tests can see what follows. Only the cause is made up: what recovers is
 * the code that recovers from the real thing, and the server is asked as it would be then.
 */
export class Simulation {
  readonly #parts: SimulationParts;
  #isRunning = false;

  constructor(parts: SimulationParts) {
    this.#parts = parts;
  }

  /** Resolves when all is as it was before. */
  async run(failure: SimulatedFailure, { signal, durationMs }: Options = {}): Promise<void> {
    throwIfAborted(signal);
    const { connection, device, life } = this.#parts;
    if (life.endReason !== null) throw life.endReason;
    if (this.#isRunning) throw nothingToBreak('another failure is being tried out');
    if (durationMs !== undefined && !(durationMs >= 0 && durationMs <= MAX_DURATION_MS))
      throw new AppError('INVALID', { detail: 'durationMs' });
    this.#isRunning = true;
    const running = life.child();
    try {
      await running.within(this.#break(failure, { life: running, durationMs }), signal);
    } finally {
      running.end(new AppError('ABORTED', { detail: 'what was tried out is over' }));
      connection.faults.mend();
      device.asksAgain = false;
      this.#isRunning = false;
    }
  }

  async #break(
    failure: SimulatedFailure,
    { life, durationMs }: { life: Lifetime; durationMs: number | undefined },
  ): Promise<void> {
    const { connection } = this.#parts;
    switch (failure) {
      case 'signal-loss':
        return this.#loseConnection(life, { forMs: 0, cut: null, forgets: false });
      case 'network-loss':
        return this.#loseConnection(life, {
          forMs: durationMs ?? DEFAULT_DURATION_MS.network,
          cut: 'until_restart',
          forgets: false,
        });
      case 'server-restart':
        return this.#loseConnection(life, {
          forMs: durationMs ?? DEFAULT_DURATION_MS.server,
          cut: null,
          forgets: true,
        });
      case 'node-move':
        return this.#loseConnection(life, { forMs: 0, cut: null, forgets: true });
      case 'media-loss':
      case 'media-rebuild': {
        const call = this.#requireCall();
        connection.faults.cutMedia(failure === 'media-loss' ? 'until_restart' : 'for_good');
        return this.#untilWhole(life, call);
      }
      case 'reload':
      case 'gesture-needed':
        return this.#reload(life, failure === 'gesture-needed');
      case 'interruption':
        return this.#interrupt(life, durationMs ?? DEFAULT_DURATION_MS.interruption);
      default:
        return unreachable(failure);
    }
  }

  /** The connection breaks; with it the media, or what the server knows of the media, when there is a call. */
  async #loseConnection(
    life: Lifetime,
    { forMs, cut, forgets }: { forMs: number; cut: MediaCut | null; forgets: boolean },
  ): Promise<void> {
    const { connection, activeCall } = this.#parts;
    const { faults } = connection;
    const call = activeCall()?.path === 'connected' ? activeCall() : null;
    const reconnected = this.#breakLink(life);
    if (call !== null && cut !== null) faults.cutMedia(cut);
    if (call !== null && forgets) faults.forgetMedia();
    faults.isUnreachable = forMs > 0;
    if (forMs > 0) await life.wait(forMs);
    faults.isUnreachable = false;
    await life.within(reconnected);
    await this.#untilWhole(life, call);
  }

  async #reload(life: Lifetime, asksAgain: boolean): Promise<void> {
    const { device, lose, restore, activeCall } = this.#parts;
    const call = this.#requireCall();
    const reconnected = this.#breakLink(life);
    device.asksAgain = asksAgain;
    lose(call);
    await life.within(restore());
    await life.within(reconnected);
    const restored = activeCall();
    if (restored === null) throw new AppError('WRONG_STATE', { detail: 'the call ended meanwhile' });
    await this.#until(life, () => restored.awaiting.length === 0 && this.#isWhole(restored));
  }

  /** As browsers tell it on phones: the track falls silent, and speaks again when the phone call is over. */
  async #interrupt(life: Lifetime, durationMs: number): Promise<void> {
    const call = this.#requireCall();
    const { microphone } = call.localTracks;
    if (microphone === null) throw nothingToBreak('the microphone is off');
    const isShown = () => {
      const { personId } = this.#parts.connection;
      return call.view.seats.some((seat) => seat.personId === personId && seat.interrupted);
    };
    microphone.enabled = false;
    microphone.dispatchEvent(new Event('mute'));
    try {
      await this.#until(life, () => isShown() || this.#hasEnded(call));
      await life.wait(durationMs);
    } finally {
      // Who muted meanwhile stays muted.
      microphone.enabled = call.microphoneOn;
      microphone.dispatchEvent(new Event('unmute'));
    }
    await this.#until(life, () => !isShown() && this.#isWhole(call));
  }

  /** Resolves with the next connection. */
  #breakLink(life: Lifetime): Promise<void> {
    const { connection } = this.#parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    life.onEnd(connection.onConnected(resolve));
    if (!connection.breakLink()) throw nothingToBreak('there is no connection');
    return promise;
  }

  /** The call that this device is in, with its media flowing. */
  #requireCall(): ActiveCall {
    const { connection, activeCall } = this.#parts;
    const call = activeCall();
    if (!connection.connected) throw nothingToBreak('there is no connection');
    if (call?.path !== 'connected') throw nothingToBreak('no media flows');
    return call;
  }

  async #untilWhole(life: Lifetime, call: ActiveCall | null): Promise<void> {
    const { connection } = this.#parts;
    await this.#until(life, () => connection.connected && (call === null || this.#isWhole(call)));
  }

  /** Throws when the call is over, and so will not be as it was before. */
  #isWhole(call: ActiveCall): boolean {
    const { connection } = this.#parts;
    if (this.#hasEnded(call)) throw new AppError('WRONG_STATE', { detail: 'the call ended meanwhile' });
    const { connected, faults } = connection;
    return connected && !faults.hasForgottenMedia && call.path === 'connected' && call.isSettled;
  }

  #hasEnded(call: ActiveCall): boolean {
    return call.outcome !== null || this.#parts.activeCall() !== call;
  }

  async #until(life: Lifetime, holds: () => boolean): Promise<void> {
    while (!holds()) await life.wait(LOOK_MS);
  }
}

const nothingToBreak = (detail: string): AppError => new AppError('WRONG_STATE', { detail });
