import { AppError } from '@teleconsult/protocol/errors';
import type { Lifetime } from './lifetime.ts';

export interface SpeakerOptions {
  readonly life: Lifetime;
  /** The others' tracks, whatever element plays them. */
  readonly tracks: () => readonly MediaStreamTrack[];
}

/**
 * Through which speaker the call is heard. The app plays the tracks by elements of its own; those in the document that
 * play tracks of this call are turned to the chosen speaker, now and whenever one begins to play.
 */
export class Speaker {
  readonly #options: SpeakerOptions;
  #deviceId: string | null = null;
  #follows = false;

  constructor(options: SpeakerOptions) {
    this.#options = options;
  }

  /** Rejects with `UNSUPPORTED_BROWSER` where the browser has no choice of speakers, `DEVICE_UNAVAILABLE` otherwise. */
  async select(deviceId: string): Promise<void> {
    if (typeof HTMLMediaElement !== 'function' || !('setSinkId' in HTMLMediaElement.prototype))
      throw new AppError('UNSUPPORTED_BROWSER', { detail: 'no setSinkId' });
    try {
      await Promise.all(
        mediaElements(document)
          .filter((element) => this.#plays(element))
          .map((one) => one.setSinkId(deviceId)),
      );
    } catch (cause) {
      const denied = cause instanceof Error && cause.name === 'NotAllowedError';
      throw new AppError(denied ? 'PERMISSION_DENIED' : 'DEVICE_UNAVAILABLE', { cause });
    }
    this.#deviceId = deviceId;
    if (!this.#follows) this.#followNewElements();
  }

  #followNewElements(): void {
    this.#follows = true;
    // Media events do not bubble, but they can be captured on their way down; not out of shadow trees, whose elements
    // the app turns itself.
    const listener = ({ target }: Event) => {
      if (!(target instanceof HTMLMediaElement) || !this.#plays(target) || this.#deviceId === null) return;
      // One that cannot be turned plays where it did.
      if (target.sinkId !== this.#deviceId) target.setSinkId(this.#deviceId).catch(() => {});
    };
    document.addEventListener('playing', listener, true);
    this.#options.life.onEnd(() => document.removeEventListener('playing', listener, true));
  }

  #plays({ srcObject }: HTMLMediaElement): boolean {
    if (!(srcObject instanceof MediaStream)) return false;
    const played = new Set(srcObject.getTracks());
    return this.#options.tracks().some((track) => played.has(track));
  }
}

/** Those in the document and in the open shadow trees of its elements. */
function mediaElements(root: ParentNode): HTMLMediaElement[] {
  const found: HTMLMediaElement[] = [];
  for (const element of root.querySelectorAll('*')) {
    if (element instanceof HTMLMediaElement) found.push(element);
    if (element.shadowRoot !== null) found.push(...mediaElements(element.shadowRoot));
  }
  return found;
}
