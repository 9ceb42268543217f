import type { Clock, Log } from '../host/ports.ts';
import { AlibabaRelay } from './alibaba/alibaba-relay.ts';
import { EmbeddedRelay } from './embedded/embedded-relay.ts';
import { type MaskedCallsParts, maskedCalls, type OpenedProviders } from './masked-calls.ts';
import type { PhoneConfig } from './phone-config.ts';
import type { OpenTape } from './ports.ts';
import type { RelayLookup } from './relay-lookup.ts';
import type { OpenTelephony } from './telephony.ts';
import { TwilioRelay } from './twilio/twilio-relay.ts';

export interface TelephonyParts extends Pick<MaskedCallsParts, 'store' | 'vault' | 'ids'> {
  readonly clock: Clock;
  readonly log: Log;
  /** Of this server alone: the embedded relay keeps its running calls in it. */
  readonly folder: string;
}

/** Masked calls as they are configured. */
export const openTelephony = (config: PhoneConfig, parts: TelephonyParts): OpenTelephony =>
  maskedCalls({
    ...parts,
    settings: config.settings,
    recording: config.recording,
    providers: (lookup, openTape) => providersOf(config, parts, { lookup, openTape }),
  });

function providersOf(
  { provider, settings }: PhoneConfig,
  parts: TelephonyParts,
  { lookup, openTape }: { readonly lookup: RelayLookup; readonly openTape: OpenTape | null },
): OpenedProviders {
  const { log, clock, vault, folder } = parts;
  switch (provider.name) {
    case 'embedded': {
      const { trunk } = provider;
      const { defaultRegion, language, destinations, limits } = settings;
      const relay = new EmbeddedRelay({
        settings: {
          ...trunk,
          defaultRegion,
          language,
          destinations,
          maxCalls: limits.atOnce,
        },
        openTape,
        vault,
        folder,
        log,
        clock,
      });
      return {
        providers: [relay],
        telephones: relay.legs,
        joinBy: (dialIns) => relay.joinBy(dialIns),
        figures: () => relay.figures(),
      };
    }
    case 'twilio':
      return { providers: [new TwilioRelay({ settings: provider.twilio, lookup, log, clock })] };
    case 'alibaba':
      return { providers: [new AlibabaRelay({ settings: provider.alibaba, lookup, log, clock })] };
    default: {
      const unreachable: never = provider;
      return unreachable;
    }
  }
}
