import type { DeviceCheck, InputDevice, NetworkReport, QualitySample } from '@teleconsult/client-sdk/api';
import type { PersonId } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { language } from '../i18n/language.ts';
import type { MockCall } from './mock-call.ts';
import type { MockClient } from './mock-client.ts';
import * as ids from './mock-ids.ts';
import { mockSound } from './mock-media.ts';
import { words } from './mock-thread.ts';
import { MockVisit } from './mock-visit.ts';
import { press } from './press.ts';

/** The states of a call, and of the check before it. The names are those of `?scene=`. */
export const CALL_SCENES = [
  'call-group',
  'call-screen',
  'call-sharing',
  'call-audio-only',
  'call-muted-by',
  'call-hint',
  'call-quality',
  'call-more',
  'call-people',
  'call-devices',
  'call-leave',
  'call-waiting',
  'call-several',
  'call-answered-elsewhere',
  'call-declined-elsewhere',
  'check-works',
  'check-denied',
  'check-asking',
  'check-tone',
  'check-measuring',
  'check-poor',
] as const;

interface Scene {
  readonly client: MockClient;
  readonly visit: MockVisit;
}

const settled = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Plays one of `CALL_SCENES`; any other name does nothing. */
export async function playCall(name: string, client: MockClient, visit: MockVisit): Promise<void> {
  const scene = { client, visit };
  if (name.startsWith('check-')) return playCheck(name, scene);
  const group = ['call-group', 'call-screen', 'call-leave', 'call-people', 'call-waiting'].includes(name);
  if (name === 'call-several') return playSeveral(client);
  if (name === 'call-answered-elsewhere' || name === 'call-declined-elsewhere') {
    const ringing = visit.ring('video', 'incoming');
    await settled(200);
    ringing.goElsewhere(name === 'call-answered-elsewhere' ? 'answered_elsewhere' : 'declined_elsewhere');
    return;
  }
  if (!CALL_SCENES.some((known) => known === name)) return;
  const call = group ? await beginGroup(visit) : await begin(visit);
  call.measured(measurements(name === 'call-quality' ? 'fair' : 'good'));
  await playIn(name, { ...scene, call });
}

async function playIn(name: string, { client, visit, call }: Scene & { call: MockCall }): Promise<void> {
  const { other } = visit;
  if (name === 'call-screen') call.seatOf(other, { screenOn: true });
  if (name === 'call-sharing') await call.setScreen(true);
  if (name === 'call-audio-only') call.becomeAudioOnly('network');
  if (name === 'call-muted-by') call.mutedBy(other);
  if (name === 'call-hint') {
    await call.setMicrophone(false);
    call.speaksWhileMuted();
  }
  if (name === 'call-devices') client.listDevices = async () => DEVICES;
  if (name === 'call-waiting') await playSeveral(client);
  if (name === 'call-quality') await press('call-quality');
  if (name === 'call-leave') await press('call-hangup');
  if (['call-more', 'call-people', 'call-devices'].includes(name)) await press('call-more');
  if (name === 'call-people') await press('call-open-people');
  if (name === 'call-devices') await press('call-open-devices');
}

async function begin(visit: MockVisit): Promise<MockCall> {
  const call = visit.ring('video', 'answered');
  call.cameraOn = true;
  await settled(150);
  return call;
}

/** Four in it: one speaks, one is on the phone, one comes back after a lost connection; a fifth is not in it. */
async function beginGroup(visit: MockVisit): Promise<MockCall> {
  const text = words[language()];
  const relative = ids.personId('relative-1');
  const interpreter = ids.personId('interpreter-1');
  const colleague = ids.personId('colleague-1');
  visit.join({ personId: relative, role: 'relative', displayName: text.relative });
  visit.join({ personId: interpreter, role: 'interpreter', displayName: text.interpreter });
  visit.join({ personId: colleague, role: 'colleague', displayName: text.child });
  const call = await begin(visit);
  call.seatOf(relative, { cameraOn: true });
  call.seatOf(interpreter, { cameraOn: false, microphoneOn: false, interrupted: true });
  call.speaks(relative);
  call.peersAre(
    new Map<PersonId, 'good' | 'fair' | 'poor'>([
      [visit.other, 'fair'],
      [relative, 'good'],
      [interpreter, 'poor'],
    ]),
  );
  return call;
}

