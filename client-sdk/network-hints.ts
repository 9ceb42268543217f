/** What `addEventListener` offers, on `window`, `document` and `navigator.connection`. */
type Target = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;

/**
 * Calls back when the browser says that the network came back or changed, or that the page is seen again (phones
 * freeze hidden pages and cut their connections). Does nothing where there is no browser. Returns how to stop.
 */
export function watchNetwork(onHint: () => void): () => void {
  const { window, document, navigator } = globalThis;
  const stops: (() => void)[] = [];
  const listen = (target: Target | undefined, event: string, listener: () => void) => {
    if (typeof target?.addEventListener !== 'function') return;
    target.addEventListener(event, listener);
    stops.push(() => target.removeEventListener(event, listener));
  };

  listen(window, 'online', onHint);
  listen(window, 'pageshow', onHint);
  listen(document, 'visibilitychange', () => {
    if (document.visibilityState === 'visible') onHint();
  });
  listen(networkInformation(navigator), 'change', onHint);

  return () => {
    for (const stop of stops.splice(0)) stop();
  };
}

/**
 * Calls back when the page may be gone in a moment: phones tell only that it is hidden. Does nothing where there is no
 * browser. Returns how to stop.
 */
export function watchLeaving(onLeaving: () => void): () => void {
  const { window, document } = globalThis;
  if (typeof window?.addEventListener !== 'function') return () => {};
  const onVisibility = () => {
    if (document.visibilityState === 'hidden') onLeaving();
  };
  window.addEventListener('pagehide', onLeaving);
  document?.addEventListener('visibilitychange', onVisibility);
  return () => {
    window.removeEventListener('pagehide', onLeaving);
    document?.removeEventListener('visibilitychange', onVisibility);
  };
}

/** Network Information API: Chromium only, and not in TypeScript's DOM library. */
function networkInformation(navigator: Navigator | undefined): Target | undefined {
  if (navigator === undefined || !('connection' in navigator)) return undefined;
  const { connection } = navigator;
  return connection instanceof EventTarget ? connection : undefined;
}
