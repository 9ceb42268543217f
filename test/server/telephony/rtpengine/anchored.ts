/** Sound through the real daemon: the media, and calls between two telephones. */

import type { PhoneMedia } from '@teleconsult/server/telephony/rtp/ports';
import { AnchorMedia, type AnchorTuning } from '@teleconsult/server/telephony/rtpengine/anchor-media';
import { startPhoneCall } from '../rtp/phone-call.ts';
import { type Daemon, startDaemon } from './daemon.ts';

/** Quick enough for tests, and slow enough for a machine that does much else. */
export const QUICK: AnchorTuning = {
  askEveryMs: 100,
  lookEveryMs: 100,
  askAgainAfterMs: [100, 200, 400, 800],
};

export interface AnchoredOptions {
  readonly host: string;
  readonly prefix?: string;
  readonly tuning?: AnchorTuning;
}

export interface Anchored extends AsyncDisposable {
  readonly daemon: Daemon;
  readonly media: AnchorMedia;
  /** What it was told of the daemon. */
  readonly told: boolean[];
}

export async function startAnchored(options: AnchoredOptions): Promise<Anchored> {
  await using stack = new AsyncDisposableStack();
  const daemon = stack.use(await startDaemon(options.host));
  const told: boolean[] = [];
  const media = await startAnchor(daemon, options, told);
  stack.defer(() => media.close());
  const owned = stack.move();
  return { daemon, media, told, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

export const startAnchor = (
  { ng, digits }: Pick<Daemon, 'ng' | 'digits'>,
  { prefix = 'call-of-a-test-', tuning = QUICK }: Omit<AnchoredOptions, 'host'> = {},
  told: boolean[] = [],
): Promise<AnchorMedia> =>
  AnchorMedia.start({ settings: { ng, digits }, prefix, tuning, onUp: (isUp) => told.push(isUp) });

export const startAnchoredCall = (
  media: PhoneMedia,
  host: string,
  options: NonNullable<Parameters<typeof startPhoneCall>[1]> = {},
): ReturnType<typeof startPhoneCall> => startPhoneCall(media, { address: { a: host, b: host }, ...options });
