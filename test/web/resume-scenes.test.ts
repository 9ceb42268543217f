import { existsSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { DESK, ofCall, PHONE, type ScenePages, startScenes } from './scene-pages.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

const VARIANTS = [
  { ...PHONE, locale: 'zh-CN', colorScheme: 'dark' },
  { ...DESK, locale: 'en-GB', colorScheme: 'light' },
  { ...PHONE, locale: 'en-US', colorScheme: 'light' },
  { ...DESK, locale: 'zh-CN', colorScheme: 'dark' },
] as const;

/** As web/dev/scenes-resume.ts has them, each with the page on which it can be. */
const SCENES = [
  ...['small', 'small-aside', 'other-lost', 'restored', 'other-lost-small'].map(
    (scene) => ['doctor', scene] as const,
  ),
  ...['small', 'restoring', 'restored', 'awaiting-small', 'awaiting', 'other-reconnecting'].map(
    (scene) => ['patient', scene] as const,
  ),
  ...['other-lost', 'own-lost', 'moved', 'elsewhere'].map((scene) => ['patient', scene] as const),
];

let scenes: ScenePages;

beforeAll(async () => {
  if (existsSync(CHROMIUM)) scenes = await startScenes();
}, 60_000);

afterAll(async () => scenes?.[Symbol.asyncDispose]());

/** The parts of the page that show the call, as far as they are to be seen. */
const shown = async (tab: Page): Promise<string[]> => {
  const parts = { panel: 'call-panel', small: 'floating-hang-up', bar: 'call-elsewhere' };
  const found: string[] = [];
  for (const [name, testId] of Object.entries(parts))
    if ((await tab.getByTestId(testId).filter({ visible: true }).count()) > 0) found.push(name);
  return found;
};

const shows = (tab: Page, ...wanted: string[]): Promise<unknown> => {
  let seen: string[] = [];
  return eventually(
    `${wanted.join()} alone`,
    async () => {
      seen = await shown(tab);
      return seen.join() === wanted.join();
    },
    { lastSeen: () => seen },
  );
};

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB104] axe finds nothing while a call is small, restored, waited for or elsewhere, on phone and desktop, in both languages',
  async () => {
    const findings: Record<string, string[]> = {};
    const waiting = [...SCENES.entries()];
    const lookOn = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, [page, scene]] = next;
        const found = await scenes.look(page, scene, VARIANTS[index % VARIANTS.length] ?? {});
        if (found.length > 0) findings[`${page} ${scene}`] = found;
      }
    };
    await Promise.all(Array.from({ length: 2 }, lookOn));
    expect(findings).toEqual({});
  },
  280_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB105] a call is large in its visit or in the small window, never in both, whatever the doctor opens meanwhile',
  async () => {
    const tab = await scenes.open('doctor', 'small', DESK);
    await shows(tab, 'small');
    const [first, second] = await tab
      .getByTestId('consultation-item')
      .evaluateAll((items) => items.map((item) => item.dataset['consultation']));
    const choose = (id: string | undefined) =>
      tab.locator(`[data-testid="consultation-item"][data-consultation="${id}"]`).click();
    // Made small by hand it stays small, also in its own visit.
    await choose(second);
    await shows(tab, 'small');
    await choose(first);
    await shows(tab, 'small');
    await tab.getByTestId('floating-expand').click();
    await shows(tab, 'panel');
    // Left large, it floats beside other visits and is large again in its own.
    await choose(second);
    await shows(tab, 'small');
    await choose(first);
    await shows(tab, 'panel');
    // The large view is one press away from another visit.
    await choose(second);
    await tab.getByTestId('floating-expand').click();
    await shows(tab, 'panel');
    expect(await ofCall(tab, 'call.view.state')).toBe('live');
    // The small window goes with the call, and the next call is large.
    await tab.getByTestId('call-small').click();
    await shows(tab, 'small');
    await tab.getByTestId('floating-hang-up').click();
    await shows(tab);
    await tab.evaluate(`globalThis.mock.visit.ring('video', 'answered')`);
    await shows(tab, 'panel');
    await tab.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB107] a restored call floats, asks for a tap where the browser wants one, and is muted until then',
  async () => {
    const restoring = await scenes.open('patient', 'restoring', PHONE);
    await restoring.getByText('Returning to your call…').first().waitFor();
    expect(await shown(restoring)).not.toContain('panel');
    await restoring.context().close();

    const small = await scenes.open('patient', 'awaiting-small', PHONE);
    await shows(small, 'small');
    expect(await ofCall(small, 'call.microphoneOn')).toBe(false);
    await small.getByTestId('floating-go-on').click();
    await eventually('nothing to wait for', () => ofCall<boolean>(small, 'call.awaiting.length === 0'));
    await small.context().close();

    const large = await scenes.open('patient', 'awaiting', PHONE);
    await shows(large, 'panel');
    await large.getByTestId('call-awaiting').getByText('Nobody hears or sees you yet').waitFor();
    await ofCall(large, 'call.becomeAwaiting(["microphone"])');
    await large.getByTestId('call-go-on').getByText('Switch my microphone on').waitFor();
    await large.getByTestId('call-go-on').click();
    await large.getByTestId('call-awaiting').waitFor({ state: 'detached' });
    await large.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB106] who is away is a still picture with words: reconnecting, then lost with the time until which they can come back, and never ended',
  async () => {
    const tab = await scenes.open('doctor', 'other-reconnecting');
    const tile = tab.locator('[data-testid="call-tile"][data-person="patient-1"]');
    expect(await tile.getAttribute('data-presence')).toBe('reconnecting');
    expect(await tile.locator('tele-video.frozen').count()).toBe(1);
    const state = tab.getByTestId('call-state');
    expect(await state.getAttribute('data-state')).toBe('otherReconnecting');

    const until = new Date(Date.now() + 600_000).getTime();
    await ofCall(tab, `call.other({ state: 'left', leftReason: 'lost', returnUntil: ${until} })`);
    await tab.locator('[data-testid="call-state"][data-state="otherLost"]').waitFor();
    await tile.getByText(/lost the connection and can come back until \d+:\d\d/).waitFor();
    expect(await tile.getAttribute('data-presence')).toBe('lost');
    // The picture stays, and so does the way out.
    expect(await tile.locator('tele-video.frozen').count()).toBe(1);
    await tab.getByTestId('call-hangup').waitFor();
    expect(await tab.getByText('The call has ended').count()).toBe(0);
    // Spoken once, with both sentences.
    const spoken = await tab.locator('body > [aria-live="polite"]').textContent();
    expect(spoken).toMatch(/can come back until .* You can wait or hang up\./);

    await ofCall(tab, `call.other({ state: 'present', leftReason: null, returnUntil: null })`);
    await tab.locator('[data-testid="call-state"][data-state="live"]').waitFor();
    expect(await tile.locator('tele-video.frozen').count()).toBe(0);
    await tab.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB108] a device that does not hold the call says whether another does or it was lost until when, and goes on here without the camera',
  async () => {
    const moved = await scenes.open('patient', 'moved', PHONE);
    await moved.getByText('The call goes on on your other device.').first().waitFor();
    await shows(moved, 'bar');
    expect(await moved.getByTestId('remote-audio').count()).toBe(0);
    await moved.evaluate(`(() => {
      const { call } = globalThis.mock.visit;
      const accept = call.accept.bind(call);
      call.accept = (options) => { globalThis.accepted = options; return accept(options); };
    })()`);
    await moved.getByTestId('call-take-over').click();
    await shows(moved, 'panel');
    expect(await moved.evaluate('globalThis.accepted')).toEqual({ camera: false });
    await moved.context().close();

    const lost = await scenes.open('patient', 'own-lost', PHONE);
    const bar = lost.getByTestId('call-elsewhere');
    await bar.getByText(/was lost\. You can come back until \d+:\d\d/).waitFor();
    await bar.getByText('Return to the call').waitFor();
    expect(await lost.getByText('your other device').filter({ visible: true }).count()).toBe(0);
    await lost.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB109] while the call floats the doctor reads another visit, writes, dictates and opens dialogs beside it, and hears on',
  async () => {
    const tab = await scenes.open('doctor', 'small-aside', DESK);
    await shows(tab, 'small');
    const audio = tab.getByTestId('remote-audio');
    await audio.evaluate((element) => Object.assign(element, { isTheSame: true }));
    await tab.getByTestId('accept').click();

    await tab.getByTestId('text-input').fill('Please come at three.');
    await tab.getByTestId('send').click();
    await tab.getByTestId('thread').getByText('Please come at three.').waitFor();
    await tab.getByTestId('voice-record').click();
    await tab.getByTestId('voice-send').click();
    await tab.getByTestId('voice-play').first().waitFor();

    // A dialog leaves the call usable; it closes with the key like any other.
    await tab.getByTestId('visit-menu').click();
    await tab.getByTestId('menu-settings').click();
    const dialog = tab.getByTestId('settings-dialog');
    await dialog.waitFor();
    expect(await dialog.evaluate((element) => element.matches(':modal'))).toBe(false);
    await tab.getByTestId('floating-microphone').click();
    await eventually('the microphone to go off', () => ofCall<boolean>(tab, '!call.microphoneOn'));
    await dialog.getByTestId('dialog-close').focus();
    await tab.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });

    expect(await audio.evaluate((element) => 'isTheSame' in element)).toBe(true);
    await shows(tab, 'small');
    await tab.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB110] the call is looked for before lists and threads are',
  async () => {
    for (const page of ['doctor', 'patient'] as const) {
      const tab = await scenes.open(page, 'thread');
      const asked = await tab.evaluate<string[]>('globalThis.mock.client.asked');
      expect(asked[0]).toBe('restoreCall');
      expect(asked.filter((what) => what === 'restoreCall')).toHaveLength(1);
      expect(asked).toContain('open');
      await tab.context().close();
    }
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB116] a press makes the call small in the best form of the browser, the page shows it no more, and the large view comes back from there',
  async () => {
    const tab = await scenes.open('doctor', 'call-video', { ...DESK, windows: true });
    await tab.getByTestId('call-small').click();
    const form = (): Promise<string> =>
      tab.evaluate(() => {
        const small = document
          .querySelector('tele-app-doctor')
          ?.shadowRoot?.querySelector('teleconsult-floating-call');
        return small === null || small === undefined ? '' : String(Reflect.get(small, 'state'));
      });
    const forms = ['document', 'video', 'page'];
    await eventually('the call to be small', async () => forms.includes(await form()));
    await tab.getByTestId('call-panel').waitFor({ state: 'detached' });
    await tab.evaluate(() => {
      const small = document
        .querySelector('tele-app-doctor')
        ?.shadowRoot?.querySelector<HTMLElement & { expand(): void }>('teleconsult-floating-call');
      small?.expand();
    });
    await tab.getByTestId('call-panel').waitFor();
    expect(await form()).toBe('expanded');
    await tab.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB117] each voice is played once, large and small alike, and sound that the browser holds back has a control in both',
  async () => {
    const tab = await scenes.open('doctor', 'thread');
    await tab.evaluate(() => {
      // Before that of all media elements, until it is taken away.
      HTMLAudioElement.prototype.play = () =>
        Promise.reject(new DOMException('wants a tap', 'NotAllowedError'));
    });
    await tab.evaluate(`globalThis.mock.visit.ring('video', 'answered')`);
    await tab.getByTestId('call-panel').getByTestId('tap-to-hear').waitFor();
    // Pressing it is a gesture, too; it stays blocked until the browser plays.
    await tab.getByTestId('call-small').click();
    await shows(tab, 'small');
    await tab.getByTestId('tap-to-hear').waitFor();
    const audible = () =>
      tab.locator('audio').evaluateAll((all) => all.filter((one) => 'srcObject' in one).length);
    expect(await audible()).toBe(1);
    await tab.evaluate(() => Reflect.deleteProperty(HTMLAudioElement.prototype, 'play'));
    await tab.getByTestId('tap-to-hear').click();
    await tab.getByTestId('tap-to-hear').waitFor({ state: 'detached' });
    expect(await tab.getByTestId('remote-audio').count()).toBe(1);
    expect(await audible()).toBe(1);
    await tab.context().close();
  },
  60_000,
);

test.skipIf(!existsSync(CHROMIUM))(
  '[WEB118] what the small window says is not said by the page as well',
  async () => {
    const tab = await scenes.open('doctor', 'small');
    await shows(tab, 'small');
    await ofCall(tab, `call.mutedBy('patient-1')`);
    const small = tab.locator('teleconsult-floating-call');
    const muted = /has muted you|muted you\./;
    await small.getByText(muted).first().waitFor({ state: 'attached' });
    expect(await tab.locator('tele-toasts').getByText(muted).count()).toBe(0);
    await ofCall(tab, `call.end('lost')`);
    await small.getByText('lost for good').first().waitFor();
    expect(await tab.locator('tele-toasts').getByText('The call was lost').count()).toBe(0);
    // Large it is the page that says it.
    await tab.evaluate(`globalThis.mock.visit.ring('video', 'answered')`);
    await shows(tab, 'panel');
    await ofCall(tab, `call.mutedBy('patient-1')`);
    await tab.locator('tele-toasts').getByText(muted).waitFor();
    await tab.context().close();
  },
  60_000,
);
