import { AppError } from '@teleconsult/protocol/errors';
import type { CallOptions } from './api.ts';
import { type Lifetime, throwIfAborted } from './lifetime.ts';
import type { Signalling } from './requests.ts';

export interface PushParts {
  readonly signalling: Signalling;
  readonly life: Lifetime;
}

/** Browsers keep trying for ever where their push service is not reached, as Google's is not everywhere. */
const SUBSCRIBE_MS = 20_000;

/** Subscribes this device at the browser's push service and tells the server (Push API, RFC 8030 and 8292). */
export async function enablePush(
  { signalling, life }: PushParts,
  registration: ServiceWorkerRegistration,
  { signal }: CallOptions = {},
): Promise<void> {
  throwIfAborted(signal);
  requirePush(registration);
  // First of all: browsers ask only while the click that led here still counts.
  await life.within(requirePermission(), signal);
  const { publicKey } = await life.within(signalling.request('push.key', {}, { signal }), signal);
  const subscription = await subscribed({ signalling, life }, registration.pushManager, {
    publicKey,
    signal,
  });
  await life.within(
    signalling.request('push.subscribe', { subscription: asWire(subscription) }, { signal }),
    signal,
  );
}

/** Ends the subscription here and at the server. */
export async function disablePush(
  { signalling, life }: PushParts,
  registration: ServiceWorkerRegistration,
  { signal }: CallOptions = {},
): Promise<void> {
  throwIfAborted(signal);
  requirePush(registration);
  const subscription = await life.within(registration.pushManager.getSubscription(), signal);
  // Here first: from then on nothing arrives, whether or not the server can be reached.
  await life.within(subscription?.unsubscribe() ?? Promise.resolve(false), signal);
  await life.within(signalling.request('push.unsubscribe', {}, { signal }), signal);
}

function requirePush(registration: ServiceWorkerRegistration): void {
  const canPush = 'pushManager' in registration && typeof globalThis.Notification === 'function';
  if (!canPush) throw new AppError('UNSUPPORTED_BROWSER', { detail: 'Web Push' });
}

async function requirePermission(): Promise<void> {
  const permission = await Notification.requestPermission();
  if (permission !== 'granted') throw new AppError('PERMISSION_DENIED', { detail: 'notifications' });
}

/** The present subscription, unless it was made for another key of the server; then a new one in its place. */
async function subscribed(
  { life }: PushParts,
  manager: PushManager,
  { publicKey, signal }: { readonly publicKey: string; readonly signal: AbortSignal | undefined },
): Promise<PushSubscription> {
  const present = await life.within(manager.getSubscription(), signal);
  if (present !== null && keyOf(present) === publicKey) return present;
  await life.within(present?.unsubscribe() ?? Promise.resolve(false), signal);
  const subscribing = manager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
  try {
    return await life.withinTime(subscribing, SUBSCRIBE_MS, signal);
  } catch (cause) {
    // One that comes after all is known to nobody, and would be taken for one that works.
    subscribing.then((late) => late.unsubscribe()).catch(() => {});
    if (cause instanceof AppError && cause.code !== 'TIMEOUT') throw cause;
    const isDenied = cause instanceof Error && cause.name === 'NotAllowedError';
    // Otherwise the browser does not reach its push service.
    throw new AppError(isDenied ? 'PERMISSION_DENIED' : 'DISCONNECTED', { detail: 'Web Push', cause });
  }
}

function keyOf({ options }: PushSubscription): string | null {
  const key = options.applicationServerKey;
  return key === null ? null : base64url(new Uint8Array(key));
}

function asWire(subscription: PushSubscription): {
  endpoint: string;
  expirationTime: number | null;
  keys: { p256dh: string; auth: string };
} {
  const { keys = {} } = subscription.toJSON();
  const { endpoint, expirationTime } = subscription;
  return {
    endpoint,
    expirationTime,
    keys: { p256dh: keys['p256dh'] ?? '', auth: keys['auth'] ?? '' },
  };
}

function base64url(bytes: Uint8Array): string {
  const binary = String.fromCharCode(...bytes);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
