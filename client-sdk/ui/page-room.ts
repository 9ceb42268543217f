import type { Box } from './placement.ts';

/** What stays free between the box and the edges. */
const MARGIN_PX = 12;

/**
 * The room in which the box may stand: what of the page can be seen, without the keyboard of a phone, its notch and a
 * margin. A page that is magnified keeps its room, and the box is found by panning like everything else.
 */
export function pageRoom(box: HTMLElement): Box {
  const view = window.visualViewport;
  const seen =
    view === null || view.scale > 1.01
      ? { left: 0, top: 0, width: document.documentElement.clientWidth, height: window.innerHeight }
      : { left: view.offsetLeft, top: view.offsetTop, width: view.width, height: view.height };
  // The insets of the screen reach a script only through a property that CSS computes.
  const { scrollPaddingTop, scrollPaddingRight, scrollPaddingBottom, scrollPaddingLeft } =
    getComputedStyle(box);
  const inset = (text: string): number => MARGIN_PX + (Number.parseFloat(text) || 0);
  const [top, left] = [inset(scrollPaddingTop), inset(scrollPaddingLeft)];
  return {
    left: seen.left + left,
    top: seen.top + top,
    width: Math.max(0, seen.width - left - inset(scrollPaddingRight)),
    height: Math.max(0, seen.height - top - inset(scrollPaddingBottom)),
  };
}

/** Calls when the room may have changed; the result stops it. */
export function onRoomChange(listener: () => void): () => void {
  const view = window.visualViewport;
  window.addEventListener('resize', listener);
  view?.addEventListener('resize', listener);
  view?.addEventListener('scroll', listener);
  return () => {
    window.removeEventListener('resize', listener);
    view?.removeEventListener('resize', listener);
    view?.removeEventListener('scroll', listener);
  };
}
