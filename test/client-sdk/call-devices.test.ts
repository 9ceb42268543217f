import { AppError } from '@teleconsult/protocol/errors';
import { FakeMediaStreamTrack } from 'fake-mediastreamtrack';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MutedSpeech, SpeechDetector } from '../../client-sdk/call-speech.ts';
import { openLevelMeter } from '../../client-sdk/device-level.ts';
import { Lifetime } from '../../client-sdk/lifetime.ts';
import { recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { answered, opened } from './helpers/opened-call.ts';
import { patient } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

const headset = { deviceId: 'headset', kind: 'audioinput', label: 'Headset' } as const;
const builtIn = { deviceId: 'built-in', kind: 'audioinput', label: 'Built in' } as const;
const webcam = { deviceId: 'webcam', kind: 'videoinput', label: 'Webcam' } as const;

async function inCall(server: ScriptedServer, media: 'voice' | 'video' = 'voice') {
  const visit = await opened(server, { media });
  return { ...visit, call: await answered(visit, server) };
}

describe('devices in a call', () => {
  it('[SDK170] speech is asked for without echo and noise, and levelled', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    expect(here.media.constraints).toMatchObject([
      { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true }, video: false },
    ]);
  });

  it('[SDK171] another microphone takes the place of the first without a new negotiation', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const { media, call } = here;
    await call.selectDevice({ kind: 'microphone', deviceId: 'headset' });
    expect(media.constraints.at(-1)).toMatchObject({ audio: { deviceId: { exact: 'headset' } } });
    expect(media.running).toEqual(['audio']);
    expect(media.current.send.replaced).toEqual([media.tracks[1]]);
    expect(call.localTracks.microphone).toBe(media.tracks[1]);
    expect(server.payloads('seat.produce').length).toBe(1);
    server.tell('seat.mediaLost', here.scripted.seat);
    await eventually(
      () => server.payloads('seat.produce').length,
      (count) => count === 2,
    );
    expect(media.current.send.sent[0]?.track).toBe(media.tracks[1]);
  });

  it('[SDK171] one chosen while muted is not heard before the microphone is switched on', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const { media, call } = here;
    await call.setMicrophone(false);
    await call.selectDevice({ kind: 'microphone', deviceId: 'headset' });
    expect(media.tracks[1]?.enabled).toBe(false);
    expect(media.current.send.replaced).toEqual([]);
    expect(call.microphoneOn).toBe(false);
    await call.setMicrophone(true);
    expect(media.tracks[1]?.enabled).toBe(true);
    expect(media.current.send.replaced).toEqual([media.tracks[1]]);
  });

  it('[SDK171] a device that cannot be had leaves the present one going', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server, 'video');
    await using _ = here.client;
    const { media, call } = here;
    media.refuse = () => 'OverconstrainedError';
    expect(await codeOf(call.selectDevice({ kind: 'microphone', deviceId: 'gone' }))).toBe(
      'DEVICE_UNAVAILABLE',
    );
    expect(media.running).toEqual(['audio', 'video']);
    media.refuse = () => null;
    await call.setCamera(false);
    await call.setCamera(true);
    expect(media.constraints.at(-1)).not.toMatchObject({ video: { deviceId: { exact: 'gone' } } });
  });

  it('[SDK171] a phone that opens one camera at a time changes to the other, and back when that fails', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server, 'video');
    await using _ = here.client;
    const { media, call } = here;
    const isOpen = () => media.running.includes('video');
    media.refuse = () => (isOpen() ? 'NotReadableError' : null);
    await call.selectDevice({ kind: 'camera', deviceId: 'rear' });
    expect(media.running).toEqual(['audio', 'video']);
    expect(media.constraints.at(-1)).toMatchObject({ video: { deviceId: { exact: 'rear' } } });
    media.refuse = () =>
      JSON.stringify(media.constraints.at(-1)).includes('broken') ? 'NotReadableError' : null;
    expect(await codeOf(call.selectDevice({ kind: 'camera', deviceId: 'broken' }))).toBe(
      'DEVICE_UNAVAILABLE',
    );
    await eventually(
      () => media.running,
      (running) => running.length === 2,
    );
    expect(media.constraints.at(-1)).toMatchObject({ video: { deviceId: { exact: 'rear' } } });
    expect(call.cameraOn).toBe(true);
  });

  it('[SDK172] an unplugged microphone is replaced by the default one, and the app is told', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const { media, call } = here;
    const devices = recorded(call.on, 'devices');
    const problems = recorded(call.on, 'problem');
    await call.selectDevice({ kind: 'microphone', deviceId: 'headset' });
    media.plugged = [{ ...builtIn, groupId: '', toJSON: () => builtIn }];
    media.tracks[1]?.remoteStop();
    await eventually(
      () => call.localTracks.microphone,
      (track) => track === media.tracks[2],
    );
    expect(media.constraints.at(-1)).not.toMatchObject({ audio: { deviceId: { exact: 'headset' } } });
    await eventually(
      () => devices,
      (told) => told.length === 1,
    );
    expect(devices[0]).toEqual([{ deviceId: 'built-in', kind: 'microphone', label: 'Built in' }]);
    expect(call.microphoneOn).toBe(true);
    expect(problems).toEqual([]);
    expect(server.payloads('seat.produce').length).toBe(1);
  });

  it('[SDK172] one that was muted is not opened again by being unplugged', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    await here.call.setMicrophone(false);
    here.media.tracks[0]?.remoteStop();
    await here.client.listConsultations();
    expect(here.media.asked.length).toBe(1);
    expect(here.call.microphoneOn).toBe(false);
  });

  it('[SDK173] a burst of changes is told once, and nothing that is the same as before', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const told = recorded(here.call.on, 'devices');
    here.media.plug(headset);
    here.media.plug(headset, builtIn);
    here.media.plug(headset, builtIn, webcam);
    await eventually(
      () => told.length,
      (count) => count === 1,
    );
    expect(told[0]?.map(({ kind }) => kind)).toEqual(['microphone', 'microphone', 'camera']);
    let looks = 0;
    here.media.enumerateDevices = async () => {
      looks += 1;
      return here.media.plugged;
    };
    here.media.plug(headset, builtIn, webcam);
    await eventually(
      () => looks,
      (count) => count === 1,
    );
    here.media.plug(headset);
    await eventually(
      () => looks,
      (count) => count === 2,
    );
    await here.client.listConsultations();
    expect(told.map((devices) => devices.length)).toEqual([3, 1]);
    await here.call.hangUp();
    expect(here.media.deviceListeners).toBe(0);
  });

  it('[SDK174] what is behind the person is blurred where the camera can, and by the next camera, too', async () => {
    await using server = await ScriptedServer.start();
    const visit = await opened(server, { media: 'video' });
    const { media, client } = visit;
    await using _ = client;
    const call = await answered(visit, server);
    expect(await codeOf(call.setBackgroundBlur(true))).toBe('UNSUPPORTED_BROWSER');
    const able = { backgroundBlur: [true, false] };
    media.capabilities = able;
    await call.setCamera(false);
    expect(await codeOf(call.setBackgroundBlur(true))).toBe('WRONG_STATE');
    await call.setCamera(true);
    await call.setBackgroundBlur(true);
    const blurred = () => media.tracks.findLast(({ kind }) => kind === 'video')?.getConstraints();
    expect(blurred()).toMatchObject({ backgroundBlur: { exact: true } });
    await call.setCamera(false);
    await call.setCamera(true);
    expect(blurred()).toMatchObject({ backgroundBlur: { exact: true } });
    // A camera that cannot do it does not show the room instead.
    media.capabilities = {};
    await call.setCamera(false);
    expect(await codeOf(call.setCamera(true))).toBe('UNSUPPORTED_BROWSER');
    expect(call.cameraOn).toBe(false);
    expect(media.running).toEqual(['audio']);
  });

  it('[SDK175] a phone call that takes the microphone is shown to the others, and its end', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const told = () => server.payloads('seat.setInterrupted').map(({ interrupted }) => interrupted);
    here.media.tracks[0]?.remoteMute();
    await eventually(told, (seen) => seen.length === 1);
    here.media.tracks[0]?.remoteUnmute();
    await eventually(told, (seen) => seen.length === 2);
    expect(told()).toEqual([true, false]);
    await here.call.setInterrupted(true);
    await here.call.setInterrupted(true);
    expect(told()).toEqual([true, false, true]);
    here.scripted.changeSeat(patient, { interrupted: false });
    server.tell('seat.mediaLost', here.scripted.seat);
    await eventually(told, (seen) => seen.length === 4);
    expect(told().at(-1)).toBe(true);
    expect(here.call.microphoneOn).toBe(true);
  });

  it('[SDK176] a speaker cannot be chosen where the browser has no choice', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    expect(await codeOf(here.call.selectDevice({ kind: 'speaker', deviceId: 'x' }))).toBe(
      'UNSUPPORTED_BROWSER',
    );
  });
});

