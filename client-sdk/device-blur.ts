import { AppError } from '@teleconsult/protocol/errors';

/** `backgroundBlur` (W3C Media Capture Extensions §8), not in TypeScript's DOM library yet. */
interface WithBlur {
  readonly backgroundBlur?: unknown;
}

/**
 * Blurs what is behind the person, by camera or browser. Rejects with `UNSUPPORTED_BROWSER` where neither can, or when
 * the person has fixed it in the system to something else.
 */
export async function blur(track: MediaStreamTrack, on: boolean): Promise<void> {
  const settings: WithBlur = track.getSettings();
  if (settings.backgroundBlur === on) return;
  const capabilities: WithBlur = typeof track.getCapabilities === 'function' ? track.getCapabilities() : {};
  const able = capabilities.backgroundBlur;
  if (!Array.isArray(able) || !able.includes(on))
    throw new AppError('UNSUPPORTED_BROWSER', { detail: 'backgroundBlur' });
  const constraints: MediaTrackConstraints & WithBlur = {
    ...track.getConstraints(),
    backgroundBlur: { exact: on },
  };
  try {
    await track.applyConstraints(constraints);
  } catch (cause) {
    throw new AppError('UNSUPPORTED_BROWSER', { detail: 'backgroundBlur', cause });
  }
}
