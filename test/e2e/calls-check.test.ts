import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { entries, startCallPages } from './call-pages.ts';
import { openConnections } from './page-calls.ts';

test('[SDK181] [SDK185] a waiting patient sees, hears and measures through the real media server, and the check leaves nothing open', async () => {
  await using pages = await startCallPages();
  const { consultationId: id } = await pages.create('patient', 'doctor');
  const patient = await pages.patientPage('patient', id);
  await entries(patient, 'consultation.waiting').waitFor();
  const state = (part: string, wanted: string) =>
    patient.page.locator(`[data-testid="check-${part}-part"][data-state="${wanted}"]`).waitFor();

  await patient.byId('open-check').click();
  await state('camera', 'well');
  await state('microphone', 'well');
  await patient.byId('check-tone').click();
  await patient.byId('check-tone-yes').click();
  await state('speaker', 'well');

  await patient.byId('check-network').click();
  await patient.byId('check-progress').waitFor();
  await patient.byId('check-verdict').waitFor({ timeout: 60_000 });
  // A loaded machine may be slow; what must not be is that nothing gets through.
  const verdict = await patient.byId('check-verdict').getAttribute('data-verdict');
  expect(['good', 'fair', 'poor']).toContain(verdict);

  const preview = patient.byId('check-preview');
  const track = await preview.evaluateHandle((video) => {
    const stream = video instanceof HTMLVideoElement ? video.srcObject : null;
    return stream instanceof MediaStream ? stream.getVideoTracks()[0] : undefined;
  });
  expect(await track.evaluate((camera) => camera?.readyState)).toBe('live');
  await patient.byId('dialog-close').click();
  await eventually('the camera to be off', () => track.evaluate((camera) => camera?.readyState === 'ended'));
  await eventually('no connection', async () => (await openConnections(patient)) === 0);
}, 120_000);
