/** Two real browsers' pages in a call through the real server: one sends its camera, one shows it. */
import { fileURLToPath } from 'node:url';
import type { SeatViewMode } from '@teleconsult/protocol';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findChromium } from '../../../scripts/setup/chromium.mjs';
import { eventually } from '../../helpers/eventually.ts';
import { pageScript } from '../../helpers/page-script.ts';
import { freePort, type ServerProcess, startServerProcess } from '../../helpers/server-process.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import type { Received, SentLayer, StagePage, Tile } from './call-stage.page.ts';

export type { Received, SentLayer, Tile };

export const browserMissing = findChromium() === undefined ? 'Chromium is not installed' : null;

/** The long edges of the SDK's simulcast layers of a 720p camera (client-sdk/video-layers.ts). */
export const SMALLEST_WIDTH = 320;
export const LARGEST_WIDTH = 1280;

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];
/** Where the stage's page is said to lie: of the server's own origin. */
const PAGE = '/stage';

export interface StageSide {
  readonly browser: Browser;
  readonly page: Page;
  received(): Promise<Received>;
  sent(): Promise<readonly SentLayer[]>;
}

export interface CallStage extends AsyncDisposable {
  readonly server: ServerProcess;
  /** The patient, whose camera and microphone are on. */
  readonly sender: StageSide;
  /** The doctor's tile; their camera is off. */
  readonly receiver: StageSide;
  /** How the receiver shows the sender from now on. */
  show(view: SeatViewMode, tile: Tile | null): Promise<void>;
  /** As a call that is sound alone by choice: through `setAudioOnly`, which also says the view. */
  setAudioOnly(on: boolean): Promise<void>;
  keepLayers(count: number): Promise<void>;
}

export interface CallStageOptions {
  /** A browser each, so that the processor time of one can be told from the other's. */
  readonly apart?: boolean;
  /** How many frames a second the sender's camera makes. */
  readonly cameraFps?: number;
}

/** Resolves when the receiver hears the sender. Of pictures nothing is promised yet. */
export async function openCallStage({
  apart = false,
  cameraFps = 20,
}: CallStageOptions = {}): Promise<CallStage> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const server = stack.use(
    await startServerProcess({
      dataDir: dir.path,
      port: await freePort(),
      env: { TELECONSULT_MEDIA: 'mediasoup' },
    }),
  );
  const script = await pageScript(fileURLToPath(new URL('call-stage.page.ts', import.meta.url)));
  const launch = async (): Promise<Browser> => {
    const camera = `--use-fake-device-for-media-stream=fps=${cameraFps}`;
    const browser = await chromium.launch({
      executablePath: findChromium() ?? '',
      args: [...FLAGS, camera],
    });
    stack.defer(() => browser.close());
    return browser;
  };
  const first = await launch();
  const browsers = { sender: first, receiver: apart ? await launch() : first };
  const view = await createConsultation(server.origin, hostToken(), 'stage');
  const people = peopleOf(view);
  const open = async (browser: Browser, person: string, role: 'patient' | 'doctor'): Promise<StageSide> => {
    const context = await browser.newContext({ viewport: { width: 1_300, height: 760 } });
    const page = await context.newPage();
    await page.addInitScript(rememberConnections);
    await page.route(`${server.origin}${PAGE}`, (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><body style="margin:0">' }),
    );
    await page.goto(`${server.origin}${PAGE}`);
    await page.addScriptTag({ content: script });
    await page.evaluate((options) => window.stage.join(options), {
      url: server.origin,
      token: personToken(person),
      id: view.consultationId,
      role,
    });
    return {
      browser,
      page,
      received: () => page.evaluate(() => window.stage.received()),
      sent: () => page.evaluate(() => window.stage.sent()),
    };
  };
  const sender = await open(browsers.sender, people.patient, 'patient');
  const receiver = await open(browsers.receiver, people.doctor, 'doctor');
  await Promise.all([call(sender.page, 'call'), call(receiver.page, 'answer')]);
  await eventually('the sender to be heard', async () => (await receiver.received()).soundMs > 200, {
    withinMs: 20_000,
    lastSeen: () => server.output(),
  });
  const owned = stack.move();
  return {
    server,
    sender,
    receiver,
    show: (mode, tile) =>
      receiver.page.evaluate(([wanted, size]) => window.stage.show(wanted, size), [mode, tile] as const),
    setAudioOnly: (on) => receiver.page.evaluate((wanted) => window.stage.setAudioOnly(wanted), on),
    keepLayers: (count) => sender.page.evaluate((wanted) => window.stage.keepLayers(wanted), count),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const call = (page: Page, act: keyof Pick<StagePage, 'call' | 'answer'>): Promise<void> =>
  page.evaluate((name) => window.stage[name](), act);

/** Runs in the page before anything else. */
function rememberConnections(): void {
  window.stageConnections = [];
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      window.stageConnections.push(this);
    }
  };
}
