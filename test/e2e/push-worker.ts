import type { PushPayload } from '@teleconsult/protocol';
import type { BrowserContext, CDPSession, Page, Worker } from 'playwright-core';
import { eventually } from '../helpers/eventually.ts';

export interface Shown {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
  readonly requireInteraction: boolean;
  readonly data: unknown;
}

/**
 * The service worker of the pages, as the browser's push service would wake it (Chrome DevTools Protocol,
 * `ServiceWorker.deliverPushMessage`). Beside it stands the landing page, which holds no token.
 */
export class PushWorker implements AsyncDisposable {
  readonly #context: BrowserContext;
  readonly #origin: string;
  readonly #page: Page;
  readonly #session: CDPSession;
  readonly #registrationId: string;

  private constructor(parts: {
    context: BrowserContext;
    origin: string;
    page: Page;
    session: CDPSession;
    registrationId: string;
  }) {
    this.#context = parts.context;
    this.#origin = parts.origin;
    this.#page = parts.page;
    this.#session = parts.session;
    this.#registrationId = parts.registrationId;
  }

  static async find(context: BrowserContext, origin: string): Promise<PushWorker> {
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    const session = await context.newCDPSession(page);
    const versions = new Map<string, string>();
    let registrationId = '';
    session.on('ServiceWorker.workerVersionUpdated', (event) => {
      for (const version of event.versions) {
        versions.set(version.versionId, `${version.status} ${version.runningStatus}`);
        if (version.scriptURL === `${origin}/sw.js`) registrationId = version.registrationId;
      }
    });
    await session.send('ServiceWorker.enable');
    // A push for a worker that is not activated yet is lost.
    await eventually(
      'an activated service worker',
      () => [...versions.values()].includes('activated running'),
      {
        lastSeen: () => [...versions.values()],
      },
    );
    const [worker] = context.serviceWorkers();
    await worker?.evaluate(hangScreen);
    return new PushWorker({ context, origin, page, session, registrationId });
  }

  /** Hands a push over. The protocol drops one now and then without a word, so it goes again until it was heard. */
  async deliver(payload: PushPayload | string): Promise<void> {
    const data = typeof payload === 'string' ? payload : JSON.stringify(payload);
    const worker = this.#worker;
    const before = await worker.evaluate(countPushes);
    await eventually('the worker to hear the push', async () => {
      await this.#session.send('ServiceWorker.deliverPushMessage', {
        origin: this.#origin,
        registrationId: this.#registrationId,
        data,
      });
      return eventually('it', async () => (await worker.evaluate(countPushes)) > before, { withinMs: 2_000 });
    });
  }

  /** The notices that are on the screen. */
  shown(): Promise<readonly Shown[]> {
    return this.#worker.evaluate(() => {
      const { screen } = globalThis as typeof globalThis & { screen: Map<string, Shown> };
      return [...screen.values()].map(({ title, body, tag, requireInteraction, data }) => ({
        title,
        body,
        tag,
        requireInteraction,
        data,
      }));
    });
  }

  async shows(what: string, fits: (shown: readonly Shown[]) => boolean): Promise<readonly Shown[]> {
    let last: readonly Shown[] = [];
    return eventually(
      what,
      async () => {
        last = await this.shown();
        return fits(last) && last;
      },
      { lastSeen: () => last },
    );
  }

  /**
   * Presses a notice. A browser without a screen has nothing to press, and lets workers open and focus windows only
   * after a real press: what the worker asks for is noted instead. Answers the windows that it wanted opened.
   */
  async press(tag: string): Promise<readonly string[]> {
    return this.#worker.evaluate(pressNotice, tag);
  }

  get #worker(): Worker {
    const [worker] = this.#context.serviceWorkers();
    if (worker === undefined) throw new Error('the service worker does not run');
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#page.close();
  }
}

/**
 * Runs in the service worker: hangs a screen before it. What is shown is shown by the browser as well, which refuses
 * what it does not understand; but Chromium without a screen loses some of it while nobody looks.
 */
function hangScreen(): void {
  const registration = Reflect.get(globalThis, 'registration') as ServiceWorkerRegistration;
  const screen = new Map<string, Shown & { close(): void }>();
  const show = registration.showNotification.bind(registration);
  Object.assign(globalThis, { screen });
  Object.assign(registration, {
    showNotification: async (title: string, options: NotificationOptions = {}) => {
      await show(title, options);
      const { tag = '', body = '', requireInteraction = false, data } = options;
      screen.set(tag, { title, body, tag, requireInteraction, data, close: () => void screen.delete(tag) });
    },
    getNotifications: async ({ tag }: { tag?: string } = {}) =>
      [...screen.values()].filter((shown) => tag === undefined || shown.tag === tag),
  });
}

/** Runs in the service worker: how many pushes it heard since this was asked first. */
function countPushes(): number {
  const scope = globalThis as typeof globalThis & { heardPushes?: number };
  if (scope.heardPushes === undefined) {
    scope.heardPushes = 0;
    addEventListener('push', () => {
      scope.heardPushes = (scope.heardPushes ?? 0) + 1;
    });
  }
  return scope.heardPushes;
}

/** Runs in the service worker. */
async function pressNotice(tag: string): Promise<string[]> {
  const registration = Reflect.get(globalThis, 'registration') as ServiceWorkerRegistration;
  const clients = Reflect.get(globalThis, 'clients') as object;
  const { prototype } = Reflect.get(globalThis, 'WindowClient') as { prototype: object };
  const opened: string[] = [];
  const openWindow = async (url: string): Promise<null> => {
    opened.push(url);
    return null;
  };
  Object.assign(clients, { openWindow });
  Object.assign(prototype, {
    async focus(this: unknown) {
      return this;
    },
  });
  const [notification] = await registration.getNotifications({ tag });
  if (notification === undefined) throw new Error(`no notice ${tag}`);
  const works: Promise<unknown>[] = [];
  const waitUntil = (work: Promise<unknown>): void => void works.push(work);
  dispatchEvent(Object.assign(new Event('notificationclick'), { notification, waitUntil }));
  await Promise.all(works);
  return opened;
}
