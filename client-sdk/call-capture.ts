import type { Lifetime } from './lifetime.ts';
import { LocalMedia, type SelectableSource } from './local-media.ts';
import type { MediaDevice } from './media-device.ts';

/** What is to be on from the beginning. A screen is asked for by a click, never ahead. */
export type Wanted = Readonly<Record<SelectableSource, boolean>> & { readonly screen?: false };

/** Microphone and camera, asked for while the server is asked for the call, so that both take the same time. */
export interface Capture {
  readonly life: Lifetime;
  readonly local: LocalMedia;
  readonly wanted: Wanted;
}

/** Begins to ask for what is wanted. Whoever ends up with the capture ends its life. */
export function beginCapture(device: MediaDevice, parent: Lifetime, wanted: Wanted): Capture {
  const life = parent.child();
  const local = new LocalMedia({ device, life });
  local.prefetch(wanted);
  return { life, local, wanted };
}
