import type { InputDevice } from './api.ts';
import type { Lifetime } from './lifetime.ts';
import type { MediaDevice } from './media-device.ts';

const KINDS: Readonly<Record<MediaDeviceKind, InputDevice['kind']>> = {
  audioinput: 'microphone',
  videoinput: 'camera',
  audiooutput: 'speaker',
};
/** A headset is three devices, and the browser tells of each as it comes. */
const BURST_MS = 300;
/** More than a studio has. */
const MAX_DEVICES = 64;

/** Microphones, cameras and speakers. Without labels until the person has allowed the use of one; empty in Node. */
export async function listDevices(device: MediaDevice): Promise<readonly InputDevice[]> {
  const infos = await device.enumerate();
  const listed = new Map<string, InputDevice>();
  for (const { deviceId, kind, label } of infos.slice(0, MAX_DEVICES))
    listed.set(`${kind} ${deviceId}`, { deviceId, kind: KINDS[kind], label });
  return [...listed.values()];
}

/** Tells of what is plugged in, once for each burst of changes and only when something is different. */
export function watchDevices({
  device,
  life,
  onChange,
}: {
  readonly device: MediaDevice;
  readonly life: Lifetime;
  readonly onChange: (devices: readonly InputDevice[]) => void;
}): void {
  let burst: ReturnType<typeof setTimeout> | undefined;
  let last = '';
  const look = async () => {
    const devices = await listDevices(device).catch(() => null);
    if (devices === null || life.over || JSON.stringify(devices) === last) return;
    last = JSON.stringify(devices);
    onChange(devices);
  };
  const stop = device.onDeviceChange(() => {
    clearTimeout(burst);
    burst = setTimeout(() => void look(), BURST_MS);
  });
  life.onEnd(() => {
    stop();
    clearTimeout(burst);
  });
}
