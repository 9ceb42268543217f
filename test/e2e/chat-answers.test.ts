import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { beginVisit, entryWith, jpeg, say, seriousFindings, setStage, watched } from './pages.ts';

test('[WEB87] an answer quotes its message, and a press on the quote leads to it from far below', async () => {
  await using stage = await setStage();
  const { patient, doctor } = await beginVisit(stage);
  await watched({ patient, doctor }, async () => {
    await say(patient, '我对青霉素过敏');
    await entryWith(doctor, '我对青霉素过敏').waitFor();
    for (let index = 1; index <= 25; index += 1) await say(patient, `之后的第 ${index} 条`);
    await entryWith(doctor, '之后的第 25 条').waitFor();
    await entryWith(doctor, '我对青霉素过敏').getByTestId('message-menu').click();
    await doctor.byId('reply').click();
    await doctor.byId('reply-preview').waitFor();
    await doctor.screenshot('chat-reply-desk-en');
    await say(doctor, '已记录，换一种药。');
    await doctor.byId('reply-preview').waitFor({ state: 'detached' });
    const answer = entryWith(patient, '已记录，换一种药。');
    await answer.getByTestId('quote').waitFor();
    await answer.getByTestId('quote').getByText('我对青霉素过敏').waitFor();
    await patient.screenshot('chat-quote-phone-en');
    const isInView = (text: string) =>
      patient.page
        .locator('[data-testid="entry"][data-kind="message.sent"]')
        .filter({ hasText: text })
        .filter({ hasNot: patient.byId('quote') })
        .evaluate((row) => {
          const { top, bottom } = row.getBoundingClientRect();
          return top >= 0 && bottom <= innerHeight;
        });
    expect(await isInView('我对青霉素过敏')).toBe(false);
    await answer.getByTestId('quote').click();
    await eventually('the quoted message in view', () => isInView('我对青霉素过敏'));
  });
}, 60_000);

test('[WEB88] a recalled picture is a tombstone on both pages, also after a reload, and its bytes are gone', async () => {
  await using stage = await setStage();
  const { patient, doctor } = await beginVisit(stage);
  await watched({ patient, doctor }, async () => {
    const asked = doctor.page.waitForRequest(
      (request) =>
        request.method() === 'GET' && /\/attachments\/[^/]+\/(thumbnail|original)?/.test(request.url()),
    );
    await patient.byId('picture-input').setInputFiles(await jpeg('wrong.jpg'));
    await patient.byId('send').click();
    await doctor.byId('picture-thumb').waitFor();
    const request = await asked;
    const ask = async (): Promise<number> =>
      (await fetch(request.url(), { headers: { authorization: request.headers()['authorization'] ?? '' } }))
        .status;
    expect(await ask()).toBe(200);
    await say(doctor, '这张是哪里？');
    await entryWith(patient, '这张是哪里？').waitFor();
    const sent = patient.page.locator('[data-testid="entry"]').filter({ has: patient.byId('picture-thumb') });
    await sent.getByTestId('message-menu').click();
    await patient.byId('recall').waitFor();
    await patient.screenshot('recall-menu-phone-en');
    expect(await seriousFindings(patient)).toEqual([]);
    await patient.byId('recall').click();
    for (const person of [patient, doctor]) await person.byId('tombstone').waitFor();
    expect(await ask()).toBe(404);
    await Promise.all([patient.page.reload(), doctor.page.reload()]);
    for (const person of [patient, doctor]) {
      await person.byId('tombstone').waitFor();
      expect(await person.byId('picture-thumb').count()).toBe(0);
    }
    await Promise.all([patient.screenshot('recalled-phone-en'), doctor.screenshot('recalled-desk-en')]);
    // After two minutes the menu says that it is too late, and the server would refuse.
    await say(patient, '太晚了');
    await entryWith(patient, '太晚了').getByTestId('message-menu').waitFor({ state: 'attached' });
    await patient.page.clock.install({ time: Date.now() + 121_000 });
    await entryWith(patient, '太晚了').hover();
    await entryWith(patient, '太晚了').getByTestId('message-menu').click();
    await patient.byId('message-dialog').waitFor();
    expect(await patient.byId('recall').count()).toBe(0);
  });
}, 60_000);
