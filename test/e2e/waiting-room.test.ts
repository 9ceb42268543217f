import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { DESK, PHONE } from './browser.ts';
import { CHEN, choose, jpeg, LIN, seriousFindings, setStage, WANG, watched } from './pages.ts';

const ZH = { locale: 'zh-CN' };

test('[WEB80] patients see their places, the doctor sees all of them, and admitting one leaves the other first', async () => {
  await using stage = await setStage();
  const first = await stage.createVisit(LIN, CHEN);
  const second = await stage.createVisit(WANG, CHEN);
  const lin = await stage.open('patient', LIN, { ...PHONE, ...ZH, consultationId: first.consultationId });
  await lin.page.locator('[data-testid="queue-place"][data-position="1"]').waitFor();
  const wang = await stage.open('patient', WANG, { ...PHONE, consultationId: second.consultationId });
  await wang.page.locator('[data-testid="queue-place"][data-position="2"]').waitFor();
  const doctor = await stage.open('doctor', CHEN, { ...DESK, ...ZH });
  await watched({ lin, wang, doctor }, async () => {
    expect(await wang.byId('queue-estimate').textContent()).not.toBe('');
    const item = (id: string) => doctor.page.locator(`[data-consultation="${id}"]`);
    await item(first.consultationId).locator('[data-testid="queue-badge"]').waitFor();
    await item(second.consultationId).locator('[data-testid="queue-badge"]').waitFor();
    await Promise.all([lin.screenshot('waiting-phone-zh'), wang.screenshot('waiting-phone-en')]);
    await item(second.consultationId).click();
    await doctor.byId('accept').waitFor();
    await doctor.screenshot('waiting-doctor-zh');
    for (const person of [lin, wang, doctor]) expect(await seriousFindings(person)).toEqual([]);

    await doctor.byId('accept').click();
    await wang.page.locator('[data-testid="entry"][data-kind="consultation.accepted"]').waitFor();
    await wang.byId('waiting').waitFor({ state: 'detached' });
    await lin.page.locator('[data-testid="queue-place"][data-position="1"]').waitFor();
    await item(second.consultationId).locator('[data-testid="queue-badge"]').waitFor({ state: 'detached' });
    await item(first.consultationId).locator('[data-testid="queue-badge"]').waitFor();
  });
}, 60_000);

test('[WEB80] the place of a patient behind another becomes 1 when that one is admitted', async () => {
  await using stage = await setStage();
  const first = await stage.createVisit(LIN, CHEN);
  const second = await stage.createVisit(WANG, CHEN);
  const lin = await stage.open('patient', LIN, { ...PHONE, consultationId: first.consultationId });
  await lin.page.locator('[data-testid="queue-place"][data-position="1"]').waitFor();
  const wang = await stage.open('patient', WANG, { ...PHONE, consultationId: second.consultationId });
  await wang.page.locator('[data-testid="queue-place"][data-position="2"]').waitFor();
  const doctor = await stage.open('doctor', CHEN, { ...DESK, consultationId: first.consultationId });
  await watched({ lin, wang, doctor }, async () => {
    await doctor.byId('accept').click();
    await wang.page.locator('[data-testid="queue-place"][data-position="1"]').waitFor();
  });
}, 60_000);

test('[WEB81] a declined patient reads what to do instead, with the doctor’s note', async () => {
  await using stage = await setStage();
  const { consultationId } = await stage.createVisit(LIN, CHEN);
  const patient = await stage.open('patient', LIN, { ...PHONE, ...ZH, consultationId });
  const doctor = await stage.open('doctor', CHEN, { ...DESK, ...ZH, consultationId });
  await watched({ patient, doctor }, async () => {
    await doctor.byId('decline').click();
    await doctor.byId('decline-reason').selectOption('emergency');
    await doctor.byId('note').fill('请马上去医院。');
    await doctor.screenshot('decline-doctor-zh');
    expect(await seriousFindings(doctor)).toEqual([]);
    await doctor.byId('decline-confirm').click();
    const advice = patient.page.locator('[data-testid="decline-advice"][data-reason="emergency"]');
    await advice.waitFor();
    expect(await advice.textContent()).toContain('120');
    await patient.page.getByText('请马上去医院。').first().waitFor();
    await patient.screenshot('declined-phone-zh');
    expect(await seriousFindings(patient)).toEqual([]);
    await patient.page.reload();
    await advice.waitFor();
  });
}, 60_000);

