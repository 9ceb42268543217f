/** What `addEventListener` offers, on `window`, `document` and `navigator.connection`. */
type Target = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;

/**
 * What the browser says of the network:
 * - `back`: something may work again that did not (also: the page is seen again; phones freeze hidden pages and cut their
 *   connections);
 * - `changed`: it is another one now, and what went over the former is gone (RFC 8445 §9);
 * - `gone`: there is none. Browsers err in that, so it is a question and no answer.
 */
export type NetworkNews = 'back' | 'changed' | 'gone';

/** Calls back with every piece of news. Does nothing where there is no browser. Returns how to stop. */
export function watchNetwork(onNews: (news: NetworkNews) => void): () => void {
  const { window, document, navigator } = globalThis;
  const stops: (() => void)[] = [];
  const listen = (target: Target | undefined, event: string, listener: () => void) => {
    if (typeof target?.addEventListener !== 'function') return;
    target.addEventListener(event, listener);
    stops.push(() => target.removeEventListener(event, listener));
  };

  let wasOffline = saysOffline();
  listen(window, 'offline', () => {
    wasOffline = true;
    onNews('gone');
  });
  listen(window, 'online', () => {
    onNews(wasOffline ? 'changed' : 'back');
    wasOffline = false;
  });
  listen(window, 'pageshow', () => onNews('back'));
  listen(document, 'visibilitychange', () => {
    if (document.visibilityState === 'visible') onNews('back');
  });
  const information = networkInformation(navigator);
  let kind = kindOf(information);
  listen(information, 'change', () => {
    const before = kind;
    kind = kindOf(information);
    // It is told as well when only an estimate of the speed has changed.
    if (kind === before) onNews('back');
    else onNews(kind === 'none' ? 'gone' : 'changed');
  });

  return () => {
    for (const stop of stops.splice(0)) stop();
  };
}

/** The browser believes that there is no network. It may be wrong. */
export function saysOffline(): boolean {
  return globalThis.navigator?.onLine === false;
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

/** Such as `wifi` or `cellular`; undefined where the browser does not tell, as on computers. */
function kindOf(information: Target | undefined): unknown {
  return information !== undefined && 'type' in information ? information.type : undefined;
}
