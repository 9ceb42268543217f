import { AppError } from '@teleconsult/protocol/errors';
import { askedOf, atLeastAsAsked } from './backoff.ts';
import type { Lifetime } from './lifetime.ts';
import { type Signalling, toAppError, whenItMayWork } from './requests.ts';

export interface PathRecoveryOptions {
  readonly signalling: Pick<
    Signalling,
    'probe' | 'untilConnected' | 'onConnected' | 'onNetwork' | 'reconnect'
  >;
  readonly life: Lifetime;
  /** Also while the path only may be broken: a restart that works shows. */
  readonly isInterrupted: () => boolean;
  /** Calls back when the path may have changed; returns how to stop. */
  readonly onPathChange: (listener: () => void) => () => void;
  /** New ICE credentials for what is broken. */
  readonly restartIce: () => Promise<void>;
  /** The network is known to be another one: nothing is gained by waiting whether the path returns by itself. */
  readonly atOnce: boolean;
}

/** How long a restart may take to bring the path back: ICE checks and a DTLS round trip over a slow mobile link. */
const RESTART_PATIENCE_MS = 4_000;
/** Least time between two restarts, whatever a policy of the app says: each is a request to the server. */
const LEAST_PACE_MS = 100;

/** What ended a wait: its time or the path; the connection or the app, which say `now`; or that the network changed. */
type Woken = 'time' | 'now' | 'changed';

/**
 * Brings an interrupted media path back by ICE restarts (RFC 8445 §9), while it waits out the loss of signalling.
 * Resolves with whether it came back. Rejects with the end of the life, or with the server's refusal.
 */
export async function recoverPath(options: PathRecoveryOptions): Promise<boolean> {
  const { signalling, life, isInterrupted, restartIce } = options;
  // The same network carries the signalling: whether that still works is worth knowing now.
  signalling.probe();
  const lostAt = performance.now();
  let { atOnce } = options;
  let attempt = 1;
  let error: AppError | null = null;
  for (;;) {
    if (!atOnce) {
      const elapsedMs = performance.now() - lostAt;
      const delayMs = signalling.reconnect.iceRestartDelayMs({ attempt, elapsedMs, error });
      if (delayMs === null) return false;
      if (isInterrupted()) await wait(options, atLeastAsAsked(delayMs, error), error);
    }
    atOnce = false;
    await signalling.untilConnected(life);
    if (!isInterrupted()) return true;
    try {
      await life.within(restartIce());
    } catch (thrown) {
      error = toAppError(thrown);
      if (life.over || !error.retryable) throw thrown;
      // The connection was lost: that is no attempt, and nothing else is waited for.
      if (error.code === 'DISCONNECTED') {
        atOnce = true;
        await life.wait(LEAST_PACE_MS);
      } else attempt += 1;
      continue;
    }
    const woken = await untilBack(options);
    if (!isInterrupted()) return true;
    error = new AppError('DISCONNECTED', { detail: 'the media path' });
    // What failed in another network says nothing of this one.
    attempt = woken === 'changed' ? 1 : attempt + 1;
    atOnce = woken !== 'time';
  }
}

/** Waits after a restart until the path is back; a new connection shows that it came from a network that was gone. */
async function untilBack(options: PathRecoveryOptions): Promise<Woken> {
  const { signalling, life, onPathChange, isInterrupted } = options;
  const until = performance.now() + RESTART_PATIENCE_MS;
  let woken: Woken = 'time';
  while (isInterrupted() && woken === 'time' && performance.now() < until) {
    await life.wait(until - performance.now(), {
      wake: (wakeUp) => {
        const by = (reason: Woken) => () => {
          woken = reason;
          wakeUp();
        };
        return all([
          onPathChange(wakeUp),
          signalling.onConnected(by('now')),
          signalling.onNetwork((news) => {
            if (news === 'changed') by('changed')();
          }),
        ]);
      },
    });
  }
  return woken;
}

/** Waits before a restart, no longer than until something says that it may work. */
async function wait(
  { signalling, life, onPathChange }: PathRecoveryOptions,
  delayMs: number,
  error: AppError | null,
): Promise<void> {
  await life.wait(Math.max(delayMs, LEAST_PACE_MS), {
    // Nothing cuts short what the server asked for.
    wake: (wakeUp) =>
      all([onPathChange(wakeUp), ...(askedOf(error) === 0 ? [whenItMayWork(signalling, wakeUp)] : [])]),
  });
}

/** Stops all of them. */
function all(stops: readonly (() => void)[]): () => void {
  return () => {
    for (const stop of stops) stop();
  };
}
