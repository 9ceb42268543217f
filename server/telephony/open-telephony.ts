import type { Clock, Log } from '../host/ports.ts';
import { AlibabaRelay } from './alibaba/alibaba-relay.ts';
import type { PhoneRecordings } from './bindings/ports.ts';
import { type MaskedCallsParts, maskedCalls } from './masked-calls.ts';
import type { PhoneConfig, ProviderConfig, TrunkConfig } from './phone-config.ts';
import type { RelayProvider } from './ports.ts';
import type { RelayLookup } from './relay-lookup.ts';
import type { OpenTelephony } from './telephony.ts';
import { TwilioRelay } from './twilio/twilio-relay.ts';

export interface TelephonyParts extends Pick<MaskedCallsParts, 'store' | 'vault' | 'ids' | 'legs'> {
  readonly clock: Clock;
  readonly log: Log;
  /** null: recordings that lie at a provider stay there. */
  readonly recordings: PhoneRecordings | null;
  /** Makes the embedded relay; null: this server was built without. */
  readonly embedded: ((trunk: TrunkConfig, lookup: RelayLookup) => RelayProvider) | null;
}

/** Masked calls as they are configured. @throws Error when the provider is not there */
export function openTelephony(
  { settings, recording, provider }: PhoneConfig,
  parts: TelephonyParts,
): OpenTelephony {
  if (provider.name === 'embedded' && parts.embedded === null)
    throw new Error('Configuration: this server has no embedded relay for masked calls.');
  return maskedCalls({
    ...parts,
    settings,
    recording,
    providers: (lookup) => [providerOf(provider, lookup, parts)],
  });
}

function providerOf(config: ProviderConfig, lookup: RelayLookup, parts: TelephonyParts): RelayProvider {
  const { log, clock, embedded } = parts;
  switch (config.name) {
    case 'embedded':
      if (embedded === null) throw new Error('there is no embedded relay');
      return embedded(config.trunk, lookup);
    case 'twilio':
      return new TwilioRelay({ settings: config.twilio, lookup, log, clock });
    case 'alibaba':
      return new AlibabaRelay({ settings: config.alibaba, lookup, log, clock });
    default: {
      const unreachable: never = config;
      return unreachable;
    }
  }
}
