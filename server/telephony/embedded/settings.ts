/** The embedded relay and its trunk, as it is set up. */
import type { Destinations } from '../bindings/settings.ts';
import type { PhoneRegion } from '../numbers.ts';
import type { TrunkConfig } from '../phone-config.ts';
import type { PhoneLanguage } from '../ports.ts';
import type { PhoneMediaOptions } from '../rtp/phone-media.ts';
import type { AnchorTuning } from '../rtpengine/anchor-media.ts';
import type { EndpointOptions } from '../sip/endpoint.ts';

/** Milliseconds. */
export interface RelayTimings {
  /** A call that is not decided by then is turned away. */
  readonly decideMs: number;
  /** The longest that is said before we hang up: a clinic's own recording lasts half a minute at most, and is heard whole. */
  readonly lastWordsMs: number;
  /** Between an answer and the first word: the way to the phone is open by then. */
  readonly leadMs: number;
  /** Two people who are not heard for so long are not there any more. */
  readonly silentMs: number;
  readonly watchEveryMs: number;
  /** So long before the end of its time a call is told. */
  readonly warnBeforeMs: number;
  /** People wait so long for a tape before they talk without it; it begins when it is there. */
  readonly tapeMs: number;
  /** The trunk is asked so often whether it is there; null: only by `check()`. */
  readonly keepAliveMs: number | null;
  /** What is left when the server stops has so long to be said and heard. */
  readonly closeMs: number;
}

export const RELAY_TIMINGS: RelayTimings = {
  decideMs: 2_000,
  lastWordsMs: 36_000,
  leadMs: 250,
  silentMs: 30_000,
  watchEveryMs: 5_000,
  warnBeforeMs: 60_000,
  tapeMs: 1_000,
  keepAliveMs: 30_000,
  closeMs: 1_500,
};

export interface RelaySettings extends TrunkConfig {
  /** Whose numbers need no country code. */
  readonly defaultRegion: PhoneRegion;
  /** What is spoken where no decision says otherwise. */
  readonly language: PhoneLanguage;
  /** What may be dialled at all; asked here again, whoever decided. */
  readonly destinations: Destinations;
  /** How the trunk wants numbers: `+8617000003333` or `8617000003333`. */
  readonly numbers?: 'plus' | 'digits';
  /** What our SIP messages say, where it is not the address we listen on. */
  readonly publicAddress?: { readonly host: string; readonly port: number };
  /** Calls through the relay at once; one more is turned away. */
  readonly maxCalls?: number;
  /** Of these, how many only hear an announcement: strangers are not to take the lines of patients. */
  readonly maxAnnouncements?: number;
  readonly timings?: Partial<RelayTimings>;
}

/** For tests and measurements. */
export interface RelayTuning {
  readonly sip?: Partial<Pick<EndpointOptions, 't1' | 'openDatagrams' | 'session' | 'sources'>>;
  readonly media?: Partial<Omit<PhoneMediaOptions, 'ports'>>;
  readonly anchor?: AnchorTuning;
}

export const MAX_CALLS = 200;
export const MAX_ANNOUNCEMENTS = 40;
