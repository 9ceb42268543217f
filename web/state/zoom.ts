/** A picture in its room: `scale` 1 fits it, `x` and `y` move its middle, in CSS pixels. */
export interface Zoom {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const FITTED: Zoom = { scale: 1, x: 0, y: 0 };
export const MAX_SCALE = 8;

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

/** Keeps the picture in its room: what fits stays in the middle, what is larger never leaves an edge empty. */
export function kept({ scale, x, y }: Zoom, picture: Size, room: Size): Zoom {
  const bounded = clamp(scale, 1, MAX_SCALE);
  const spare = (of: 'width' | 'height'): number => Math.max(0, (picture[of] * bounded - room[of]) / 2);
  return {
    scale: bounded,
    x: clamp(x, -spare('width'), spare('width')),
    y: clamp(y, -spare('height'), spare('height')),
  };
}

/** Changes the size so that the point under the finger or pointer stays there. `at` is measured from the middle. */
export function zoomedAt(zoom: Zoom, factor: number, at: { x: number; y: number }): Zoom {
  const scale = clamp(zoom.scale * factor, 1, MAX_SCALE);
  const ratio = scale / zoom.scale;
  return { scale, x: at.x - (at.x - zoom.x) * ratio, y: at.y - (at.y - zoom.y) * ratio };
}
