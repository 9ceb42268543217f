import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import { type Language, language, onLanguage } from '../i18n/language.ts';

/**
 * Where the page leaves the language for the service worker. web/sw.ts has the same words: sharing a module would make
 * the worker load a second file.
 */
export const SETTINGS_CACHE = 'teleconsult-settings';
export const LANGUAGE_KEY = '/notice-language';
const WORKER = '/sw.js';

export type PushState = 'on' | 'off' | 'denied' | 'unsupported' | 'homeScreen';

const isSupported = (): boolean =>
  'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis;

/** Safari on iPhones and iPads has Web Push only for pages on the home screen. */
const isUnpinnedOnIos = (): boolean => 'standalone' in navigator && navigator.standalone === false;

export async function pushState(): Promise<PushState> {
  if (!isSupported()) return isUnpinnedOnIos() ? 'homeScreen' : 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  const subscription = await registration?.pushManager.getSubscription();
  return subscription == null ? 'off' : 'on';
}

/** Registers the worker and subscribes. Call it inside a click: the browser asks the person. */
export async function switchPushOn(client: TeleconsultClient): Promise<void> {
  await navigator.serviceWorker.register(WORKER);
  await leaveLanguage(language());
  await client.enablePush(await navigator.serviceWorker.ready);
}

export async function switchPushOff(client: TeleconsultClient): Promise<void> {
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  if (registration !== undefined) await client.disablePush(registration);
}

/**
 * What the page does for a worker that is registered: tells it the language, opens the consultation whose notice was
 * pressed, and subscribes again when the browser replaced the subscription. Answers how to stop.
 */
export function followWorker(
  client: TeleconsultClient,
  onOpen: (consultationId: string) => void,
): () => void {
  if (!isSupported()) return () => undefined;
  void leaveLanguage(language());
  const stopLanguage = onLanguage(() => void leaveLanguage(language()));
  const onMessage = (event: MessageEvent<unknown>): void => {
    const { data } = event;
    if (typeof data !== 'object' || data === null || !('type' in data)) return;
    if (data.type === 'open' && 'consultationId' in data && typeof data.consultationId === 'string')
      onOpen(data.consultationId);
    if (data.type === 'subscriptionChanged') void renew(client);
  };
  navigator.serviceWorker.addEventListener('message', onMessage);
  void renew(client);
  return () => {
    stopLanguage();
    navigator.serviceWorker.removeEventListener('message', onMessage);
  };
}

/** Tells the server of the subscription once more: browsers replace it without asking, at times while no page is open. */
async function renew(client: TeleconsultClient): Promise<void> {
  try {
    if (Notification.permission !== 'granted') return;
    const registration = await navigator.serviceWorker.getRegistration(WORKER);
    const wants = registration !== undefined && (await wasReplaced());
    if (!wants) return;
    await client.enablePush(registration);
    const cache = await caches.open(SETTINGS_CACHE);
    await cache.delete(REPLACED_KEY);
  } catch {
    // Asked again when the page is opened the next time.
  }
}

/** Set by the worker when its subscription was replaced. */
export const REPLACED_KEY = '/subscription-replaced';

const wasReplaced = async (): Promise<boolean> => {
  const cache = await caches.open(SETTINGS_CACHE);
  return (await cache.match(REPLACED_KEY)) !== undefined;
};

async function leaveLanguage(chosen: Language): Promise<void> {
  try {
    const cache = await caches.open(SETTINGS_CACHE);
    await cache.put(LANGUAGE_KEY, new Response(chosen));
  } catch {
    // Without a cache the worker takes the browser's language.
  }
}
