/**
 * Keeps the page as high as what is visible of it. Where an on-screen keyboard covers the page instead of resizing
 * it (Safari on iOS), the composer would lie behind the keyboard.
 */
export function followVisibleHeight(): void {
  const viewport = window.visualViewport;
  if (viewport === null) return;
  const measure = (): void => {
    // A page that is zoomed into keeps its height: only a part of it is looked at.
    if (Math.abs(viewport.scale - 1) > 0.01) return;
    const isCovered = viewport.height < window.innerHeight - 1;
    const { style } = document.documentElement;
    if (isCovered) style.setProperty('--app-height', `${viewport.height}px`);
    else style.removeProperty('--app-height');
    // Safari pans the page to show the field; the page fits now, so it goes back.
    if (isCovered) window.scrollTo(0, 0);
  };
  viewport.addEventListener('resize', measure);
}
