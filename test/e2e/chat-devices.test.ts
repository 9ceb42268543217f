import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { namedToken } from '../helpers/test-tokens.ts';
import { textDraft } from '../helpers/visit.ts';
import { DESK, type Person, PHONE } from './browser.ts';
import {
  CHEN,
  choose,
  entryWith,
  LIN,
  type Stage,
  say,
  seriousFindings,
  setStage,
  WANG,
  watched,
} from './pages.ts';

/** A begun visit between raw clients: no page has read anything. */
async function begin(stage: Stage, person = LIN) {
  const { consultationId } = await stage.createVisit(person, CHEN);
  const client = await RawClient.connect(stage.app.origin, namedToken(person.personId, person.displayName));
  await client.request('consultation.enter', { consultationId });
  await using doctor = await RawClient.connect(
    stage.app.origin,
    namedToken(CHEN.personId, CHEN.displayName, 'doctor'),
  );
  await doctor.request('consultation.accept', { consultationId });
  const write = (text: string) =>
    client.request('message.send', {
      consultationId,
      clientMessageId: `raw-${Math.random().toString(36).slice(2)}-message`,
      content: textDraft(text),
    });
  return { consultationId, write, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}

const badge = (page: Person, consultationId: string) =>
  page.page.locator(`[data-consultation="${consultationId}"] [data-testid="unread-badge"]`);

test('[WEB89] the badges of two devices agree, and reading on one clears both', async () => {
  await using stage = await setStage();
  await using lin = await begin(stage);
  await using wang = await begin(stage, WANG);
  for (const text of ['一', '二', '三']) await lin.write(text);
  await wang.write('王的消息');
  const desk = await stage.open('doctor', CHEN, DESK);
  const phone = await stage.open('doctor', CHEN, { ...PHONE, locale: 'zh-CN' });
  await watched({ desk, phone }, async () => {
    const both = [desk, phone];
    for (const page of both) {
      await badge(page, lin.consultationId).getByText('3', { exact: true }).waitFor();
      await badge(page, wang.consultationId).getByText('1', { exact: true }).waitFor();
    }
    await lin.write('四');
    for (const page of both) await badge(page, lin.consultationId).getByText('4', { exact: true }).waitFor();
    await phone.screenshot('unread-phone-zh');
    await desk.screenshot('unread-desk-en');
    for (const page of both) expect(await seriousFindings(page)).toEqual([]);
    expect(await desk.page.title()).toMatch(/^\(5\)/);
    await phone.page.locator(`[data-consultation="${lin.consultationId}"]`).click();
    await entryWith(phone, '四').waitFor();
    for (const page of both) await badge(page, lin.consultationId).waitFor({ state: 'detached' });
    await badge(desk, wang.consultationId).getByText('1', { exact: true }).waitFor();
    await eventually('the title', async () => (await desk.page.title()).startsWith('(1)'));
    // It is kept: a page opened later agrees.
    const later = await stage.open('doctor', CHEN, DESK);
    await badge(later, wang.consultationId).waitFor();
    expect(await badge(later, lin.consultationId).count()).toBe(0);
  });
}, 60_000);

test('[WEB90] a search finds Chinese text in another width, and a press on it leads there', async () => {
  await using stage = await setStage();
  await using visit = await begin(stage);
  await visit.write('血压是１３５/８５，早上量的');
  for (let index = 1; index <= 150; index += 1) await visit.write(`第 ${index} 条记录`);
  const doctor = await stage.open('doctor', CHEN, {
    ...DESK,
    locale: 'zh-CN',
    consultationId: visit.consultationId,
  });
  await watched({ doctor }, async () => {
    await doctor.byId('entry').first().waitFor();
    await choose(doctor, 'search');
    await doctor.byId('search-input').fill('血压是135');
    await doctor.byId('search-go').click();
    await doctor.byId('search-match').waitFor();
    expect(await doctor.byId('search-match').count()).toBe(1);
    await doctor.screenshot('search-desk-zh');
    expect(await seriousFindings(doctor)).toEqual([]);
    await doctor.byId('new-messages').click();
    await eventually(
      'the message to be let go',
      async () => (await entryWith(doctor, '血压是').count()) === 0,
    );
    await doctor.byId('search-match').click();
    await eventually('the message in view', () =>
      entryWith(doctor, '血压是').evaluate((row) => {
        const { top, bottom } = row.getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight;
      }),
    );
    await doctor.byId('search-input').fill('不存在的词');
    await doctor.byId('search-go').click();
    await doctor.byId('search-match').waitFor({ state: 'detached' });
    const close = await doctor.byId('search-close').boundingBox();
    expect((close?.x ?? 0) + (close?.width ?? 0)).toBeLessThanOrEqual(DESK.viewport.width);
    await doctor.byId('search-close').click();
    await doctor.byId('search-results').waitFor({ state: 'detached' });
  });
}, 60_000);

test('[WEB91] a text begun is there again after a reload, each in its own consultation', async () => {
  await using stage = await setStage();
  await using lin = await begin(stage);
  await using wang = await begin(stage, WANG);
  const doctor = await stage.open('doctor', CHEN, { ...DESK, consultationId: lin.consultationId });
  await watched({ doctor }, async () => {
    await doctor.byId('text-input').fill('写到一半的建议');
    await doctor.page.locator(`[data-consultation="${wang.consultationId}"]`).click();
    await eventually('an empty field', async () => (await doctor.byId('text-input').inputValue()) === '');
    await doctor.byId('text-input').fill('给王先生');
    await doctor.page.reload();
    await eventually('the draft', async () => (await doctor.byId('text-input').inputValue()) === '给王先生');
    await doctor.page.locator(`[data-consultation="${lin.consultationId}"]`).click();
    await eventually(
      'the other draft',
      async () => (await doctor.byId('text-input').inputValue()) === '写到一半的建议',
    );
    await doctor.byId('send').click();
    await doctor.byId('ticks').waitFor();
    await doctor.page.reload();
    await doctor.byId('ticks').waitFor();
    expect(await doctor.byId('text-input').inputValue()).toBe('');
  });
}, 60_000);

/** What the patient wrote, as the doctor reads it. */
const textsAt = (person: Person) =>
  person.page
    .locator('[data-testid="entry"][data-kind="message.sent"]')
    .evaluateAll((rows) =>
      rows.map((row) => row.querySelector('tele-entry')?.shadowRoot?.querySelector('.text')?.textContent),
    );

test('[WEB92] what is written without a connection waits in the thread, and is sent once after coming back', async () => {
  await using stage = await setStage();
  await using visit = await begin(stage);
  const { consultationId } = visit;
  const patient = await stage.open('patient', LIN, { ...PHONE, locale: 'zh-CN', consultationId });
  const doctor = await stage.open('doctor', CHEN, { ...DESK, consultationId });
  const context = patient.page.context();
  await watched({ patient, doctor }, async () => {
    await patient.byId('text-input').waitFor();
    await doctor.byId('text-input').waitFor();
    await context.setOffline(true);
    await say(patient, '离线写的第一条');
    await say(patient, '离线写的第二条');
    await eventually('both in the outbox', async () => (await patient.byId('outgoing').count()) === 2);
    await patient.screenshot('offline-phone-zh');
    expect(await seriousFindings(patient)).toEqual([]);
    expect(await entryWith(doctor, '离线写的第一条').count()).toBe(0);
    await context.setOffline(false);
    await entryWith(doctor, '离线写的第二条').waitFor();
    await patient.byId('outgoing').first().waitFor({ state: 'detached' });
    expect(await textsAt(doctor)).toEqual(['离线写的第一条', '离线写的第二条']);
  });
}, 60_000);

test('[WEB92] what is written without a connection is sent once after a reload meanwhile', async () => {
  await using stage = await setStage();
  await using visit = await begin(stage);
  const { consultationId } = visit;
  const patient = await stage.open('patient', LIN, { ...PHONE, consultationId });
  const doctor = await stage.open('doctor', CHEN, { ...DESK, consultationId });
  const context = patient.page.context();
  // A page that is loaded anew gets its files, but not the connection.
  let isCut = false;
  let attempts = 0;
  await context.routeWebSocket('**/socket.io/**', (socket) => {
    if (!isCut) return void socket.connectToServer();
    attempts += 1;
    void socket.close();
  });
  await context.route('**/socket.io/**', (route) => (isCut ? route.abort() : route.continue()));
  await watched({ patient, doctor }, async () => {
    await patient.byId('text-input').waitFor();
    await doctor.byId('text-input').waitFor();
    isCut = true;
    await context.setOffline(true);
    await say(patient, '离线写的第一条');
    await say(patient, '离线写的第二条');
    await eventually('both in the outbox', async () => (await patient.byId('outgoing').count()) === 2);
    await context.setOffline(false);
    await patient.page.reload();
    await eventually('an attempt to connect in vain', () => attempts >= 1);
    isCut = false;
    await entryWith(doctor, '离线写的第二条').waitFor();
    await entryWith(patient, '离线写的第二条').waitFor();
    await patient.byId('outgoing').first().waitFor({ state: 'detached' });
    expect(await textsAt(doctor)).toEqual(['离线写的第一条', '离线写的第二条']);
  });
}, 60_000);
