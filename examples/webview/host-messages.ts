/** What a native app and the page in its WebView tell each other, as JSON. No names, no ids of people, no content. */
import type { Call, ConnectionState } from '@teleconsult/client-sdk';

/** What the native app knows and a page in a WebView does not. */
export type FromHost =
  /** A phone call took the microphone, or gave it back. */
  | { readonly type: 'interrupted'; readonly on: boolean }
  /** The app is large, in a picture-in-picture window, or out of sight. */
  | { readonly type: 'view'; readonly view: 'full' | 'floating' | 'background' }
  /** The network is back, or another one. */
  | { readonly type: 'network' }
  /** Buttons of a notification. */
  | { readonly type: 'microphone'; readonly on: boolean }
  | { readonly type: 'hangUp' };

/** What the native app needs to know, to keep the process alive and the sound in order. */
export type ToHost =
  | { readonly type: 'call'; readonly state: 'none' | 'voice' | 'video'; readonly microphoneOn: boolean }
  | { readonly type: 'connection'; readonly state: ConnectionState }
  | { readonly type: 'path'; readonly state: Call['path'] }
  /** The person has to tap: bring the app to the front. */
  | { readonly type: 'awaiting'; readonly on: boolean };

/** Null for whatever is not one of the messages above. */
export function parseFromHost(text: string): FromHost | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { type, on, view } = value as Partial<Record<'type' | 'on' | 'view', unknown>>;
  switch (type) {
    case 'interrupted':
    case 'microphone':
      return typeof on === 'boolean' ? { type, on } : null;
    case 'view':
      return view === 'full' || view === 'floating' || view === 'background' ? { type, view } : null;
    case 'network':
    case 'hangUp':
      return { type };
    default:
      return null;
  }
}
