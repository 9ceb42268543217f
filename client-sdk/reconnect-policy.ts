import type { ClientOptions } from './api.ts';
import { fullJitter, harmlessDelay, retryDelay } from './backoff.ts';
import { reportUncaught } from './events.ts';
import type { ReconnectPolicy, RetryContext } from './resume-api.ts';

/** So long after a loss somebody may be looking at a picture that stands still. */
const EAGER_FOR_MS = 60_000;
/**
 * While somebody waits, no attempt to connect is further from the next than this: a network that comes back without
 * telling anybody is noticed so soon.
 */
const eager = fullJitter({ firstMs: 300, baseMs: 500, capMs: 1_500 });
const patient = fullJitter({ firstMs: 300, baseMs: 500, capMs: 5_000 });
/**
 * A path that is `disconnected` was silent for seconds already (libwebrtc says so after five), but may be back this very
 * moment. Media is built anew after three restarts in vain.
 */
const ICE_RESTART_MS = [300, 1_000, 2_000] as const;

/** What is done unless the app says otherwise. */
export const defaultReconnectPolicy: ReconnectPolicy = {
  connectionDelayMs: ({ attempt, elapsedMs }) => (elapsedMs < EAGER_FOR_MS ? eager : patient)(attempt),
  iceRestartDelayMs: ({ attempt }) => ICE_RESTART_MS[attempt - 1] ?? null,
  // A media worker that died is replaced at once, and nothing is gained by waiting for it.
  rebuildDelayMs: ({ attempt, error }) =>
    error?.code === 'MEDIA_UNAVAILABLE' && attempt <= 1 ? 0 : retryDelay(attempt),
};

/** The app's policy with the default for what it leaves out, and made harmless: see `harmlessDelay`. */
export function reconnectPolicyOf(choice: ClientOptions['reconnect'] = {}): ReconnectPolicy {
  const chosen: Partial<ReconnectPolicy> =
    typeof choice === 'function' ? { connectionDelayMs: ({ attempt }) => choice(attempt) } : choice;
  const step = (name: keyof ReconnectPolicy) => (context: RetryContext) => {
    const usual = defaultReconnectPolicy[name];
    if (chosen[name] === undefined) return usual(context);
    try {
      return harmlessDelay(chosen[name](context), () => usual(context));
    } catch (error) {
      reportUncaught(error);
      return usual(context);
    }
  };
  return {
    connectionDelayMs: step('connectionDelayMs'),
    iceRestartDelayMs: step('iceRestartDelayMs'),
    rebuildDelayMs: step('rebuildDelayMs'),
  };
}
