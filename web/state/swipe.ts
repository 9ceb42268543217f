/** This far to the side is a swipe, in CSS pixels. */
const ENOUGH_PX = 56;
/** Beyond it the row does not follow the finger. */
const MOST_PX = 72;
/** A finger that goes up or down scrolls, however slanted its way is. */
const SLANT = 1.4;

interface SwipeOptions {
  readonly element: HTMLElement;
  readonly onSwipe: () => void;
}

/** A swipe towards the end of the line on a touch screen. The element follows the finger and falls back. */
export function followSwipe({ element, onSwipe }: SwipeOptions): (event: PointerEvent) => void {
  let from: { x: number; y: number; id: number } | null = null;
  let moved = 0;
  const settle = (): void => {
    from = null;
    moved = 0;
    element.style.transform = '';
    element.removeEventListener('pointermove', onMove);
    element.removeEventListener('pointerup', onUp);
    element.removeEventListener('pointercancel', settle);
  };
  const onMove = (event: PointerEvent): void => {
    if (from === null || event.pointerId !== from.id) return;
    const [x, y] = [event.clientX - from.x, event.clientY - from.y];
    if (x <= 0 || Math.abs(y) * SLANT > x) moved = 0;
    else moved = Math.min(MOST_PX, x);
    element.style.transform = moved > 8 ? `translateX(${moved}px)` : '';
  };
  const onUp = (): void => {
    const isFar = moved >= ENOUGH_PX;
    settle();
    if (isFar) onSwipe();
  };
  return (event) => {
    if (event.pointerType !== 'touch' || from !== null) return;
    from = { x: event.clientX, y: event.clientY, id: event.pointerId };
    element.addEventListener('pointermove', onMove);
    element.addEventListener('pointerup', onUp);
    element.addEventListener('pointercancel', settle);
  };
}
