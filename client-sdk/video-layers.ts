/** Layers of the camera's simulcast, 0 the smallest (protocol/media.ts, `SpatialLayer`). */
export type SpatialLayer = 0 | 1 | 2;

/** A size in CSS pixels. */
export interface ViewSize {
  readonly width: number;
  readonly height: number;
}

export const TOP_LAYER: SpatialLayer = 2;

/** The long edge of each layer of a 720p camera, in pixels. */
const LONG_EDGES = [320, 640, 1280] as const;
/** Drawing a picture a quarter larger than it is goes unnoticed; the next layer costs three times as much. */
const TOLERANCE = 1.25;

/**
 * The smallest layer that fills a tile. The long edges are compared, so that it holds for phones held upright and for
 * pictures that are cropped, too. `pixelRatio` is the screen's device pixels for one CSS pixel.
 */
export function layerFor({ width, height }: ViewSize, pixelRatio: number): SpatialLayer {
  const needed = Math.max(width, height) * pixelRatio;
  if (needed <= LONG_EDGES[0] * TOLERANCE) return 0;
  if (needed <= LONG_EDGES[1] * TOLERANCE) return 1;
  return TOP_LAYER;
}

/** True of a tile that shows nothing. */
export function isHidden(size: ViewSize | null): boolean {
  return size === null || !(size.width > 0) || !(size.height > 0);
}
