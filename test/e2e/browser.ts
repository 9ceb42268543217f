import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { eventually } from '../helpers/eventually.ts';

const ARTEFACTS = new URL('../../test-artifacts/', import.meta.url).pathname;

/** A camera that shows a moving picture and a microphone that beeps; every permission is granted. */
export const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];

export async function launchBrowser(): Promise<Browser & AsyncDisposable> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    headless: true,
    args: FLAGS,
  });
}

/** One person's browser: a profile of their own, with a look at the media that really arrives. */
export class Person implements AsyncDisposable {
  readonly page: Page;
  readonly errors: string[] = [];
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
  }

  static async open(
    browser: Browser,
    url: string,
    options: { viewport: { width: number; height: number }; locale?: string; colorScheme?: 'light' | 'dark' },
  ): Promise<Person> {
    const context = await browser.newContext({
      locale: 'en-US',
      permissions: ['microphone', 'camera'],
      ...options,
    });
    const page = await context.newPage();
    await page.addInitScript(rememberConnections);
    const person = new Person(context, page);
    await page.goto(url);
    return person;
  }

  /** A page in a profile that lasts: closed and opened again it finds what it left behind. */
  static async inProfile(context: BrowserContext, url: string): Promise<Person> {
    const page = await context.newPage();
    const person = new Person(context, page);
    await page.goto(url);
    return person;
  }

  byId(testId: string) {
    return this.page.locator(`[data-testid="${testId}"]`);
  }

  /** Sums over all connections of this page: decoded video frames and the energy of the sound received. */
  media(): Promise<{ framesDecoded: number; audioEnergy: number }> {
    return this.page.evaluate(receivedMedia);
  }

  /** Waits until new frames are decoded and new sound arrives, from now on. */
  async seesAndHears(): Promise<{ framesDecoded: number; audioEnergy: number }> {
    const before = await this.media();
    return eventually(
      'frames decoded and sound received',
      async () => {
        const now = await this.media();
        return now.framesDecoded > before.framesDecoded && now.audioEnergy > before.audioEnergy && now;
      },
      { withinMs: 20_000 },
    );
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(ARTEFACTS, { recursive: true });
    await this.page.screenshot({ path: join(ARTEFACTS, `${name}.png`) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}

/** Runs in the page before anything else. */
function rememberConnections(): void {
  const Native = window.RTCPeerConnection;
  const connections: RTCPeerConnection[] = [];
  Object.assign(window, { teleconsultConnections: connections });
  window.RTCPeerConnection = class extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      connections.push(this);
    }
  };
}

/** Runs in the page. */
async function receivedMedia(): Promise<{ framesDecoded: number; audioEnergy: number }> {
  const { teleconsultConnections } = window as typeof window & {
    teleconsultConnections: RTCPeerConnection[];
  };
  const sum = { framesDecoded: 0, audioEnergy: 0 };
  for (const connection of teleconsultConnections)
    for (const report of (await connection.getStats()).values()) {
      if (report.type !== 'inbound-rtp') continue;
      sum.framesDecoded += Number(report.framesDecoded ?? 0);
      sum.audioEnergy += Number(report.totalAudioEnergy ?? 0);
    }
  return sum;
}

export const PHONE = { viewport: { width: 390, height: 844 } };
export const DESK = { viewport: { width: 1280, height: 800 } };
