import { existsSync } from 'node:fs';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../e2e/browser.ts';
import { eventually } from '../helpers/eventually.ts';
import { type BuiltPages, buildPages, servePages } from './pages.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const DESK = { viewport: { width: 1280, height: 800 } };

const VARIANTS = [
  { ...PHONE, locale: 'zh-CN', colorScheme: 'dark' },
  { ...DESK, locale: 'en-GB', colorScheme: 'light' },
  { ...PHONE, locale: 'en-US', colorScheme: 'light' },
  { ...DESK, locale: 'zh-CN', colorScheme: 'dark' },
] as const;

/** As web/dev/scenes-call.ts has them, each with the page on which it can be. */
const SCENES: readonly (readonly [page: string, scene: string])[] = [
  ...['call-group', 'call-screen', 'call-leave', 'call-people', 'call-waiting', 'call-several'].map(
    (scene) => ['doctor', scene] as const,
  ),
  ...['call-group', 'call-sharing', 'call-audio-only', 'call-muted-by', 'call-hint', 'call-quality'].map(
    (scene) => ['patient', scene] as const,
  ),
  ...['call-more', 'call-devices', 'call-answered-elsewhere', 'call-declined-elsewhere'].map(
    (scene) => ['patient', scene] as const,
  ),
  ...['check-works', 'check-denied', 'check-asking', 'check-tone', 'check-measuring', 'check-poor'].map(
    (scene) => ['patient', scene] as const,
  ),
];

/** How many scenes are looked at at the same time: most of the time goes into waiting for animations. */
const AT_ONCE = 3;

let pages: BuiltPages;
let server: Awaited<ReturnType<typeof servePages>>;
let browser: Browser;

beforeAll(async () => {
  if (!existsSync(CHROMIUM)) return;
  pages = await buildPages('scenes');
  server = await servePages(pages.folder);
  browser = await launchBrowser();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
  await pages?.[Symbol.asyncDispose]();
});

async function open(
  page: string,
  scene: string,
  options: Parameters<Browser['newContext']>[0] = DESK,
): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  const tab = await context.newPage();
  await tab.goto(`${server.origin}/dev/${page}.html?scene=${scene}`);
  await tab.locator('html[data-scene="shown"]').waitFor({ state: 'attached' });
  return tab;
}

async function look(
  page: string,
  scene: string,
  options: Parameters<Browser['newContext']>[0],
): Promise<string[]> {
  const said: string[] = [];
  const context = await browser.newContext(options);
  const tab = await context.newPage();
  tab.on('console', (message) => message.type() === 'error' && said.push(message.text()));
  tab.on('pageerror', (error) => said.push(error.message));
  await tab.goto(`${server.origin}/dev/${page}.html?scene=${scene}`);
  await tab.locator('html[data-scene="shown"]').waitFor({ state: 'attached' });
  // The pages have no frames: all is found in the page itself, without another one for the report.
  const { violations } = await new AxeBuilder({ page: tab }).setLegacyMode().analyze();
  const found = violations.map(({ id, nodes }) => `${id} at ${nodes[0]?.target.join(' ')}`);
  const isWide = await tab.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  await context.close();
  return [...found, ...said, ...(isWide ? ['the page scrolls sideways'] : [])];
}

