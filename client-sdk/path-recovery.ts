import type { AppError } from '@teleconsult/protocol/errors';
import { type Backoff, delayOf } from './backoff.ts';
import type { Lifetime } from './lifetime.ts';
import type { Signalling } from './requests.ts';

export interface PathRecoveryOptions {
  readonly signalling: Pick<Signalling, 'probe' | 'untilConnected'>;
  readonly life: Lifetime;
  readonly isInterrupted: () => boolean;
  /** Calls back when the path may have changed; returns how to stop. */
  readonly onPathChange: (listener: () => void) => () => void;
  /** New ICE credentials for what is broken. */
  readonly restartIce: () => Promise<void>;
}

/** ICE restarts before the media is built anew. */
const MAX_RESTARTS = 3;
/** How long a restart may take to bring the path back: ICE checks and a DTLS round trip over a slow mobile link. */
const RESTART_PATIENCE_MS = 4_000;
/** A path that is `disconnected` often returns by itself within a second. */
const restartDelay: Backoff = (attempt) => [500, 1_000, 2_000][attempt - 1] ?? 2_000;

/**
 * Brings an interrupted media path back by ICE restarts (RFC 8445 §9), while it waits out the loss of signalling.
 * Resolves with whether it came back. Rejects with the end of the life, or with the server's refusal.
 */
export async function recoverPath(options: PathRecoveryOptions): Promise<boolean> {
  const { signalling, life, isInterrupted, onPathChange, restartIce } = options;
  // The same network carries the signalling: whether that still works is worth knowing now.
  signalling.probe();
  for (let attempt = 1; attempt <= MAX_RESTARTS; attempt += 1) {
    const pause = delayOf(restartDelay, attempt);
    if (isInterrupted()) await life.wait(pause, { wake: onPathChange });
    await signalling.untilConnected(life);
    if (!isInterrupted()) return true;
    try {
      await life.within(restartIce());
    } catch (error) {
      if (life.over || !isRetryable(error)) throw error;
      continue;
    }
    await untilBack(options);
    if (!isInterrupted()) return true;
  }
  return false;
}

async function untilBack({ life, isInterrupted, onPathChange }: PathRecoveryOptions): Promise<void> {
  const until = performance.now() + RESTART_PATIENCE_MS;
  while (isInterrupted() && performance.now() < until) {
    await life.wait(until - performance.now(), { wake: onPathChange });
  }
}

function isRetryable(error: unknown): boolean {
  return error instanceof Error && 'retryable' in error && (error as AppError).retryable;
}
