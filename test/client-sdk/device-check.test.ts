import { AppError } from '@teleconsult/protocol/errors';
import { describe, expect, it } from 'vitest';
import { openDeviceCheck } from '../../client-sdk/device-check.ts';
import { listDevices } from '../../client-sdk/device-list.ts';
import { Lifetime } from '../../client-sdk/lifetime.ts';
import { MediaDevice } from '../../client-sdk/media-device.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { FakeMedia } from './helpers/fake-media.ts';

function parts() {
  const media = new FakeMedia();
  const life = new Lifetime();
  let closed = 0;
  const openMeter = () => ({ read: () => 0.5, close: () => (closed += 1) });
  return { media, life, openMeter, device: new MediaDevice(media), metersClosed: () => closed };
}

describe('a look at the devices before a call', () => {
  it('[SDK185] both are asked for at once; closing frees them', async () => {
    const here = parts();
    const check = await openDeviceCheck(here);
    expect(here.media.asked).toEqual([{ audio: true, video: true }]);
    expect([check.microphone, check.camera]).toEqual(here.media.tracks);
    expect(check.problems).toEqual({ microphone: null, camera: null });
    expect(check.level).toBe(0.5);
    check.close();
    check.close();
    expect(here.media.running).toEqual([]);
    expect([check.microphone, check.camera, check.level]).toEqual([null, null, 0]);
    expect(here.metersClosed()).toBe(1);
  });

  it('[SDK185] one that cannot be had is a problem, and the other is there', async () => {
    const here = parts();
    here.media.refuse = ({ video }) => (video === true ? 'NotAllowedError' : null);
    const check = await openDeviceCheck(here);
    expect(check.microphone).toBe(here.media.tracks[0]);
    expect(check.camera).toBeNull();
    expect(check.problems.camera?.code).toBe('PERMISSION_DENIED');
    expect(check.problems.microphone).toBeNull();
    check.close();
  });

  it('[SDK185] the microphone alone, when no camera is wanted', async () => {
    const here = parts();
    const check = await openDeviceCheck(here, { camera: false });
    expect(here.media.asked).toEqual([{ audio: true, video: false }]);
    expect(check.problems.camera).toBeNull();
    here.media.tracks[0]?.remoteStop();
    expect(check.microphone).toBeNull();
    expect(check.problems.microphone?.code).toBe('DEVICE_UNAVAILABLE');
    check.close();
  });

  it('[SDK185] giving up while the browser asks frees what it gives later', async () => {
    const here = parts();
    const asked = Promise.withResolvers<null>();
    here.media.refuse = () => asked.promise;
    const abort = new AbortController();
    const opening = openDeviceCheck(here, { signal: abort.signal });
    abort.abort();
    expect(await codeOf(opening)).toBe('ABORTED');
    asked.resolve(null);
    await eventually(
      () => here.media.tracks.length,
      (count) => count > 0,
    );
    await eventually(
      () => here.media.running,
      (running) => running.length === 0,
    );
  });

  it('[SDK185] closing the client frees them, and a tone needs Web Audio', async () => {
    const here = parts();
    const check = await openDeviceCheck(here);
    expect(await codeOf(check.playTone())).toBe('UNSUPPORTED_BROWSER');
    here.life.end(new AppError('DISCONNECTED'));
    expect(here.media.running).toEqual([]);
  });

  it('[SDK186] what is plugged in is listed by what it is for, each once; in Node there is nothing', async () => {
    const { media, device } = parts();
    const microphone = { deviceId: 'a', kind: 'audioinput', label: 'A' } as const;
    media.plug(
      microphone,
      microphone,
      { deviceId: 'b', kind: 'videoinput', label: '' },
      { deviceId: 'c', kind: 'audiooutput', label: 'C' },
    );
    expect(await listDevices(device)).toEqual([
      { deviceId: 'a', kind: 'microphone', label: 'A' },
      { deviceId: 'b', kind: 'camera', label: '' },
      { deviceId: 'c', kind: 'speaker', label: 'C' },
    ]);
    expect(await listDevices(new MediaDevice(undefined))).toEqual([]);
  });
});