test('[WEB82] [FORM1] a form with pictures of tongue and face, sent before the visit, is a card in both threads', async () => {
  await using stage = await setStage();
  const { consultationId } = await stage.createVisit(LIN, CHEN);
  const patient = await stage.open('patient', LIN, { ...PHONE, ...ZH, consultationId });
  const doctor = await stage.open('doctor', CHEN, { ...DESK, ...ZH, consultationId });
  await watched({ patient, doctor }, async () => {
    await patient.byId('open-form').click();
    await patient.byId('form-send').click();
    await patient.byId('form-problems').waitFor();
    await patient.byId('form-chiefComplaint').fill('咳嗽三天，夜间加重');
    await patient.byId('form-durationValue').fill('3');
    await patient.byId('form-temperature').fill('38.4');
    await patient.byId('form-pick-tongue').setInputFiles(await jpeg('舌.jpg', { colour: '#b04050' }));
    await patient.byId('form-pick-face').setInputFiles(await jpeg('face.jpg', { colour: '#d8b090' }));
    await patient.screenshot('form-phone-zh');
    expect(await seriousFindings(patient)).toEqual([]);
    await patient.byId('form-send').click();
    for (const person of [patient, doctor]) {
      const card = person.byId('entry').filter({ has: person.byId('form-card') });
      await card.waitFor();
      await card.getByText('咳嗽三天，夜间加重').waitFor();
      await eventually(
        'two pictures on the card',
        async () =>
          (await card
            .locator('[data-testid="picture-thumb"] img, img[data-testid="picture-thumb"]')
            .evaluateAll((all) => all.filter((one) => (one as HTMLImageElement).naturalWidth > 0).length)) ===
          2,
      );
    }
    expect(await patient.byId('outgoing').count()).toBe(0);
    await patient.screenshot('form-card-phone-zh');
    await doctor.screenshot('form-card-doctor-zh');
    expect(await seriousFindings(doctor)).toEqual([]);
  });
}, 60_000);

test('[WEB83] for whom a patient consults is shown to the doctor, with the authorisation', async () => {
  await using stage = await setStage();
  const { consultationId } = await stage.createVisit(LIN, CHEN);
  const patient = await stage.open('patient', LIN, { ...PHONE, consultationId });
  const doctor = await stage.open('doctor', CHEN, { ...DESK, consultationId });
  await watched({ patient, doctor }, async () => {
    await patient.byId('open-subject').click();
    await patient.byId('subject-other').check();
    await patient.byId('subject-name').fill('林妈妈');
    await patient.byId('subject-relationship').selectOption('parent');
    await patient.byId('subject-year').fill('1951');
    await patient.byId('subject-save').click();
    await patient.page.locator('#declare-wrong').waitFor();
    await patient.screenshot('subject-phone-en');
    expect(await seriousFindings(patient)).toEqual([]);
    await patient.byId('subject-declare').check();
    await patient.byId('subject-save').click();
    const shown = doctor.byId('subject').first();
    await shown.waitFor();
    expect(await shown.textContent()).toMatch(/林妈妈[\s\S]*1951/);
    await doctor.screenshot('subject-doctor-en');
    await choose(patient, 'subject');
    await patient.byId('subject-self').check();
    await patient.byId('subject-save').click();
    await doctor.byId('subject').first().waitFor({ state: 'detached' });
  });
}, 60_000);
