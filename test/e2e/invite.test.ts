import { readFile } from 'node:fs/promises';
import decodeQR from 'qr/decode.js';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { DESK, type Person, PHONE } from './browser.ts';
import {
  CHEN,
  choose,
  entryWith,
  LIN,
  type Named,
  say,
  seriousFindings,
  setStage,
  watched,
} from './pages.ts';

const ZHOU: Named = { personId: 'doctor-zhou', displayName: '周医生' };
const HE: Named = { personId: 'doctor-he', displayName: '何医生' };
const AUNT: Named = { personId: 'relative-aunt', displayName: '林阿姨' };

/** What a phone's camera would read from a picture. */
async function scanned(picture: Buffer): Promise<string> {
  const { data, info } = await sharp(picture).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return decodeQR({ width: info.width, height: info.height, data });
}

/** Makes the invitation in the dialog that is open, and reads the code off the screen. */
async function inviteByCode(person: Person): Promise<string> {
  await person.byId('invite-create').click();
  const code = person.byId('invite-code');
  await code.waitFor();
  await eventually('the code to be drawn', () =>
    code.evaluate((canvas) => (canvas as HTMLCanvasElement).width > 100),
  );
  return scanned(await code.screenshot());
}

test('[WEB100] a doctor invites a colleague by a code that is scanned, saved and shared; it works once', async () => {
  await using stage = await setStage();
  const { origin } = stage.app;
  const chen = await stage.open('doctor', CHEN, DESK);
  const zhou = await stage.open('doctor', ZHOU, { ...PHONE, locale: 'zh-CN' });
  const he = await stage.open('doctor', HE, DESK);
  await watched({ chen, zhou, he }, async () => {
    await chen.byId('open-colleagues').click();
    await chen.byId('colleague-invite').waitFor();
    await chen.screenshot('colleagues-desk-en');
    expect(await seriousFindings(chen)).toEqual([]);
    await chen.byId('colleague-invite').click();
    const link = await inviteByCode(chen);
    expect(link).toMatch(new RegExp(`^${origin}/doctor#invite=[0-9A-Za-z]{32}$`));
    expect(await chen.byId('invite-link').inputValue()).toBe(link);
    await chen.screenshot('invite-code-desk-en');
    expect(await seriousFindings(chen)).toEqual([]);

    const [download] = await Promise.all([
      chen.page.waitForEvent('download'),
      chen.byId('invite-save').click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.png$/);
    expect(await scanned(await readFile(await download.path()))).toBe(link);

    // The colleague opens the link where the page is open already, and reads who invites.
    await zhou.byId('open-colleagues').waitFor();
    await zhou.page.goto(link);
    await zhou.byId('invitation-who').waitFor();
    expect(await zhou.byId('invitation-who').textContent()).toContain(CHEN.displayName);
    expect(await zhou.page.evaluate(() => location.hash)).toBe('');
    await zhou.screenshot('invitation-phone-zh');
    expect(await seriousFindings(zhou)).toEqual([]);
    await zhou.byId('invitation-accept').click();
    await zhou.byId('text-input').waitFor();
    await say(zhou, '您好，我看了病例。');
    await chen.byId('dialog-close').click();
    await chen.byId('consultation-item').click();
    await entryWith(chen, '您好，我看了病例。').waitFor();
    await chen.screenshot('colleagues-thread-desk-en');

    // A code is used up by who accepts it.
    await he.byId('open-colleagues').waitFor();
    await he.page.goto(link);
    await he.byId('invitation-problem').waitFor();
    await he.screenshot('invitation-used-desk-en');
    expect(await he.byId('invitation-accept').count()).toBe(0);
    expect(await he.byId('consultation-item').count()).toBe(0);
  });
}, 60_000);

test('[WEB101] an invitation waits through the sign-in, and one that was taken back is none', async () => {
  await using stage = await setStage();
  const chen = await stage.open('doctor', CHEN, DESK);
  const zhou = await stage.open('doctor', ZHOU, DESK);
  await watched({ chen, zhou }, async () => {
    await chen.byId('open-colleagues').click();
    await chen.byId('colleague-invite').click();
    const link = await inviteByCode(chen);
    // A new tab holds no token yet.
    await using stranger = await stage.open('doctor', ZHOU, PHONE);
    await stranger.page.evaluate(() => sessionStorage.clear());
    await stranger.page.goto(`${stage.app.origin}/`);
    await stranger.page.goto(link);
    await stranger.byId('missing-link').waitFor();
    await stranger.screenshot('invitation-sign-in-phone-en');
    await stranger.page.goto(stage.link('doctor', ZHOU));
    await stranger.byId('invitation-who').waitFor();
    await chen.byId('invite-revoke').click();
    await chen.byId('invite-code').waitFor({ state: 'detached' });
    await stranger.byId('invitation-accept').click();
    await stranger.byId('invitation-problem').waitFor();
    await zhou.page.goto(link);
    await zhou.byId('invitation-problem').waitFor();
  });
}, 60_000);

test('[WEB102] a patient invites a relative by link, who then takes part under that role', async () => {
  await using stage = await setStage();
  const { consultationId } = await stage.createVisit(LIN, CHEN);
  const patient = await stage.open('patient', LIN, { ...PHONE, locale: 'zh-CN', consultationId });
  const doctor = await stage.open('doctor', CHEN, { ...DESK, consultationId });
  await watched({ patient, doctor }, async () => {
    await doctor.byId('accept').click();
    await choose(patient, 'invite');
    await patient.byId('invite-role-relative').check();
    expect(await patient.byId('invite-role-colleague').count()).toBe(0);
    const link = await inviteByCode(patient);
    expect(link).toMatch(new RegExp(`^${stage.app.origin}/patient#invite=[0-9A-Za-z]{32}$`));
    await patient.screenshot('invite-relative-phone-zh');
    expect(await seriousFindings(patient)).toEqual([]);
    const aunt = await stage.open('patient', AUNT, PHONE);
    await aunt.page.goto(link);
    await aunt.byId('invitation-accept').click();
    await aunt.byId('text-input').waitFor();
    await say(aunt, 'I am her aunt.');
    await patient.byId('dialog-close').click();
    for (const person of [patient, doctor]) {
      await entryWith(person, 'I am her aunt.').waitFor();
      await person.page
        .locator('[data-testid="entry"][data-kind="participant.joined"]')
        .filter({ hasText: AUNT.displayName })
        .waitFor();
    }
    await choose(doctor, 'people');
    await doctor.byId('person').nth(2).waitFor();
    await doctor.screenshot('people-desk-en');
    expect(await seriousFindings(doctor)).toEqual([]);
    await doctor.byId('remove-person').click();
    await doctor.byId('people-confirm').click();
    await aunt.screenshot('removed-phone-en');
  });
}, 60_000);

test('[WEB103] doctors near by see each other after consenting, ask and accept; those who do not consent are not seen', async () => {
  await using stage = await setStage();
  const chen = await stage.open('doctor', CHEN, DESK);
  const zhou = await stage.open('doctor', ZHOU, { ...PHONE, locale: 'zh-CN' });
  const he = await stage.open('doctor', HE, DESK);
  const places = [
    [chen, 31.2304, 121.4737],
    // About a kilometre away, and about 1,000 kilometres.
    [zhou, 31.2384, 121.4787],
    [he, 39.9042, 116.4074],
  ] as const;
  for (const [person, latitude, longitude] of places) {
    await person.page.context().grantPermissions(['geolocation'], { origin: stage.app.origin });
    await person.page.context().setGeolocation({ latitude, longitude });
  }
  await watched({ chen, zhou, he }, async () => {
    await chen.byId('open-colleagues').click();
    await chen.byId('nearby-consent').waitFor();
    await chen.byId('nearby-agree').click();
    await chen.byId('nearby-nobody').waitFor();
    await zhou.byId('open-colleagues').click();
    // Only opened: not seen yet.
    await zhou.byId('nearby-consent').waitFor();
    await chen.byId('nearby-refresh').click();
    await chen.byId('nearby-nobody').waitFor();
    await he.byId('open-colleagues').click();
    await he.byId('nearby-agree').click();
    await he.byId('nearby-nobody').waitFor();
    await zhou.byId('nearby-agree').click();
    await zhou.byId('nearby-ask').waitFor();
    expect(await zhou.byId('nearby-ask').count()).toBe(1);
    expect(await zhou.byId('nearby-ask').getAttribute('aria-label')).toContain(CHEN.displayName);
    await zhou.screenshot('nearby-phone-zh');
    expect(await seriousFindings(zhou)).toEqual([]);
    await chen.byId('nearby-refresh').click();
    await chen.byId('nearby-ask').waitFor();
    expect(await chen.byId('nearby-ask').count()).toBe(1);
    await zhou.byId('nearby-ask').click();
    await zhou.byId('withdraw').waitFor();
    await chen.byId('dialog-close').click();
    await chen.byId('consultation-item').click();
    await chen.byId('accept').waitFor();
    await chen.screenshot('nearby-request-desk-en');
    await chen.byId('accept').click();
    await zhou.byId('withdraw').waitFor({ state: 'detached' });
    await say(zhou, '附近的同事，您好');
    await entryWith(chen, '附近的同事，您好').waitFor();
  });
}, 60_000);
