import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import type { Person } from './browser.ts';
import { DESK, PHONE } from './browser.ts';
import { CHEN, choose, entryWith, jpeg, LIN, type Stage, say, seriousFindings, setStage, watched } from './pages.ts';

/** A begun visit; the patient's page is open. */
async function begin(stage: Stage) {
  const { consultationId } = await stage.createVisit(LIN, CHEN);
  const patient = await stage.open('patient', LIN, { ...PHONE, consultationId });
  const doctor = await stage.open('doctor', CHEN, { ...DESK, consultationId });
  await doctor.byId('accept').click();
  await patient.page.locator('[data-testid="entry"][data-kind="consultation.accepted"]').waitFor();
  return { consultationId, patient, doctor };
}

const ticks = (person: Person, text: string, state: 'sent' | 'delivered' | 'read') =>
  entryWith(person, text).locator(`[data-testid="ticks"][data-state="${state}"]`).waitFor();

test('[WEB24] a message shows that it was received, and that it was read once the other looks at it', async () => {
  await using stage = await setStage();
  const { consultationId } = await stage.createVisit(LIN, CHEN);
  const patient = await stage.open('patient', LIN, { ...PHONE, consultationId });
  await patient.byId('waiting').waitFor();
  await say(patient, '医生您好');
  await ticks(patient, '医生您好', 'sent');
  // The doctor's list follows nothing yet: opening the consultation receives and reads.
  const doctor = await stage.open('doctor', CHEN, { ...DESK });
  await watched({ patient, doctor }, async () => {
    await doctor.byId('unread-badge').waitFor();
    await doctor.byId('consultation-item').click();
    await ticks(patient, '医生您好', 'read');
    await doctor.byId('unread-badge').waitFor({ state: 'detached' });

    // A page that is not looked at receives and does not read.
    await doctor.page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await say(patient, '还在吗？');
    await ticks(patient, '还在吗？', 'delivered');
    await patient.screenshot('chat-ticks-phone-en');
    await doctor.page.evaluate(() => {
      Reflect.deleteProperty(document, 'hidden');
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await ticks(patient, '还在吗？', 'read');
  });
}, 60_000);

test('[WEB25] who switches read receipts off shows only that messages arrived', async () => {
  await using stage = await setStage();
  const { patient, doctor } = await begin(stage);
  await watched({ patient, doctor }, async () => {
    await choose(patient, 'settings');
    await patient.byId('setting-receipts').waitFor();
    await patient.screenshot('settings-phone-en');
    expect(await seriousFindings(patient)).toEqual([]);
    await patient.byId('setting-receipts').uncheck();
    await eventually('the box to be free again', () => patient.byId('setting-receipts').isEnabled());
    await patient.byId('dialog-close').click();
    await say(doctor, '请多喝水');
    await ticks(doctor, '请多喝水', 'delivered');
    // What the patient answers comes after it was read.
    await entryWith(patient, '请多喝水').waitFor();
    await say(patient, '好的');
    await entryWith(doctor, '好的').waitFor();
    await ticks(doctor, '请多喝水', 'delivered');
    expect(await doctor.page.locator('[data-testid="ticks"][data-state="read"]').count()).toBe(0);
    // The doctor keeps nothing to themselves.
    await ticks(patient, '好的', 'read');
  });
}, 60_000);

test('[WEB26] the other sees that somebody types, and when it is over', async () => {
  await using stage = await setStage();
  const { patient, doctor } = await begin(stage);
  await watched({ patient, doctor }, async () => {
    await patient.byId('text-input').pressSequentially('头');
    await doctor.byId('typing').waitFor();
    expect(await doctor.byId('typing').textContent()).toContain(LIN.displayName);
    await doctor.screenshot('chat-typing-desk-en');
    await patient.byId('text-input').press('Backspace');
    await doctor.byId('typing').waitFor({ state: 'detached' });
    await patient.byId('text-input').pressSequentially('头疼');
    await doctor.byId('typing').waitFor();
    await patient.byId('send').click();
    await entryWith(doctor, '头疼').waitFor();
    await doctor.byId('typing').waitFor({ state: 'detached' });
  });
}, 60_000);

test('[WEB27] an answer quotes its message, and a press on the quote leads to it from far below', async () => {
  await using stage = await setStage();
  const { patient, doctor } = await begin(stage);
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

test('[WEB28] a recalled picture is a tombstone on both pages, also after a reload, and its bytes are gone', async () => {
  await using stage = await setStage();
  const { patient, doctor } = await begin(stage);
  await watched({ patient, doctor }, async () => {
    const asked = doctor.page.waitForRequest(
      (request) => request.method() === 'GET' && /\/attachments\/[^/]+\/(thumbnail|original)?/.test(request.url()),
    );
    await patient.byId('picture-input').setInputFiles(await jpeg('wrong.jpg'));
    await patient.byId('send').click();
    await doctor.byId('picture-thumb').waitFor();
    const request = await asked;
    const ask = async (): Promise<number> =>
      (await fetch(request.url(), { headers: { authorization: request.headers()['authorization'] ?? '' } })).status;
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