/** Looks ten times a second; answers when speech was noticed. */
function hear(detector: SpeechDetector, levels: (now: number) => number, forMs: number): number[] {
  const noticed: number[] = [];
  for (let now = 0; now <= forMs; now += 100) if (detector.observe(levels(now), now)) noticed.push(now);
  return noticed;
}

describe('a person who speaks while muted', () => {
  it('[SDK177] is noticed within a second, and again only after ten', () => {
    const talk = (now: number) => (now < 1_000 || now % 1_000 >= 800 ? 0.2 : 0.6);
    const [first, second] = hear(new SpeechDetector(), talk, 15_000);
    expect(first).toBeLessThanOrEqual(2_000);
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(10_000);
  });

  it.each([
    ['silence', () => 0.1],
    ['a fan', (now: number) => 0.55 + 0.02 * Math.sin(now)],
    ['a door', (now: number) => (now >= 2_000 && now < 2_300 ? 0.9 : 0.2)],
    ['keys', (now: number) => (now % 1_000 < 100 ? 0.6 : 0.2)],
  ])('[SDK177] %s is no speech', (_title, level) => {
    expect(hear(new SpeechDetector(), level, 20_000)).toEqual([]);
  });

  it('[SDK178] only a clone is listened to, on this device, and it is stopped with the mute and with the call', async () => {
    const life = new Lifetime();
    const microphone = new FakeMediaStreamTrack({ kind: 'audio', enabled: false });
    const heard: MediaStreamTrack[] = [];
    let closed = 0;
    let hints = 0;
    const speech = new MutedSpeech({
      life,
      openMeter: (track) => {
        heard.push(track);
        let looks = 0;
        return { read: () => (looks++ < 3 ? 0.1 : 0.8), close: () => (closed += 1) };
      },
      onSpeech: () => (hints += 1),
    });
    speech.listenTo(microphone);
    speech.listenTo(microphone);
    await eventually(
      () => hints,
      (count) => count === 1,
    );
    expect(heard.length).toBe(1);
    expect(heard[0]).not.toBe(microphone);
    // The muted one stays silent.
    expect(microphone.enabled).toBe(false);
    speech.listenTo(null);
    expect([heard[0]?.readyState, closed, microphone.readyState]).toEqual(['ended', 1, 'live']);
    speech.listenTo(microphone);
    life.end(new AppError('ABORTED'));
    expect([heard[1]?.readyState, closed]).toEqual(['ended', 2]);
    speech.listenTo(microphone);
    expect(heard.length).toBe(2);
  });

  it.each(['context', 'source'])(
    '[SDK178] a browser whose Web Audio refuses a %s gives no hint, and keeps nothing open',
    (refused) => {
      let open = 0;
      class Refusing {
        constructor() {
          if (refused === 'context') throw new DOMException('too many', 'NotSupportedError');
          open += 1;
        }
        createAnalyser(): object {
          return {};
        }
        createMediaStreamSource(): never {
          throw new DOMException('another sample rate', 'NotSupportedError');
        }
        async close(): Promise<void> {
          open -= 1;
        }
      }
      vi.stubGlobal('AudioContext', Refusing);
      vi.stubGlobal('MediaStream', class {});
      onTestFinished(() => void vi.unstubAllGlobals());
      const microphone = new FakeMediaStreamTrack({ kind: 'audio', enabled: false });
      let clone: MediaStreamTrack | undefined;
      const speech = new MutedSpeech({
        life: new Lifetime(),
        openMeter: (track) => {
          clone = track;
          return openLevelMeter(track);
        },
        onSpeech: () => {},
      });
      speech.listenTo(microphone);
      expect([open, clone?.readyState]).toEqual([0, 'ended']);
    },
  );
});
