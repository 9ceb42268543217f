import type { MediaEnvironment } from '@teleconsult/client-sdk';
import { describe, expect, it, vi } from 'vitest';
import { Lifetime } from '../../client-sdk/lifetime.ts';
import { MediaDevice } from '../../client-sdk/media-device.ts';
import { recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { FakeMedia } from './helpers/fake-media.ts';
import { CallBrowser } from './helpers/restored-call.ts';
import { doctor, patient } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

/** A browser that would ask again for these. */
function asking(...kinds: readonly ('microphone' | 'camera')[]): FakeMedia {
  const media = new FakeMedia();
  for (const kind of kinds) media.permissions[kind] = 'prompt';
  return media;
}

async function restored(browser: CallBrowser, media = new FakeMedia()) {
  const page = browser.load({}, media);
  const call = await page.client.restoreCall();
  if (call === null) throw new Error('nothing was restored');
  return { ...page, call };
}

/** What the others see of the patient. */
const shown = ({ scripted }: CallBrowser) => {
  const seat = scripted.view.seats.find(({ personId }) => personId === patient);
  return seat && { microphone: seat.microphoneOn, camera: seat.cameraOn };
};

describe('microphone and camera of a restored call', () => {
  const mutes: readonly [name: string, happen: (browser: CallBrowser) => void][] = [
    [
      'the doctor muted',
      ({ scripted }) => scripted.changeSeat(patient, { microphoneOn: false, mutedBy: doctor }),
    ],
    ['the server shows as off', ({ scripted }) => scripted.changeSeat(patient, { microphoneOn: false })],
    ['the doctor muted, shown as on', ({ scripted }) => scripted.changeSeat(patient, { mutedBy: doctor })],
  ];

  it.each(mutes)('[SDK200] a microphone that %s meanwhile stays off', async (_name, happen) => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server, { media: 'video' });
    await using _before = await browser.loadInCall();
    await server.goAway();
    happen(browser);
    const restoring = restored(browser);
    await server.comeBack();
    await using page = await restoring;
    expect([page.call.microphoneOn, page.call.cameraOn]).toEqual([false, true]);
    expect(page.call.awaiting).toEqual([]);
    expect(page.media.asked).toEqual([{ audio: false, video: true }]);
    await browser.keeps({ microphone: 'off', camera: 'on' });
  });

  it('[SDK200] what the person switched off is off, also when the server never heard of it', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server, { media: 'video' });
    await using before = await browser.loadInCall();
    await server.goAway();
    void before.call.setMicrophone(false).catch(() => {});
    void before.call.setCamera(false).catch(() => {});
    const restoring = restored(browser);
    await server.comeBack();
    await using page = await restoring;
    expect([page.call.microphoneOn, page.call.cameraOn]).toEqual([false, false]);
    expect(page.media.asked).toEqual([]);
    await eventually(
      () => shown(browser),
      (seat) => seat?.microphone === false && !seat.camera,
    );
  });

  it('[SDK200] a switch is being kept before anything is waited for', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using page = await browser.loadInCall();
    const set = vi.spyOn(browser.storage, 'set');
    void page.call.setMicrophone(false);
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    expect(set.mock.calls.at(-1)?.[1]).toMatchObject({ microphone: 'off' });
    await page.call.setMicrophone(true);
    await browser.keeps({ microphone: 'on' });
  });

  it('[SDK200] a camera of a call that became voice meanwhile is not asked for', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server, { media: 'video' });
    await using _before = await browser.loadInCall();
    await server.goAway();
    browser.scripted.change({ media: 'voice' });
    const restoring = restored(browser);
    await server.comeBack();
    await using page = await restoring;
    expect([page.call.microphoneOn, page.call.cameraOn]).toEqual([true, false]);
  });

  it.each([
    ['granted', true],
    ['prompt', true],
    ['granted', false],
  ] as const)(
    '[SDK200] a mute that comes while the browser is asked (%s) is no other, by the doctor: %s',
    async (state, isDoctor) => {
      await using server = await ScriptedServer.start();
      const browser = new CallBrowser(server, { media: 'video' });
      await using _before = await browser.loadInCall();
      const { promise: permission, resolve: allow } = Promise.withResolvers<PermissionState>();
      let asked = 0;
      const media = Object.assign(new FakeMedia(), {
        queryPermission: () => {
          asked += 1;
          return asked <= 2 ? permission : Promise.resolve(state);
        },
      });
      await using page = browser.load({}, media);
      const restoring = page.client.restoreCall();
      await eventually(
        () => asked,
        (count) => count === 2,
      );
      browser.scripted.changeSeat(patient, { microphoneOn: false, mutedBy: isDoctor ? doctor : null });
      browser.scripted.tell({});
      // Answers come in order.
      await page.client.listConsultations();
      allow(state);
      const call = await restoring;
      expect(call?.microphoneOn).toBe(false);
      expect(call?.awaiting).toEqual(state === 'prompt' ? ['camera'] : []);
      expect(shown(browser)?.microphone).toBe(false);
      await browser.keeps({ microphone: 'off' });
    },
  );

  it('[SDK215] going on here switches nothing on that was off where the person was', async () => {
    for (const source of ['microphone', 'camera', null] as const) {
      await using server = await ScriptedServer.start();
      const browser = new CallBrowser(server, { media: 'video' });
      await using before = await browser.loadInCall();
      if (source === 'microphone')
        browser.scripted.changeSeat(patient, { microphoneOn: false, mutedBy: doctor });
      if (source === 'camera') await before.call.setCamera(false);
      await using page = browser.load({ deviceId: 'another-device' });
      await page.client.connect();
      const { call } = await page.client.open(browser.thread.id);
      expect(call?.role).toBe('elsewhere');
      await call?.accept();
      expect([call?.microphoneOn, call?.cameraOn]).toEqual([source !== 'microphone', source !== 'camera']);
      expect(page.media.asked).toEqual([{ audio: source !== 'microphone', video: source !== 'camera' }]);
      expect(shown(browser)).toEqual({ microphone: source !== 'microphone', camera: source !== 'camera' });
    }
  });

  it('[SDK201] where the browser asks again nothing is asked for: the person is present and muted until they tap', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server, { media: 'video' });
    await using _before = await browser.loadInCall();
    await using page = await restored(browser, asking('microphone', 'camera'));
    const { call, media } = page;
    expect(call.awaiting).toEqual(['microphone', 'camera']);
    expect([call.microphoneOn, call.cameraOn]).toEqual([false, false]);
    expect(media.asked).toEqual([]);
    await eventually(
      () => shown(browser),
      (seat) => seat?.microphone === false && !seat.camera,
    );
    await browser.keeps({ microphone: 'awaiting', camera: 'awaiting' });
    const told = recorded(call.on, 'awaiting');
    await call.continueSources();
    // One question for both.
    expect(media.asked).toEqual([{ audio: true, video: true }]);
    expect([call.microphoneOn, call.cameraOn]).toEqual([true, true]);
    expect(call.awaiting).toEqual([]);
    expect(told.at(-1)).toEqual([]);
    await browser.sent(4);
    expect(shown(browser)).toEqual({ microphone: true, camera: true });
    await browser.keeps({ microphone: 'on', camera: 'on' });
    await call.continueSources();
    expect(media.asked.length).toBe(1);
  });

  it('[SDK201] one of the two may be allowed already', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server, { media: 'video' });
    await using _before = await browser.loadInCall();
    await using page = await restored(browser, asking('camera'));
    expect(page.call.awaiting).toEqual(['camera']);
    expect(page.call.microphoneOn).toBe(true);
    await page.call.continueSources();
    expect(page.media.asked).toEqual([
      { audio: true, video: false },
      { audio: false, video: true },
    ]);
  });

  it('[SDK201] a second reload before the tap waits again, for the same', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server, { media: 'video' });
    await using before = await browser.loadInCall();
    await before.call.setCamera(false);
    for (const turn of [1, 2, 3]) {
      const page = await restored(browser, asking('microphone', 'camera'));
      expect([turn, page.call.awaiting]).toEqual([turn, ['microphone']]);
      await eventually(
        () => shown(browser)?.microphone,
        (on) => on === false,
      );
    }
    // Once the browser does not ask any more it comes back by itself: the person never switched it off.
    await using page = await restored(browser);
    expect([page.call.awaiting, page.call.microphoneOn]).toEqual([[], true]);
  });

  it('[SDK202] what is refused at the tap rejects, is off, and waits no more', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server, { media: 'video' });
    await using _before = await browser.loadInCall();
    await using page = await restored(browser, asking('microphone', 'camera'));
    const { call, media } = page;
    media.refuse = ({ video }) => (video === true || video ? 'NotAllowedError' : null);
    expect(await codeOf(call.continueSources())).toBe('PERMISSION_DENIED');
    expect([call.microphoneOn, call.cameraOn]).toEqual([true, false]);
    expect(call.awaiting).toEqual([]);
    await browser.keeps({ microphone: 'on', camera: 'off' });
  });

  it('[SDK202] switching a source oneself takes it from what waits, on or off', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server, { media: 'video' });
    await using _before = await browser.loadInCall();
    await using page = await restored(browser, asking('microphone', 'camera'));
    const { call } = page;
    await call.setCamera(false);
    expect(call.awaiting).toEqual(['microphone']);
    await browser.keeps({ microphone: 'awaiting', camera: 'off' });
    await call.setMicrophone(true);
    expect(call.awaiting).toEqual([]);
    await browser.keeps({ microphone: 'on', camera: 'off' });
  });

  it('[SDK202] a doctor’s mute, a call that becomes voice, and the end take away what waits', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server, { media: 'video' });
    await using _before = await browser.loadInCall();
    await using page = await restored(browser, asking('microphone', 'camera'));
    const told = recorded(page.call.on, 'awaiting');
    browser.scripted.changeSeat(patient, { mutedBy: doctor });
    browser.scripted.tell({});
    await eventually(
      () => told.length,
      (count) => count === 1,
    );
    browser.scripted.tell({ media: 'voice' });
    await eventually(
      () => told.length,
      (count) => count === 2,
    );
    expect(told).toEqual([['camera'], []]);
    await page.call.continueSources();
    expect(page.call.microphoneOn).toBe(false);
    expect(page.media.asked).toEqual([]);
  });

  it('[SDK203] what the browser was told to refuse is off, and a problem', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using _before = await browser.loadInCall();
    const media = new FakeMedia();
    media.permissions.microphone = 'denied';
    await using page = browser.load({}, media);
    const codes: string[] = [];
    page.client.on('activeCall', (call) => call?.on('problem', ({ code }) => codes.push(code)));
    const call = await page.client.restoreCall();
    expect([call?.microphoneOn, call?.awaiting]).toEqual([false, []]);
    expect(codes).toEqual(['PERMISSION_DENIED']);
    expect(media.asked).toEqual([]);
  });

  it('[SDK203] a browser that cannot say asks; a host without the question is asked at any time', async () => {
    const life = new Lifetime();
    expect(await new MediaDevice(undefined).permission('camera', life)).toBe('prompt');
    const host = new FakeMedia();
    const getUserMedia: MediaEnvironment['getUserMedia'] = (wish) => host.getUserMedia(wish);
    expect(await new MediaDevice({ getUserMedia }).permission('camera', life)).toBe('granted');
    const failing = { getUserMedia, queryPermission: () => Promise.reject(new TypeError('no such name')) };
    expect(await new MediaDevice(failing).permission('camera', life)).toBe('prompt');
    vi.useFakeTimers();
    const silent = { getUserMedia, queryPermission: () => new Promise<PermissionState>(() => undefined) };
    const asked = new MediaDevice(silent).permission('camera', life);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await asked).toBe('prompt');
    vi.useRealTimers();
  });
});
