import type { Log } from '../host/ports.ts';
import type { RelayProvider } from './ports.ts';

export interface ReadinessParts {
  readonly providers: readonly Pick<RelayProvider, 'name' | 'capabilities' | 'check'>[];
  readonly log: Log;
  /** What cannot be reached any more because we stop is no news. */
  readonly isClosing: () => boolean;
}

/**
 * Asks providers beyond a network whether they can be used: wrong keys, and a clock that is wrong, are to be known at the
 * start and not at the first call. One in this process says itself how its trunk is. Never rejects.
 */
export async function tellIfNotReady({ providers, log, isClosing }: ReadinessParts): Promise<void> {
  const away = providers.filter(({ capabilities }) => capabilities.webhookProof !== 'in_process');
  await Promise.all(
    away.map(async (provider) => {
      try {
        await provider.check();
        log.info('phone.providerReady', { event: provider.name });
      } catch (error) {
        if (!isClosing()) log.error('phone.providerNotReady', { event: provider.name, error });
      }
    }),
  );
}
