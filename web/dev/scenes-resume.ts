import type { MockCall } from './mock-call.ts';
import type { MockClient } from './mock-client.ts';
import * as ids from './mock-ids.ts';
import type { MockVisit } from './mock-visit.ts';
import { press } from './press.ts';

/** The states of a call that was lost, found again, moved or made small. The names are those of `?scene=`. */
export const RESUME_SCENES = [
  'small',
  'small-aside',
  'restoring',
  'restored',
  'awaiting-small',
  'awaiting',
  'other-reconnecting',
  'other-lost',
  'other-lost-small',
  'own-lost',
  'moved',
] as const;

const WINDOW_MS = 12 * 60_000;

const settled = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** What the page finds when it starts. */
export function prepareResume(name: string, client: MockClient, visit: MockVisit): void {
  const isRestored = ['restored', 'awaiting-small', 'awaiting'].includes(name);
  if (name !== 'restoring' && !isRestored) return;
  client.restores = async () => {
    client.becomeRestoring({ consultationId: visit.id, callId: ids.callId(), at: Date.now() - 4_000 });
    if (name === 'restoring') return new Promise(() => {});
    await settled(250);
    client.becomeRestoring(null);
    const restored = visit.ring('video', 'answered', true);
    restored.cameraOn = name === 'restored';
    if (name !== 'restored') {
      await restored.setMicrophone(false);
      restored.becomeAwaiting(['microphone', 'camera']);
    }
    return restored;
  };
}

/** Plays one of `RESUME_SCENES`; any other name does nothing. */
export async function playResume(name: string, client: MockClient, visit: MockVisit): Promise<void> {
  if (!RESUME_SCENES.some((known) => known === name)) return;
  if (name === 'restoring' || name === 'restored' || name === 'awaiting-small') return;
  if (name === 'awaiting') {
    await settled(300);
    await expand();
    return;
  }
  const call = visit.ring('video', 'answered');
  call.cameraOn = true;
  await settled(250);
  if (name === 'other-reconnecting') call.other({ state: 'reconnecting' });
  if (name.startsWith('other-lost')) lose(call);
  if (name === 'moved') call.goElsewhere('answered_elsewhere');
  if (name === 'own-lost') {
    call.role = 'elsewhere';
    call.seatOf(call.self, { state: 'left', leftReason: 'lost', returnUntil: Date.now() + WINDOW_MS });
  }
  if (name === 'small' || name === 'other-lost-small') await press('call-small');
  if (name === 'small-aside') await chooseAnother(client);
}

/** The other side was away for longer than the grace. */
function lose(call: MockCall): void {
  call.other({ state: 'reconnecting' });
  call.other({ state: 'left', leftReason: 'lost', returnUntil: Date.now() + WINDOW_MS });
}

async function chooseAnother(client: MockClient): Promise<void> {
  const [, second] = client.views;
  if (second !== undefined)
    await press('consultation-item', `[data-consultation="${second.consultationId}"]`);
}

/** As a press on the small window's button. */
async function expand(): Promise<void> {
  for (let tries = 0; tries < 60; tries += 1) {
    const app = document.querySelector('tele-app-patient, tele-app-doctor');
    const small = app?.shadowRoot?.querySelector<HTMLElement & { expand(): void }>(
      'teleconsult-floating-call',
    );
    if (small != null && typeof small.expand === 'function') return small.expand();
    await settled(50);
  }
  throw new Error('there is no small window');
}
