import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { asked, hasChromium, ofRecords, useScenes } from './record-pages.ts';
import { PHONE } from './scene-pages.ts';

const chromium = test.skipIf(!hasChromium);
const scenes = useScenes();

chromium(
  '[WEB149] a dictation is begun, paused, heard and finished, says how much of it is safe, and becomes a draft to sign',
  async () => {
    const tab = await scenes().open('doctor', 'thread', PHONE);
    await tab.getByTestId('visit-menu').click();
    await tab.getByTestId('menu-notes').click();
    await tab.getByTestId('dictate').click();
    const dictation = tab.getByTestId('dictation');
    await eventually('time runs', async () => (await dictation.innerText()).includes('0:02'));
    expect(await dictation.innerText()).toMatch(/on this device · .* on the server/);
    await tab.getByTestId('dictation-pause').click();
    await tab.getByTestId('dictation-listen').click();
    await tab.locator('audio[controls]').waitFor();
    await tab.getByTestId('dictation-finish').click();
    await tab.getByTestId('note-editor').waitFor();
    await tab.getByTestId('note-text').fill('All well.');
    await tab.getByTestId('trim-number-startMs').fill('1');
    await tab.getByTestId('trim-number-startMs').press('Tab');
    expect(await tab.getByTestId('trim-told').innerText()).toContain('1 sec cut off');
    await tab.getByTestId('trim-slider-endMs').press('ArrowLeft');
    await tab.getByTestId('note-sign').click();
    await tab.getByTestId('note-sign-confirm').click();
    await tab.getByTestId('signed-note').waitFor();
    const note = await ofRecords<{ state: string; current: { text: string; audio: object } }>(
      tab,
      'records.notes[0]',
    );
    expect(note.state).toBe('signed');
    expect(note.current).toMatchObject({ text: 'All well.', audio: { startMs: 1000, endMs: 2900 } });
  },
  60_000,
);

chromium(
  '[WEB150] an interrupted dictation is offered above the page: it is continued, finished as it is, or thrown away after asking',
  async () => {
    const tab = await scenes().open('doctor', 'dictation-interrupted');
    expect(await tab.getByTestId('dictation-bar').innerText()).toContain('An interrupted dictation');
    await tab.getByTestId('dictation-bar-show').click();
    expect(await tab.getByTestId('dictation').innerText()).toContain('It is still here.');
    await tab.getByTestId('dictation-discard').click();
    await tab.keyboard.press('Escape');
    expect(await tab.getByTestId('dictation').getAttribute('data-state')).toBe('interrupted');
    await tab.getByTestId('dictation-continue').click();
    await tab.locator('[data-testid=dictation][data-state=recording]').waitFor();
    await tab.getByTestId('dictation-finish').click();
    await tab.getByTestId('note-editor').waitFor();
    expect(await tab.getByTestId('dictation-bar').count()).toBe(0);
  },
  60_000,
);

chromium(
  '[WEB150] a dictation that runs stays in sight when another visit is opened, and is paused from there',
  async () => {
    const tab = await scenes().open('doctor', 'dictation-bar');
    await tab.getByText('Jonas Meyer').first().click();
    const bar = tab.getByTestId('dictation-bar');
    expect(await bar.innerText()).toContain('Dictation for Anna Lindqvist');
    await tab.getByTestId('dictation-bar-pause').click();
    await tab.locator('[data-testid=dictation-bar][data-state=paused]').waitFor();
    await tab.getByTestId('dictation-bar-show').click();
    await tab.getByTestId('dictation').waitFor();
    expect(await tab.locator('h1', { hasText: 'Anna Lindqvist' }).count()).toBe(1);
  },
);

chromium('[WEB151] a conflict shows both texts; joined, both are saved', async () => {
  const tab = await scenes().open('doctor', 'note-conflict');
  const conflict = tab.getByTestId('note-conflict');
  expect(await conflict.innerText()).toContain('I started a new washing powder last week!');
  expect(await conflict.innerText()).toContain('Did you change anything lately');
  await tab.getByTestId('conflict-both').click();
  await conflict.waitFor({ state: 'detached' });
  const text = await ofRecords<string>(
    tab,
    "records.notes.find(({ state }) => state === 'draft').current.text",
  );
  expect(text).toContain('washing powder');
  expect(text).toContain('Did you change anything lately');
});

