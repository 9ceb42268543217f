import type { PhoneContext } from './context.ts';
import type { RefusedCalls } from './refused-calls.ts';

/** For metrics. Nothing of it names anybody. */
export interface PhoneFigures {
  /** Bindings that wait for a provider, by what it is asked; news that waits for its thread. */
  readonly pending: Readonly<Record<'binding' | 'changing' | 'unbinding' | 'news', number>>;
  readonly runningCalls: number;
  readonly refused: RefusedCalls['total'];
  readonly alarms: number;
  /** Relay numbers that the next visit could be given; null: the provider chooses them. */
  readonly freeRelays: number | null;
}

export async function figuresOf(context: PhoneContext, refused: RefusedCalls): Promise<PhoneFigures> {
  const { store } = context;
  return {
    pending: { ...(await store.bindings.pendingBindings()), news: await store.news.countUntold() },
    runningCalls: await store.calls.countRunning(),
    refused: refused.total,
    alarms: refused.alarms,
    freeRelays: await freeRelays(context),
  };
}

async function freeRelays({ store, settings, providers, clock }: PhoneContext): Promise<number | null> {
  const [provider] = providers;
  if (provider?.capabilities.chooses !== 'us') return null;
  const { pairsPerRelay, coolDownMs } = settings;
  return store.numbers.countFree({
    provider: provider.name,
    pairsPerRelay,
    restsSince: clock() - coolDownMs,
  });
}
