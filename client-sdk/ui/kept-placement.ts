import { DEFAULT_PLACEMENT, type Placement } from './placement.ts';

const KEY = 'teleconsult.floating';

/** Where the person put the box last, in this browser. Nothing else is kept, and storage that refuses is no harm. */
export function keptPlacement(): Placement {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null');
    return isPlacement(kept) ? kept : DEFAULT_PLACEMENT;
  } catch {
    return DEFAULT_PLACEMENT;
  }
}

export function keepPlacement({ x, y, width, height }: Placement): void {
  try {
    const round = (value: number): number => Math.round(value * 1000) / 1000;
    const kept = { x: round(x), y: round(y), width: Math.round(width), height: Math.round(height) };
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Private windows and full disks: the box stands at its usual place the next time.
  }
}

function isPlacement(value: unknown): value is Placement {
  if (typeof value !== 'object' || value === null) return false;
  const isNumber = (name: string, most: number): boolean => {
    const held: unknown = name in value ? Reflect.get(value, name) : undefined;
    return typeof held === 'number' && held >= 0 && held <= most;
  };
  return isNumber('x', 1) && isNumber('y', 1) && isNumber('width', 5000) && isNumber('height', 5000);
}