chromium('[WEB151] an earlier version is read and taken again, as a further version', async () => {
  const tab = await scenes().open('doctor', 'note-draft');
  await tab.getByTestId('note-history').locator('summary').click();
  const versions = tab.getByTestId('note-version');
  await eventually('both versions are there', async () => (await versions.count()) === 2);
  expect(await versions.last().innerText()).toContain('No fever.');
  await tab.getByTestId('note-restore').click();
  expect(await tab.getByTestId('note-text').inputValue()).toBe('No fever.');
  await tab.getByTestId('note-text').focus();
  await tab.getByTestId('note-text').blur();
  await eventually('a third version is there', async () => (await versions.count()) === 3);
});

chromium(
  '[WEB152] the patient reads and hears what was signed, and sees neither draft nor recorder',
  async () => {
    const tab = await scenes().open('patient', 'notes', PHONE);
    const note = tab.getByTestId('signed-note');
    expect(await note.innerText()).toContain('Signed by Dr Wei Li');
    expect(await note.innerText()).toContain('Added by Dr Wei Li');
    expect(await note.getByTestId('lane-play').count()).toBe(1);
    for (const absent of ['draft-note', 'dictate', 'write-note', 'note-add'])
      expect(await tab.getByTestId(absent).count(), absent).toBe(0);
  },
);

chromium('[WEB152] to a signed note is only added, and what it said stays', async () => {
  const tab = await scenes().open('doctor', 'notes');
  await tab.getByTestId('note-add').click();
  expect(await tab.getByTestId('note-add-confirm').isDisabled()).toBe(true);
  await tab.getByTestId('note-add-text').fill('Called back: all well.');
  await tab.getByTestId('note-add-confirm').click();
  await tab.getByTestId('note-addition').filter({ hasText: 'Called back: all well.' }).waitFor();
  expect(await tab.getByTestId('signed-note').innerText()).toContain('Please stop using it');
});

chromium(
  '[WEB153] the doctor plans a follow-up by day and reason, and is told what is wrong; what is due comes first',
  async () => {
    const tab = await scenes().open('doctor', 'follow-up-form');
    const states = await tab
      .getByTestId('follow-up')
      .evaluateAll((cards) => cards.map((card) => card.getAttribute('data-state')));
    expect(states).toEqual(['due', 'planned', 'done']);
    await tab.getByTestId('follow-up-save').click();
    expect(await tab.getByTestId('follow-up-form').getByRole('alert').count()).toBe(2);
    const day = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
    await tab.getByTestId('follow-up-date').fill(day);
    await tab.getByTestId('follow-up-reason').fill('Blood pressure');
    await tab.getByTestId('follow-up-save').click();
    await tab.getByTestId('follow-up').filter({ hasText: 'Blood pressure' }).waitFor();
    expect(await asked(tab)).toContain('planFollowUp');
  },
  60_000,
);

chromium(
  '[WEB154] a begun follow-up brings the call buttons into the ended visit, and is completed with outcome and note',
  async () => {
    const tab = await scenes().open('doctor', 'follow-ups');
    expect(await tab.getByTestId('call-voice').count()).toBe(0);
    await tab.getByTestId('follow-up-begin').first().click();
    await tab.getByTestId('call-voice').waitFor();
    await tab.getByTestId('follow-up-complete').click();
    await tab.getByTestId('outcome-not_reached').check();
    await tab.getByTestId('follow-up-complete-confirm').click();
    await tab.getByTestId('call-voice').waitFor({ state: 'detached' });
    const board = await ofRecords<{ followUps: { state: string; outcome: string }[] }>(
      tab,
      'records.followUps',
    );
    expect(board.followUps[1]).toMatchObject({ state: 'done', outcome: 'not_reached' });
  },
  60_000,
);

chromium(
  '[WEB155] the patient says in one switch that they do not want to be contacted; the doctor sees it and cannot begin',
  async () => {
    const tab = await scenes().open('patient', 'follow-ups', PHONE);
    const refuse = tab.getByRole('switch', { name: /Please do not contact me/ });
    expect(await refuse.getAttribute('aria-checked')).toBe('false');
    expect(await refuse.innerText()).toContain('ends at once');
    await refuse.press('Space');
    await tab.getByText('You are not contacted after the visit.').waitFor();
    expect(await refuse.getAttribute('aria-checked')).toBe('true');
    expect(await asked(tab)).toContain('refuseContact true');
    expect(await tab.getByTestId('follow-up-plan').count()).toBe(0);
    const doctor = await scenes().open('doctor', 'follow-up-refused');
    expect(await doctor.getByTestId('contact-refused').innerText()).toContain(
      'does not want to be contacted',
    );
    expect(await doctor.getByTestId('follow-up-begin').first().isDisabled()).toBe(true);
  },
  60_000,
);
