import { createHash } from 'node:crypto';
import type { Log } from '../../host/ports.ts';
import { startPhoneMedia } from '../rtp/phone-media.ts';
import type { PhoneMedia } from '../rtp/ports.ts';
import { AnchorMedia } from '../rtpengine/anchor-media.ts';
import { EitherMedia } from '../rtpengine/either-media.ts';
import type { RelaySettings, RelayTuning } from './settings.ts';

export interface LineMediaParts {
  readonly settings: RelaySettings;
  readonly tuning: RelayTuning;
  readonly log: Log;
}

/** What carries the sound of calls, as it is set up. @throws Error when a port is taken or the thread does not start */
export async function openLineMedia({ settings, tuning, log }: LineMediaParts): Promise<PhoneMedia> {
  const { firstPort, lastPort, anchor: anchorSettings } = settings.rtp;
  const own = await startPhoneMedia({
    ports: { from: firstPort, to: lastPort },
    ...tuning.media,
    onThreadDied: () => log.error('phone.soundThreadDied'),
  });
  if (anchorSettings === undefined) return own;
  try {
    const anchor = await AnchorMedia.start({
      settings: anchorSettings,
      prefix: prefixOf(settings),
      ...(tuning.anchor === undefined ? {} : { tuning: tuning.anchor }),
      onUp: (isUp) => {
        if (isUp) log.info('phone.anchorUp');
        else log.error('phone.anchorDown');
      },
    });
    if (!anchor.isUp) log.error('phone.anchorDown');
    return new EitherMedia({
      anchor,
      own,
      onRefused: (error) => log.error('phone.anchorRefused', { error }),
    });
  } catch (error) {
    await own.close();
    throw error;
  }
}

/** The same after a restart, and another for each server: nobody else listens for SIP there. */
function prefixOf({ listen, trunk }: RelaySettings): string {
  const place = `${listen.host} ${listen.port} ${trunk.host} ${trunk.port}`;
  return `call-${createHash('sha256').update(place).digest('hex').slice(0, 12)}-`;
}
