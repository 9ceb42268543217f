import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Call } from '@teleconsult/client-sdk/api';
import type { BrowserContext, Page } from 'playwright-core';
import { eventually } from '../../helpers/eventually.ts';
import { DESK, FLAGS, PHONE } from '../browser.ts';
import { launchProfile } from '../profile.ts';
import type { OwnNetwork } from './own-network.ts';
import { type Arrival, type Drawn, keepRecord, type Told } from './page-record.ts';

/** What a person wants to send. */
export interface Wishes {
  readonly microphone: boolean;
  readonly camera: boolean;
}

/** What a page says of its call now. */
export interface CallNow {
  readonly callId: string;
  readonly state: string;
  readonly path: string;
  readonly wishes: Wishes;
  readonly sends: Wishes;
  readonly awaiting: readonly string[];
  /** Video was given up for the sake of sound. */
  readonly audioOnly: boolean;
  readonly outcome: string | null;
  readonly seats: Told['seats'];
}

interface CallerOptions {
  readonly role: 'patient' | 'doctor';
  readonly personId: string;
  /** The profile, and what else lies around. */
  readonly folder: string;
  readonly origin: string;
  readonly link: string;
  readonly network: OwnNetwork | null;
}

/** One person with a browser process of their own, whose profile outlives it. */
export class Caller implements AsyncDisposable {
  readonly personId: string;
  readonly network: OwnNetwork | null;
  readonly #options: CallerOptions;
  #open: { readonly context: BrowserContext; readonly page: Page } | null = null;

  constructor(options: CallerOptions) {
    this.#options = options;
    this.personId = options.personId;
    this.network = options.network;
    const namespace = options.network === null ? '' : `ip netns exec ${options.network.namespace} `;
    const program = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
    writeFileSync(
      this.#program,
      `#!/bin/sh\necho $$ > '${this.#pidFile}'\nexec ${namespace}'${program}' "$@"\n`,
    );
    chmodSync(this.#program, 0o755);
  }

  get page(): Page {
    if (this.#open === null) throw new Error(`${this.personId} has no browser open`);
    return this.#open.page;
  }

  byId(testId: string) {
    return this.page.locator(`[data-testid="${testId}"]`);
  }

  /** Starts the browser with the profile of before, and opens the link. Answers when the process was started. */
  async start(): Promise<number> {
    const { folder, origin, role, link } = this.#options;
    const startedAt = Date.now();
    const context = await launchProfile(join(folder, 'profile'), {
      executablePath: this.#program,
      args: [...FLAGS, `--unsafely-treat-insecure-origin-as-secure=${origin}`],
      ...(role === 'patient' ? PHONE : DESK),
    });
    await context.grantPermissions(['microphone', 'camera'], { origin });
    await context.addInitScript(keepRecord);
    const page = context.pages()[0] ?? (await context.newPage());
    this.#open = { context, page };
    await page.goto(link);
    return startedAt;
  }

  /**
   * Waits until the browser has written down which device this is. Chromium writes `localStorage` five seconds after its first
   * change: who is killed before that is another device afterwards, and has a call to take over and none to go on with.
   */
  async isKnownToDisk(): Promise<void> {
    const deviceId = await this.page.evaluate(() => localStorage.getItem('teleconsult.deviceId') ?? '?');
    const folder = join(this.#options.folder, 'profile', 'Default', 'Local Storage', 'leveldb');
    await eventually(
      'the device id to be on disk',
      () => readdirSync(folder).some((name) => readFileSync(join(folder, name)).includes(deviceId)),
      { withinMs: 30_000 },
    );
  }

  /** The browser ends in the middle of everything, as when the power goes or the system wants its memory. */
  async killBrowser(): Promise<void> {
    const { context } = this.#opened();
    const closed = new Promise((resolve) => context.once('close', resolve));
    process.kill(this.#pid(), 'SIGKILL');
    await closed;
    await context.close();
    this.#open = null;
  }

  /** The page's process ends; the tab shows that it crashed. */
  async crashTab(): Promise<void> {
    const { context, page } = this.#opened();
    const crashed = page.waitForEvent('crash');
    const devtools = await context.newCDPSession(page);
    // Nobody is left to answer.
    devtools.send('Page.crash').catch(() => undefined);
    await crashed;
  }

  /** A new tab in place of the old one. Answers when it began to load. */
  async openTab(): Promise<number> {
    const { context, page: old } = this.#opened();
    const page = await context.newPage();
    this.#open = { context, page };
    await old.close();
    await page.goto(this.#options.link);
    return this.#pageStart();
  }

  async reload(): Promise<number> {
    await this.page.reload();
    return this.#pageStart();
  }

  /** What was told since a moment. */
  told(since: number): Promise<Told[]> {
    return this.page.evaluate((from) => window.pageRecord?.told.filter(({ at }) => at >= from) ?? [], since);
  }

  drawn(since: number): Promise<Drawn[]> {
    return this.page.evaluate((from) => window.pageRecord?.drawn.filter(({ at }) => at >= from) ?? [], since);
  }

  arrivals(since: number): Promise<Arrival[]> {
    return this.page.evaluate(
      (from) => window.pageRecord?.arrivals.filter(({ at }) => at >= from) ?? [],
      since,
    );
  }

  callNow(): Promise<CallNow | null> {
    return this.page.evaluate(() => {
      const call = window.pageRecord?.call();
      if (call == null) return null;
      const { id, view, path, microphoneOn, cameraOn, localTracks, outcome, awaiting, audioOnly } = call;
      return {
        callId: id,
        state: view.state,
        path,
        wishes: { microphone: microphoneOn, camera: cameraOn },
        sends: { microphone: localTracks.microphone !== null, camera: localTracks.camera !== null },
        awaiting: [...awaiting],
        audioOnly: audioOnly.on,
        outcome,
        seats: view.seats.map(({ personId, state, microphoneOn: sound, cameraOn: picture, leftReason }) => ({
          personId,
          state,
          microphoneOn: sound,
          cameraOn: picture,
          leftReason,
        })),
      };
    });
  }

  async want({ microphone, camera }: Wishes): Promise<void> {
    await this.page.evaluate(
      async ([sound, picture]) => {
        const call: Call | null | undefined = window.pageRecord?.call();
        if (call == null) throw new Error('the page has no call');
        if (call.microphoneOn !== sound) await call.setMicrophone(sound);
        if (call.cameraOn !== picture) await call.setCamera(picture);
      },
      [microphone, camera] as const,
    );
  }

  /** Waits until this page's server answers a question of its client, and so until its connection works. */
  async isHeard(): Promise<void> {
    await eventually(
      `${this.personId} to be heard by the server`,
      () =>
        this.page.evaluate(async () => {
          await window.pageRecord?.client()?.preferences();
          return true;
        }),
      { withinMs: 30_000 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open?.context.close();
    this.#open = null;
  }

  get #program(): string {
    return join(this.#options.folder, 'chromium.sh');
  }

  get #pidFile(): string {
    return join(this.#options.folder, 'pid');
  }

  #opened() {
    if (this.#open === null) throw new Error(`${this.personId} has no browser open`);
    return this.#open;
  }

  /** The wrapper becomes the browser itself, so its process id is the browser's. */
  #pid(): number {
    const pid = Number(readFileSync(this.#pidFile, 'utf8'));
    const { status } = spawnSync('kill', ['-0', String(pid)]);
    if (status !== 0) throw new Error(`${this.personId} has no browser process ${pid}`);
    return pid;
  }

  #pageStart(): Promise<number> {
    return this.page.evaluate(() => performance.timeOrigin);
  }
}
