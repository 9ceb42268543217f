import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { namedToken } from '../helpers/test-tokens.ts';
import { textDraft } from '../helpers/visit.ts';
import type { Person } from './browser.ts';
import { DESK, PHONE } from './browser.ts';
import {
  beginVisit,
  CHEN,
  choose,
  entryWith,
  LIN,
  say,
  seriousFindings,
  setStage,
  watched,
} from './pages.ts';

const ticks = (person: Person, text: string, state: 'sent' | 'delivered' | 'read') =>
  entryWith(person, text).locator(`[data-testid="ticks"][data-state="${state}"]`).waitFor();

test('[WEB84] a message shows that it was received, and that it was read once the other looks at it', async () => {
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

test('[WEB95] of many unread messages those are read that were seen: it begins at the first of them', async () => {
  await using stage = await setStage();
  const { consultationId } = await stage.createVisit(LIN, CHEN);
  await using client = await RawClient.connect(stage.app.origin, namedToken(LIN.personId, LIN.displayName));
  await client.request('consultation.enter', { consultationId });
  await client.request('consultation.watch', { consultationId });
  const count = 200;
  for (let number = 1; number <= count; number += 1)
    await client.request('message.send', {
      consultationId,
      clientMessageId: `unread-number-${number}`,
      content: textDraft(`未读第 ${number} 条`),
    });
  const doctor = await stage.open('doctor', CHEN, { ...DESK, consultationId });
  await watched({ doctor }, async () => {
    await doctor.byId('unread-line').waitFor();
    await entryWith(doctor, '未读第 1 条').waitFor();
    const { read } = await client.fact(
      'marks.changed',
      (marks) => marks.personId === CHEN.personId && (marks.read ?? 0) > 2,
    );
    // Two entries stand before the messages, and no screen shows forty.
    expect(read).toBeLessThan(40);
    await doctor.byId('unread-badge').getByText('99+', { exact: true }).waitFor();
    await doctor.byId('new-messages').click();
    await doctor.byId('unread-badge').waitFor({ state: 'detached' });
  });
}, 60_000);

test('[WEB85] who switches read receipts off shows only that messages arrived', async () => {
  await using stage = await setStage();
  const { patient, doctor } = await beginVisit(stage);
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

test('[WEB86] the other sees that somebody types, and when it is over', async () => {
  await using stage = await setStage();
  const { patient, doctor } = await beginVisit(stage);
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
