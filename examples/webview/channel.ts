import type { HostChannel } from './bridge.ts';

/** Android, `WebViewCompat.addWebMessageListener(webView, "teleconsultHost", …)`: an object in the page's origin alone. */
interface AndroidHost {
  postMessage(message: string): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<string>) => void): void;
  removeEventListener(type: 'message', listener: (event: MessageEvent<string>) => void): void;
}

declare global {
  interface Window {
    readonly teleconsultHost?: AndroidHost;
    /** iOS, `WKUserContentController.add(_:name:)`. */
    readonly webkit?: {
      readonly messageHandlers?: { readonly teleconsultHost?: { postMessage(message: string): void } };
    };
  }
}

/** The native app around this page; null in a browser. */
export function hostChannel(): HostChannel | null {
  const android = window.teleconsultHost;
  if (android !== undefined)
    return {
      postMessage: (message) => android.postMessage(message),
      onMessage: (listener) => {
        const hear = (event: MessageEvent<string>): void => listener(event.data);
        android.addEventListener('message', hear);
        return () => android.removeEventListener('message', hear);
      },
    };
  const ios = window.webkit?.messageHandlers?.teleconsultHost;
  if (ios === undefined) return null;
  return {
    postMessage: (message) => ios.postMessage(message),
    // The app calls `callAsyncJavaScript("window.dispatchEvent(new CustomEvent('teleconsult-host', { detail }))", …)`.
    onMessage: (listener) => {
      const hear = (event: Event): void => {
        if (event instanceof CustomEvent && typeof event.detail === 'string') listener(event.detail);
      };
      window.addEventListener('teleconsult-host', hear);
      return () => window.removeEventListener('teleconsult-host', hear);
    },
  };
}
