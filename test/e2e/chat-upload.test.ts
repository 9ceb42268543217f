import type { Request } from 'playwright-core';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { DESK, Person, PHONE } from './browser.ts';
import { CHEN, jpeg, LIN, linkTo, setStage, watched } from './pages.ts';
import { launchProfile } from './profile.ts';
import { startSlowLine } from './slow-line.ts';

const shownPictures = (person: Person): Promise<number> =>
  person.page
    .locator('[data-testid="entry"] [data-testid="picture-thumb"] img')
    .evaluateAll((all) => all.filter((one) => (one as HTMLImageElement).naturalWidth > 0).length);

test('[WEB93] a page closed in the middle of a picture’s upload goes on with it when it is opened again', async () => {
  await using stage = await setStage();
  await using line = await startSlowLine(stage.app.origin);
  await using folder = await tempDir();
  await using profile = await launchProfile(folder.path, { ...PHONE });
  const { consultationId } = await stage.createVisit(LIN, CHEN);
  const link = linkTo(line.origin, { page: 'patient', person: LIN, consultationId });
  const doctor = await stage.open('doctor', CHEN, { ...DESK, consultationId });
  const before = await Person.inProfile(profile, link);
  await before.byId('waiting').waitFor();
  const picture = await jpeg('tongue.jpg', { width: 2400, noise: true });
  const size = picture.buffer.length;
  expect(size).toBeGreaterThan(2_000_000);

  const sentBefore = line.sentBytes;
  line.holdAfter(size / 2);
  await before.byId('picture-input').setInputFiles(picture);
  await before.byId('send').click();
  await eventually('the line to stand still', () => line.isHolding);
  await before.page.locator('[data-testid="outgoing"][data-state="uploading"]').waitFor();
  await before.screenshot('upload-half-phone-en');
  await before.page.close();
  line.holdAfter(null);

  const requests: Request[] = [];
  profile.on('request', (request) => {
    if (request.url().includes('/v1/uploads')) requests.push(request);
  });
  const after = await Person.inProfile(profile, link);
  await watched({ after, doctor }, async () => {
    for (const person of [after, doctor])
      await eventually('the picture', async () => (await shownPictures(person)) === 1, { withinMs: 20_000 });
    await after.byId('outgoing').waitFor({ state: 'detached' });
    const methods = requests.map((request) => request.method());
    expect(methods[0]).toBe('HEAD');
    expect(methods).not.toContain('POST');
    const offset = Number(
      requests.find((request) => request.method() === 'PATCH')?.headers()['upload-offset'],
    );
    expect(offset).toBeGreaterThan(0.3 * size);
    const sent = line.sentBytes - sentBefore;
    expect(sent).toBeGreaterThan(size);
    expect(sent).toBeLessThan(1.2 * size);
    for (const person of [after, doctor])
      expect(await person.page.locator('[data-testid="entry"][data-kind="message.sent"]').count()).toBe(1);
  });
}, 60_000);