/** The mock call of the shown visit, as web/dev/mock-call.ts has it. */
const ofCall = <T>(tab: Page, read: string): Promise<T> =>
  tab.evaluate(
    `(() => { const { client, visit } = globalThis.mock; const { call } = visit; return ${read}; })()`,
  );

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB50] axe finds nothing in any state of a call or of the check before it, on phone and desktop, in both languages',
  async () => {
    const findings: Record<string, string[]> = {};
    const waiting = [...SCENES.entries()];
    const lookOn = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, [page, scene]] = next;
        const found = await look(page, scene, VARIANTS[index % VARIANTS.length] ?? {});
        if (found.length > 0) findings[`${page} ${scene}`] = found;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lookOn));
    expect(findings).toEqual({});
  },
  280_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB51] four people in a call have a tile each with name, state and connection, and the speaker is marked and large on a phone',
  async () => {
    const tab = await open('doctor', 'call-group', PHONE);
    const tiles = tab.getByTestId('call-tile');
    expect(await tiles.count()).toBe(4);
    const speaker = tab.locator('[data-testid="call-tile"][data-speaking="1"]');
    expect(await speaker.getAttribute('data-person')).toBe('relative-1');
    await tab.getByRole('group', { name: 'Karin Lindqvist, Relative, speaking, good connection' }).waitFor();
    await tab
      .getByRole('group', {
        name: 'Samir Haddad, Interpreter, In a phone call, muted, camera off, weak connection',
      })
      .waitFor();
    const boxes = await tiles.evaluateAll((all) =>
      all.map((tile) => ({ person: tile.dataset['person'], width: tile.getBoundingClientRect().width })),
    );
    const largest = boxes.sort((a, b) => b.width - a.width)[0];
    expect(largest?.person).toBe('relative-1');
    expect(largest?.width).toBeGreaterThan(300);

    // Somebody else speaks, and then nobody does: who spoke last stays large.
    await ofCall(tab, 'call.speaks("patient-1")');
    await ofCall(tab, 'call.speaks(null)');
    await eventually('the new speaker to be large', async () => {
      const box = await tab.locator('[data-testid="call-tile"][data-person="patient-1"]').boundingBox();
      return (box?.width ?? 0) > 300;
    });
    await tab.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB52] every remote video tells its size, and nothing while its tile is hidden',
  async () => {
    const tab = await open('doctor', 'call-group', PHONE);
    const sizes = () =>
      ofCall<[string, { width: number } | null][]>(tab, '[...call.viewports.entries()]').then(
        (all) => new Map(all),
      );
    await eventually('sizes to be told', async () => {
      const told = await sizes();
      return (
        (told.get('camera relative-1')?.width ?? 0) > 300 &&
        (told.get('camera patient-1')?.width ?? 999) < 200
      );
    });
    // In the small window only the speaker is seen.
    await tab.getByTestId('call-small').click();
    const onlyTheSpeaker = async (): Promise<boolean> => {
      const told = await sizes();
      return told.get('camera patient-1') === null && (told.get('camera relative-1')?.width ?? 999) < 360;
    };
    await eventually('hidden tiles to want nothing', onlyTheSpeaker);
    // A tile that was measured as it went, and had the last word.
    await ofCall(tab, '(call.viewports.set("camera patient-1", { width: 180, height: 120 }), 0)');
    await ofCall(tab, '(call.viewports.set("camera relative-1", null), 0)');
    await eventually('hidden tiles to want nothing again', onlyTheSpeaker);
    await tab.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB53] in a call of several one leaves alone; the doctor is asked whether it ends for all, a guest is not',
  async () => {
    const patient = await open('patient', 'call-group');
    await ofCall(
      patient,
      '(call.left = 0, call.ended = 0, call.leave = async () => { call.left += 1; }, call.hangUp = async () => { call.ended += 1; }, call.view = { ...call.view, startedBy: "doctor-1" }, 0)',
    );
    await ofCall(patient, 'call.seatOf("patient-1", {})');
    await patient.getByTestId('call-hangup').click();
    await eventually('leaving', async () => (await ofCall<number>(patient, 'call.left')) === 1);
    expect(await ofCall<number>(patient, 'call.ended')).toBe(0);
    expect(await patient.getByTestId('call-leave-dialog').count()).toBe(0);
    await patient.context().close();

    const doctor = await open('doctor', 'call-leave');
    await ofCall(doctor, '(call.ended = 0, call.hangUp = async () => { call.ended += 1; }, 0)');
    await doctor.getByTestId('call-end-all').click();
    await eventually('ending', async () => (await ofCall<number>(doctor, 'call.ended')) === 1);
    await doctor.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB54] the doctor calls a participant in and mutes another after a confirmation; whoever was muted reads by whom',
  async () => {
    const doctor = await open('doctor', 'call-people');
    await doctor.getByTestId('call-invite').click();
    await doctor.locator('[data-testid="call-person"][data-person="colleague-1"]').waitFor();
    const relative = doctor.locator('[data-testid="call-person"][data-person="relative-1"]');
    await relative.getByTestId('call-mute-person').click();
    expect(
      await ofCall<boolean>(doctor, 'call.view.seats.find((s) => s.personId === "relative-1").microphoneOn'),
    ).toBe(true);
    await doctor.getByTestId('call-mute-confirm').click();
    await eventually('the relative to be muted', () =>
      ofCall<boolean>(
        doctor,
        'call.view.seats.find((s) => s.personId === "relative-1").mutedBy === "doctor-1"',
      ),
    );
    await relative.getByText('muted').waitFor();
    await doctor.context().close();

    const patient = await open('patient', 'call-muted-by');
    const chip = patient.locator('[data-testid="you-muted"][data-by="other"]');
    expect(await chip.textContent()).toContain('Dr Wei Li has muted you.');
    // Once unmuted, it is over; muting oneself is not blamed on anybody.
    await patient.getByTestId('call-mute').click();
    await chip.waitFor({ state: 'detached' });
    await patient.getByTestId('call-mute').click();
    await patient.locator('[data-testid="you-muted"][data-by="self"]').waitFor();
    await patient.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB55] M and V switch microphone and camera, but not while somebody writes, with a modifier, or once they are switched off',
  async () => {
    const tab = await open('patient', 'call-sharing');
    const microphone = () => ofCall<boolean>(tab, 'call.microphoneOn');
    await tab.keyboard.press('m');
    await eventually('the microphone to go off', async () => !(await microphone()));
    await tab.keyboard.press('m');
    await eventually('the microphone to come back', microphone);
    await tab.keyboard.press('v');
    await eventually('the camera to go off', () => ofCall<boolean>(tab, '!call.cameraOn'));
    await tab.keyboard.press('s');
    await eventually('sharing to stop', () => ofCall<boolean>(tab, '!call.screenOn'));

    await tab.keyboard.press('Control+m');
    await tab.getByTestId('text-input').fill('');
    await tab.getByTestId('text-input').press('m');
    expect(await tab.getByTestId('text-input').inputValue()).toBe('m');
    expect(await microphone()).toBe(true);

    await tab.getByTestId('call-more').click();
    await tab.getByTestId('call-shortcuts').click();
    await tab.keyboard.press('Escape');
    await tab.getByTestId('call-more-dialog').waitFor({ state: 'detached' });
    expect(await tab.getByTestId('call-mute').getAttribute('aria-keyshortcuts')).toBe(null);
    await tab.keyboard.press('m');
    await tab.getByTestId('call-camera').click();
    await eventually('the camera to come back', () => ofCall<boolean>(tab, 'call.cameraOn'));
    expect(await microphone()).toBe(true);
    await tab.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB56] who speaks while muted is offered the microphone, not more than each ten seconds',
  async () => {
    const tab = await open('patient', 'call-hint');
    await tab.getByTestId('muted-hint-no').click();
    await tab.getByTestId('muted-hint').waitFor({ state: 'detached' });
    await ofCall(tab, 'call.speaksWhileMuted()');
    expect(await ofCall<boolean>(tab, 'call.microphoneOn')).toBe(false);
    expect(await tab.getByTestId('muted-hint').count()).toBe(0);
    await tab.context().close();

    const other = await open('patient', 'call-hint');
    await other.getByTestId('muted-hint-yes').click();
    await eventually('the microphone to be on', () => ofCall<boolean>(other, 'call.microphoneOn'));
    await other.getByTestId('muted-hint').waitFor({ state: 'detached' });
    await other.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB57] a second call rings as a card that leaves the present call usable, and answering it leaves that call',
  async () => {
    const tab = await open('doctor', 'call-waiting');
    const dialog = tab.getByTestId('incoming-call');
    expect(await dialog.getAttribute('data-waiting')).toBe('1');
    expect(await tab.getByTestId('ringing').count()).toBe(2);
    // The present call can still be muted.
    await tab.getByTestId('call-mute').click();
    await eventually('the microphone to go off', () => ofCall<boolean>(tab, '!call.microphoneOn'));
    await tab.evaluate(`(async () => {
      const { client } = globalThis.mock;
      const waiting = await client.open(client.views[1].consultationId);
      globalThis.accepted = null;
      const accept = waiting.call.accept.bind(waiting.call);
      waiting.call.accept = (options) => { globalThis.accepted = options; return accept(options); };
    })()`);
    await tab.getByTestId('ringing').first().getByTestId('call-accept').click();
    await eventually('the other call to be answered', () => tab.evaluate('globalThis.accepted !== null'));
    expect(await tab.evaluate('globalThis.accepted')).toEqual({ camera: true, leaveOther: true });
    await tab.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB58] what another device of the person answered or declined is told in words',
  async () => {
    const answered = await open('patient', 'call-answered-elsewhere');
    await answered.getByText('You answered the call on another device.').first().waitFor();
    await answered.getByTestId('call-take-over').waitFor();
    await answered.context().close();
    const declined = await open('patient', 'call-declined-elsewhere');
    await declined.getByText('You declined the call on another device.').first().waitFor();
    expect(await declined.getByTestId('incoming-call').count()).toBe(0);
    await declined.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB59] the connection is shown in words, as graphs and as a table',
  async () => {
    const tab = await open('patient', 'call-quality');
    expect(await tab.getByTestId('quality-now').getAttribute('data-level')).toBe('fair');
    expect(await tab.getByTestId('quality-graph').count()).toBe(4);
    await tab
      .getByRole('img', { name: /^Round trip over the last two minutes: \d+ ms now, \d+ ms at most$/ })
      .waitFor();
    await tab.getByText('As a table').click();
    expect(await tab.getByTestId('quality-table').getByRole('row').count()).toBe(13);
    await tab.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB60] the check says what works and what to do, frees the devices when it is closed, and is remembered',
  async () => {
    const tab = await open('patient', 'check-works', PHONE);
    await tab.getByTestId('check-all').waitFor();
    expect(await ofCall<boolean>(tab, 'client.checksOpen === 1')).toBe(true);
    await tab.getByTestId('dialog-close').click();
    await eventually('the devices to be freed', () => ofCall<boolean>(tab, 'client.checksOpen === 0'));
    const kept = await tab.evaluate(() => localStorage.getItem('teleconsult.device-check'));
    expect(JSON.parse(kept ?? '{}')).toEqual({ at: expect.any(Number), well: true });
    await tab.context().close();

    const poor = await open('patient', 'check-poor');
    expect(await poor.getByTestId('check-verdict').getAttribute('data-verdict')).toBe('poor');
    const advice = await poor
      .getByTestId('check-advice')
      .evaluateAll((all) => all.map((item) => item.dataset['advice']));
    expect(advice).toEqual(['move_closer_to_wifi', 'close_other_downloads', 'use_voice_only', 'slow_route']);
    await poor.context().close();

    const denied = await open('patient', 'check-denied');
    expect(await denied.getByTestId('check-camera-problem').textContent()).toContain('allow it there');
    await denied.getByTestId('check-microphone-problem').waitFor();
    await denied.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB61] video that is paused for the sake of sound says so, and that it comes back by itself',
  async () => {
    const tab = await open('patient', 'call-audio-only');
    const chip = tab.locator('[data-testid="call-audio-only"][data-reason="network"]');
    expect(await chip.textContent()).toContain('It comes back by itself.');
    await ofCall(tab, 'call.becomeAudioOnly(null)');
    await chip.waitFor({ state: 'detached' });
    await tab.getByTestId('remote-video').waitFor();
    await tab.context().close();
  },
  60_000,
);