/** Calls of other visits ring: on the doctor's page, which follows many. */
async function playSeveral(client: MockClient): Promise<void> {
  for (const view of client.views.slice(1, 3)) {
    const visit = await client.open(view.consultationId);
    if (visit instanceof MockVisit) client.announceCall(visit.ring('video', 'incoming').view);
  }
}

async function playCheck(name: string, { client }: Scene): Promise<void> {
  countChecks(client);
  if (name === 'check-denied') client.openDeviceCheck = async () => deniedCheck();
  if (name === 'check-asking') client.openDeviceCheck = () => new Promise(() => {});
  if (name === 'check-poor') client.checkNetwork = async () => POOR;
  if (name === 'check-measuring')
    client.checkNetwork = ({ onProgress } = {}) => {
      onProgress?.(0.4);
      return new Promise(() => {});
    };
  await press('visit-menu');
  await press('menu-check');
  if (name === 'check-asking' || name === 'check-denied') return;
  if (name === 'check-tone' || name === 'check-works') await press('check-tone');
  if (name === 'check-works') await press('check-tone-yes');
  if (name !== 'check-tone') await press('check-network');
}

/** How many checks hold devices now, for whoever looks at the scene with a script. */
function countChecks(client: MockClient): void {
  const open = client.openDeviceCheck.bind(client);
  const counted = Object.assign(client, { checksOpen: 0 });
  client.openDeviceCheck = async () => {
    const check = await open();
    counted.checksOpen += 1;
    let isOpen = true;
    return {
      microphone: check.microphone,
      camera: check.camera,
      problems: check.problems,
      get level() {
        return check.level;
      },
      playTone: (options) => check.playTone(options),
      close: () => {
        if (isOpen) counted.checksOpen -= 1;
        isOpen = false;
        check.close();
      },
    };
  };
}

const POOR: NetworkReport = {
  verdict: 'poor',
  path: 'relay',
  rttMs: 380,
  jitterMs: 60,
  lossPercent: 7,
  sendKbps: 180,
  receiveKbps: 320,
  advice: ['move_closer_to_wifi', 'close_other_downloads', 'use_voice_only', 'slow_route'],
};

const deniedCheck = (): DeviceCheck => ({
  microphone: mockSound(),
  camera: null,
  problems: { microphone: new AppError('DEVICE_UNAVAILABLE'), camera: new AppError('PERMISSION_DENIED') },
  level: 0,
  playTone: async () => {},
  close: () => {},
});

const DEVICES: readonly InputDevice[] = [
  { kind: 'microphone', deviceId: 'mic-1', label: 'MacBook Pro Microphone' },
  { kind: 'microphone', deviceId: 'mic-2', label: 'Jabra Evolve2 65' },
  { kind: 'camera', deviceId: 'cam-1', label: 'FaceTime HD Camera' },
  { kind: 'camera', deviceId: 'cam-2', label: '' },
];

/** Two minutes, with a weak half minute in the middle. */
function measurements(level: QualitySample['level']): QualitySample[] {
  const now = Date.now();
  return Array.from({ length: 60 }, (_, index) => {
    const isWeak = index > 22 && index < 36;
    const sway = Math.sin(index / 3);
    return {
      at: now - (59 - index) * 2000,
      level: isWeak ? 'poor' : level,
      rttMs: Math.round((isWeak ? 260 : 62) + sway * 18),
      jitterMs: 8,
      lossPercent: isWeak ? 6 + sway * 2 : Math.max(0, sway),
      sendKbps: Math.round((isWeak ? 240 : 1350) + sway * 90),
      receiveKbps: Math.round((isWeak ? 420 : 2100) + sway * 160),
      networkType: 'wifi',
      path: 'udp',
      limitedBy: level === 'fair' ? 'network' : 'none',
    };
  });
}
