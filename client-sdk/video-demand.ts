import type { ConsumerOffer, MediaSource } from '@teleconsult/protocol';
import type { Lifetime } from './lifetime.ts';
import { isHidden, layerFor, type SpatialLayer, TOP_LAYER, type ViewSize } from './video-layers.ts';

/** What this device has use for of one track. */
export interface Demand {
  readonly flowing: boolean;
  readonly layer: SpatialLayer;
}

type Sender = Pick<ConsumerOffer, 'from' | 'source'>;

export interface VideoDemandOptions {
  readonly life: Lifetime;
  /** What is demanded may have changed. */
  readonly onChange: () => void;
  readonly pixelRatio?: () => number;
}

/** Sizes change with every frame of a transition; what they come to is told after this time. */
const SETTLE_MS = 200;
/** Remembered sizes. A call has eight people with a camera each and one screen. */
const MAX_VIEWPORTS = 32;
const EVERYTHING: Demand = { flowing: true, layer: TOP_LAYER };

/**
 * What this device wants of the others' video: nothing while a tile is hidden, else what the tile's size needs. It is kept
 * by person and source, so that it outlives media that is built anew. Views that hide everything are the server's part.
 */
export class VideoDemand {
  readonly #options: VideoDemandOptions;
  readonly #viewports = new Map<string, ViewSize | null>();
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(options: VideoDemandOptions) {
    this.#options = options;
    options.life.onEnd(() => clearTimeout(this.#settling));
  }

  of({ from, source }: Sender): Demand {
    if (source === 'microphone') return EVERYTHING;
    const size = this.#viewports.get(keyOf({ from, source }));
    if (size === undefined) return EVERYTHING;
    if (size === null || isHidden(size)) return { flowing: false, layer: TOP_LAYER };
    // A shared screen has one layer: text that is scaled down cannot be read.
    if (source === 'screen') return EVERYTHING;
    return { flowing: true, layer: layerFor(size, this.#pixelRatio()) };
  }

  setViewport(sender: Sender, size: ViewSize | null): void {
    if (sender.source === 'microphone' || this.#options.life.over) return;
    const key = keyOf(sender);
    this.#viewports.delete(key);
    this.#viewports.set(key, size);
    const [oldest] = this.#viewports.keys();
    if (this.#viewports.size > MAX_VIEWPORTS && oldest !== undefined) this.#viewports.delete(oldest);
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      this.#options.onChange();
    }, SETTLE_MS);
  }

  /** The track is gone: one that comes later is shown in another tile. */
  forget(sender: Sender): void {
    this.#viewports.delete(keyOf(sender));
  }

  #pixelRatio(): number {
    return this.#options.pixelRatio?.() ?? globalThis.devicePixelRatio ?? 1;
  }
}

function keyOf({ from, source }: { from: string; source: MediaSource }): string {
  return `${source} ${from}`;
}
