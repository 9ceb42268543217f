/**
 * Where the box of the page stands. All lengths in CSS pixels. A place is kept as shares of the free room, so that it
 * means the same after the page was resized or the phone was turned.
 */
export interface Placement {
  /** 0: at the left edge, 1: at the right. */
  readonly x: number;
  /** 0: at the top, 1: at the bottom. */
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const DEFAULT_PLACEMENT: Placement = { x: 1, y: 1, width: 272, height: 228 };
/** Four buttons of 44 pixels and the room between them; a picture that is still a face. */
export const MIN_SIZE: Size = { width: 216, height: 164 };
export const MAX_SIZE: Size = { width: 640, height: 560 };
/** Let go within this share of the free height, the box goes into the corner. */
const CORNER_SHARE = 0.2;
/** How far a throw carries, in milliseconds of its speed. */
const THROW_MS = 140;

const clamp = (value: number, least: number, most: number): number =>
  Math.max(least, Math.min(value, Math.max(least, most)));

/** No larger than the room there is, which wins over the least size. */
export function fitting({ width, height }: Size, area: Box): Size {
  return {
    width: Math.min(clamp(width, MIN_SIZE.width, MAX_SIZE.width), area.width),
    height: Math.min(clamp(height, MIN_SIZE.height, MAX_SIZE.height), area.height),
  };
}

/** The box of a placement. `size` is the real one where the content decides it. */
export function boxAt({ x, y }: Pick<Placement, 'x' | 'y'>, size: Size, area: Box): Box {
  return {
    left: area.left + clamp(x, 0, 1) * Math.max(0, area.width - size.width),
    top: area.top + clamp(y, 0, 1) * Math.max(0, area.height - size.height),
    ...size,
  };
}

/** The shares at which a box stands; where there is no free room, the old ones stay. */
export function sharesOf(box: Box, area: Box, former: Pick<Placement, 'x' | 'y'>): { x: number; y: number } {
  const share = (at: number, free: number, old: number): number => (free > 0 ? clamp(at / free, 0, 1) : old);
  return {
    x: share(box.left - area.left, area.width - box.width, former.x),
    y: share(box.top - area.top, area.height - box.height, former.y),
  };
}

/** Where a box that is let go comes to rest: at the nearer side, and in a corner where one is near. */
export function snapped(
  { x, y }: Pick<Placement, 'x' | 'y'>,
  speed: { readonly x: number; readonly y: number } = { x: 0, y: 0 },
): { x: number; y: number } {
  const thrown = clamp(y + speed.y * THROW_MS, 0, 1);
  return {
    x: x + speed.x * THROW_MS < 0.5 ? 0 : 1,
    y: thrown < CORNER_SHARE ? 0 : thrown > 1 - CORNER_SHARE ? 1 : thrown,
  };
}

/** The corner that is dragged to resize: the one that looks into the page. */
export interface Corner {
  readonly isLeft: boolean;
  readonly isTop: boolean;
}

export const innerCorner = ({ x, y }: Pick<Placement, 'x' | 'y'>): Corner => ({
  isLeft: x > 0.5,
  isTop: y > 0.5,
});

/** A box whose corner was dragged by a way; the opposite corner stays where it is. */
export function stretched(box: Box, corner: Corner, way: { x: number; y: number }, area: Box): Box {
  const wanted = {
    width: box.width + (corner.isLeft ? -way.x : way.x),
    height: box.height + (corner.isTop ? -way.y : way.y),
  };
  const room = {
    ...area,
    width: corner.isLeft ? box.left + box.width - area.left : area.left + area.width - box.left,
    height: corner.isTop ? box.top + box.height - area.top : area.top + area.height - box.top,
  };
  const size = fitting(wanted, room);
  return {
    left: corner.isLeft ? box.left + box.width - size.width : box.left,
    top: corner.isTop ? box.top + box.height - size.height : box.top,
    ...size,
  };
}

export const overlap = (a: Box, b: Box): boolean =>
  a.left < b.left + b.width &&
  b.left < a.left + a.width &&
  a.top < b.top + b.height &&
  b.top < a.top + a.height;
