import type { PushPayload } from '@teleconsult/protocol/push';
import { LANGUAGE_KEY, REPLACED_KEY, SETTINGS_CACHE } from './worker/names.ts';
import { callTag, noticeLanguage, noticeOf } from './worker/notices.ts';
import { parsePush } from './worker/push-payload.ts';
import { isWorkerScope, type OpenPage, type PushEvent } from './worker/scope.ts';

/**
 * The service worker: shows pushed news while no page is looked at, and leads back to the page. It caches nothing of
 * the application and answers no request.
 */
const scope: unknown = globalThis;
if (!isWorkerScope(scope)) throw new Error('this file runs as a service worker only');
const worker = scope;

worker.addEventListener('install', (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener('push', (event) => event.waitUntil(inOrder(() => tell(event))));

worker.addEventListener('notificationclick', (event) => {
  const { notification } = event;
  notification.close();
  const data: unknown = notification.data;
  const consultationId =
    typeof data === 'object' &&
    data !== null &&
    'consultationId' in data &&
    typeof data.consultationId === 'string'
      ? data.consultationId
      : null;
  event.waitUntil(open(consultationId));
});

/** Only a page holds a token, so it tells the server: an open one now, otherwise the next one that is opened. */
worker.addEventListener('pushsubscriptionchange', (event) => event.waitUntil(noteReplaced()));

/** Pushes are shown one after the other, so that the end of a ring cannot overtake the ring. */
let shown: Promise<void> = Promise.resolve();
function inOrder(show: () => Promise<void>): Promise<void> {
  const done = shown.then(show);
  shown = done.catch(() => {});
  return done;
}

async function tell(event: PushEvent): Promise<void> {
  const payload = read(event);
  const notice = noticeOf(payload, await language(), Date.now());
  const isOfCall = payload?.kind === 'call.ringing' || payload?.kind === 'call.over';
  // Whoever looks at a page sees it there. A ring and its end are shown all the same: that tab may lie behind others.
  if (!isOfCall && (await pages()).some(({ visibilityState }) => visibilityState === 'visible')) return;
  await worker.registration.showNotification(notice.title, notice.options);
  if (payload?.kind === 'call.over' && !payload.missed) await takeAway(callTag(payload.callId), notice.title);
}

/** Browsers want every push to show something; what says nothing is shown and taken away, and only that. */
async function takeAway(tag: string, title: string): Promise<void> {
  for (const notice of await worker.registration.getNotifications({ tag }))
    if (notice.title === title) notice.close();
}

function read(event: PushEvent): PushPayload | null {
  try {
    return parsePush(event.data?.json());
  } catch {
    return null;
  }
}

async function language(): Promise<'en' | 'zh-CN'> {
  try {
    const cache = await caches.open(SETTINGS_CACHE);
    const chosen = await (await cache.match(LANGUAGE_KEY))?.text();
    return noticeLanguage(chosen ?? navigator.language);
  } catch {
    return noticeLanguage(navigator.language);
  }
}

/** Pages that hold a token: the two of a visit. */
async function pages(): Promise<readonly OpenPage[]> {
  const all = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  return all.filter(({ url }) => /^\/(?:dev\/)?(?:patient|doctor)(?:\.html)?$/.test(new URL(url).pathname));
}

/** Without an open page there is no token: the landing page says how to sign in. */
async function open(consultationId: string | null): Promise<void> {
  const [page] = await pages();
  if (page === undefined) {
    await worker.clients.openWindow('/#signin');
    return;
  }
  const focused = await page.focus();
  if (consultationId !== null) focused.postMessage({ type: 'open', consultationId });
}

async function noteReplaced(): Promise<void> {
  const cache = await caches.open(SETTINGS_CACHE);
  await cache.put(REPLACED_KEY, new Response('yes'));
  for (const page of await pages()) page.postMessage({ type: 'subscriptionChanged' });
}
