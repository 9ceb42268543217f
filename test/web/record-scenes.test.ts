import { existsSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { DESK, ofCall, PHONE, type ScenePages, startScenes } from './scene-pages.ts';

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';

const VARIANTS = [
  { ...PHONE, locale: 'zh-CN', colorScheme: 'dark' },
  { ...DESK, locale: 'en-GB', colorScheme: 'light' },
  { ...PHONE, locale: 'en-US', colorScheme: 'light' },
  { ...DESK, locale: 'zh-CN', colorScheme: 'dark' },
] as const;

/** As web/dev/scenes-records.ts has them, each with the page on which it can be. */
const SCENES: readonly (readonly [page: 'patient' | 'doctor', scene: string])[] = [
  ...['recording-asked', 'recording-late', 'recording-running', 'recording-small', 'recording-thread'].map(
    (scene) => ['patient', scene] as const,
  ),
  ...['records', 'records-none', 'notes', 'follow-ups'].map((scene) => ['patient', scene] as const),
  ...['recording-asking', 'recording-running', 'recording-paused', 'recording-small'].map(
    (scene) => ['doctor', scene] as const,
  ),
  ...['records', 'records-player', 'notes', 'note-draft', 'note-conflict'].map(
    (scene) => ['doctor', scene] as const,
  ),
  ...[
    'dictating',
    'dictation-paused',
    'dictation-interrupted',
    'dictation-offline',
    'dictation-bar',
    'follow-ups',
    'follow-up-form',
    'follow-up-result',
    'follow-up-refused',
  ].map((scene) => ['doctor', scene] as const),
];

/** How many scenes are looked at at the same time: most of the time goes into waiting for animations. */
const AT_ONCE = 2;

let scenes: ScenePages;

beforeAll(async () => {
  if (existsSync(CHROMIUM)) scenes = await startScenes();
}, 60_000);

afterAll(async () => {
  await scenes?.[Symbol.asyncDispose]();
});

const chromium = test.skipIf(!existsSync(CHROMIUM));

/** What was asked of the mock of records, as web/dev/mock-records.ts has it. */
const asked = (tab: Page): Promise<string[]> => tab.evaluate('globalThis.mock.records.asked');
const ofRecords = <T>(tab: Page, read: string): Promise<T> =>
  tab.evaluate(`(() => { const { records } = globalThis.mock; return ${read}; })()`);
/** What the live region said last. */
const said = (tab: Page): Promise<string> =>
  tab.evaluate("document.querySelector('body > [role=status]').textContent.trim()");

/** What is heard is noted instead: tones by their frequency, sentences by their words. */
async function listenTo(tab: Page): Promise<void> {
  await tab.evaluate(() => {
    const heard: string[] = [];
    Object.assign(globalThis, { heard });
    const create = AudioContext.prototype.createOscillator;
    AudioContext.prototype.createOscillator = function (this: AudioContext) {
      heard.push('tone');
      return create.call(this);
    };
    speechSynthesis.speak = (utterance) => void heard.push(utterance.text);
  });
}

for (const [share, name] of ['first', 'second'].entries())
  chromium(
    `[WEB140] axe finds nothing in any state of recordings, dictations, notes and follow-ups (${name} half)`,
    async () => {
      const findings: Record<string, string[]> = {};
      const waiting = [...SCENES.entries()].filter(([index]) => index % 2 === share);
      const lookOn = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const [index, [page, scene]] = next;
          const found = await scenes.look(page, scene, VARIANTS[(index >> 1) % VARIANTS.length] ?? {});
          if (found.length > 0) findings[`${page} ${scene}`] = found;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, lookOn));
      expect(findings).toEqual({});
    },
    200_000,
  );

chromium(
  '[WEB141] the question whether one may be recorded is closed by its two answers alone, and leaves the call usable',
  async () => {
    const tab = await scenes.open('patient', 'recording-asked', PHONE);
    const card = tab.getByTestId('recording-consent');
    const words = await card.innerText();
    expect(words).toContain('Dr Wei Li asks to record this call');
    expect(words).toContain('Your voice, your picture');
    expect(words).toContain('every access is logged');
    expect(words).toContain('You can change your mind at any time');
    await tab.keyboard.press('Escape');
    await tab.keyboard.press('Enter');
    await tab.keyboard.press('Space');
    await tab.mouse.click(195, 500);
    expect(await card.isVisible()).toBe(true);
    expect(await asked(tab)).not.toContain('answer true');
    // Hanging up and muting are not taken away.
    await tab.getByTestId('call-mute').click();
    expect(await ofCall(tab, 'call.microphoneOn')).toBe(false);
    await tab.getByTestId('recording-agree').click();
    await card.waitFor({ state: 'detached' });
    expect(await asked(tab)).toContain('answer true');
    await tab.locator('[data-testid=recording-strip][data-phase=running]').waitFor();
  },
  60_000,
);

chromium('[WEB141] no is one press, and says so to nobody but the server', async () => {
  const tab = await scenes.open('patient', 'recording-asked');
  expect(await said(tab)).toBe('Dr Wei Li asks to record this call. Please answer.');
  await tab.getByTestId('recording-refuse').press('Enter');
  await tab.getByTestId('recording-consent').waitFor({ state: 'detached' });
  expect(await asked(tab)).toContain('answer false');
  expect(await tab.getByTestId('recording-strip').count()).toBe(0);
});

chromium(
  '[WEB141] whoever joins late is asked, and told that they are not recorded until they agree',
  async () => {
    const tab = await scenes.open('patient', 'recording-late');
    const words = await tab.getByTestId('recording-consent').innerText();
    expect(words).toContain('This call is being recorded');
    expect(words).toContain('You are not recorded until you agree.');
  },
);

chromium('[WEB141] under an open dialog the question is still read and answered', async () => {
  const tab = await scenes.open('patient', 'call-more');
  await tab.evaluate(() => {
    const { visit, client } = (globalThis as { mock?: any }).mock;
    const call = client.activeCall ?? visit.call;
    call.recordingIs({
      recordingId: 'rec_1',
      startedBy: 'doctor-1',
      phase: 'asking',
      since: Date.now(),
      answerUntil: null,
      consents: [{ personId: 'patient-1', state: 'asked', since: Date.now() }],
      recorded: [],
    });
  });
  await tab.getByTestId('recording-agree').click();
  await tab.getByTestId('recording-consent').waitFor({ state: 'detached' });
});

chromium(
  '[WEB142] that it is recorded is said in words beside the dot, in the large call and above the page beside the small one',
  async () => {
    const large = await scenes.open('patient', 'recording-running', PHONE);
    const strip = large.getByTestId('recording-strip');
    expect(await strip.count()).toBe(1);
    expect(await strip.innerText()).toMatch(/Recording 0:4\d/);
    expect(await large.getByTestId('call-panel').getByTestId('recording-strip').count()).toBe(1);
    const small = await scenes.open('patient', 'recording-small', PHONE);
    const above = small.getByTestId('recording-strip');
    expect(await above.count()).toBe(1);
    const box = await above.boundingBox();
    expect(box?.y).toBeLessThan(60);
    await small.getByTestId('recording-withdraw').click();
    await above.waitFor({ state: 'detached' });
    expect(await asked(small)).toContain('answer false');
    expect(await said(small)).toBe('The recording has ended.');
  },
  60_000,
);

chromium(
  '[WEB143] beginning and going on are heard as two tones and a sentence, and read out; a pause is read out',
  async () => {
    const tab = await scenes.open('doctor', 'recording-asking');
    await listenTo(tab);
    const become = (phase: string) =>
      ofCall(tab, `call.recordingIs({ ...call.view.recording, phase: '${phase}', since: Date.now() })`);
    const heard = () => tab.evaluate<string[]>('globalThis.heard');
    await become('running');
    await eventually('the beginning is heard', async () => (await heard()).length >= 3);
    expect(await heard()).toEqual(['tone', 'tone', 'This call is now being recorded.']);
    expect(await said(tab)).toBe('This call is now being recorded.');
    await become('paused');
    await eventually('the pause is read', async () => (await said(tab)) === 'The recording is paused.');
    expect(await heard()).toHaveLength(3);
    await become('running');
    await eventually('going on is heard', async () => (await heard()).length >= 6);
    expect((await heard()).at(-1)).toBe('The recording goes on.');
  },
  60_000,
);

chromium(
  '[WEB144] the doctor asks from the menu of the call, pauses, goes on and ends; the patient has none of it',
  async () => {
    const tab = await scenes.open('doctor', 'call-more');
    await tab.getByTestId('call-record').press('Enter');
    const strip = tab.getByTestId('recording-strip');
    await strip.waitFor();
    expect(await strip.innerText()).toContain('Waiting for the answer of Anna Lindqvist');
    await ofCall(tab, "call.recordingIs({ ...call.view.recording, phase: 'running', since: Date.now() })");
    await tab.getByTestId('recording-pause').click();
    await tab.getByTestId('recording-resume').click();
    await tab.getByTestId('recording-stop').click();
    await strip.waitFor({ state: 'detached' });
    const made = await asked(tab);
    expect(made.filter((one) => one !== 'load')).toEqual(['record', 'paused', 'running', 'stop']);
    const patient = await scenes.open('patient', 'call-more');
    expect(await patient.getByTestId('call-record').count()).toBe(0);
  },
  60_000,
);

chromium(
  '[WEB145] what happened to recordings, notes and follow-ups stays in the thread and leads on',
  async () => {
    const tab = await scenes.open('patient', 'recording-thread');
    const lines = tab.getByTestId('record-line');
    await eventually('the lines are there', async () => (await lines.count()) === 9);
    const words = (await lines.allInnerTexts()).join('\n');
    expect(words).toContain('Everybody had agreed: the recording began.');
    expect(words).toContain('You did not want to be recorded any more. Recording has stopped.');
    await lines.filter({ hasText: 'signed the summary' }).getByRole('button').click();
    await tab.getByTestId('notes-dialog').waitFor();
  },
);

chromium(
  '[WEB146] both lanes play by one clock from where they were taken, and go on together after a jump',
  async () => {
    const tab = await scenes.open('doctor', 'records');
    await tab.evaluate(() => {
      const made: HTMLMediaElement[] = [];
      Object.assign(globalThis, { made });
      const create = document.createElement.bind(document);
      document.createElement = ((name: string, options?: ElementCreationOptions) => {
        const element = create(name, options);
        if (element instanceof HTMLMediaElement) made.push(element);
        return element;
      }) as typeof document.createElement;
    });
    await tab.getByTestId('recording-listen').first().click();
    const lanes = tab.getByTestId('lane');
    expect(await lanes.count()).toBe(2);
    await eventually('who spoke is counted', async () => /spoke for/.test(await lanes.first().innerText()));
    const voices = () =>
      tab.evaluate<{ at: number; paused: boolean }[]>(
        "globalThis.made.filter((one) => one.tagName === 'AUDIO').map((one) => ({ at: one.currentTime, paused: one.paused }))",
      );
    const seek = tab.getByTestId('lane-seek');
    await seek.focus();
    await seek.fill('10000');
    await tab.getByTestId('lane-play').click();
    const together = async (): Promise<boolean> => {
      const [doctor, patient] = await voices();
      if (doctor === undefined || patient === undefined || doctor.paused || patient.paused) return false;
      // The patient's file begins two seconds later.
      return doctor.at > 10.3 && Math.abs(doctor.at - patient.at - 2) < 0.3;
    };
    await eventually('both play, two seconds apart', together, { lastSeen: () => 'see the voices' });
    await tab.getByTestId('lane-forward').click();
    await eventually('both go on ten seconds further', async () => {
      const [doctor, patient] = await voices();
      return (doctor?.at ?? 0) > 20.3 && Math.abs((doctor?.at ?? 0) - (patient?.at ?? 0) - 2) < 0.3;
    });
    await tab.getByTestId('lane-play').click();
    await eventually('both stand still', async () => (await voices()).every(({ paused }) => paused));
    await lanes.nth(1).getByTestId('lane-mute').click();
    expect(
      await tab.evaluate("globalThis.made.filter((one) => one.tagName === 'AUDIO').map((one) => one.muted)"),
    ).toEqual([false, true]);
  },
  90_000,
);

chromium(
  '[WEB147] the position is a slider that keys move and that says the time and who speaks; the speed is chosen beside it',
  async () => {
    const tab = await scenes.open('doctor', 'records-player');
    const seek = tab.getByTestId('lane-seek');
    await eventually('who speaks is said', async () =>
      /^0\s?secs? of 24\s?secs?, You speaking/.test((await seek.getAttribute('aria-valuetext')) ?? ''),
    );
    await seek.focus();
    for (let press = 0; press < 4; press += 1) await seek.press('ArrowRight');
    expect(await tab.getByTestId('lane-time').innerText()).toBe('0:04 / 0:24');
    await seek.press('End');
    expect(await tab.getByTestId('lane-time').innerText()).toBe('0:24 / 0:24');
    await tab.getByTestId('lane-back').press('Enter');
    expect(await tab.getByTestId('lane-time').innerText()).toBe('0:14 / 0:24');
    const speeds = await tab.getByTestId('lane-speed').locator('option').allInnerTexts();
    expect(speeds).toEqual(['0.75×', '1×', '1.25×', '1.5×', '2×']);
    expect(await tab.getByTestId('lane-picture').count()).toBe(1);
  },
);

chromium(
  '[WEB148] the list says how each recording stands and what was lost; only what one may do is offered',
  async () => {
    const tab = await scenes.open('doctor', 'records');
    const states = await tab
      .getByTestId('recording')
      .evaluateAll((cards) => cards.map((card) => card.getAttribute('data-state')));
    expect(states).toEqual(['ready', 'sealing', 'ready', 'erased']);
    expect(await tab.getByTestId('recording-loss').innerText()).toMatch(
      /Its end was lost when the server stopped at/,
    );
    const patient = await scenes.open('patient', 'records');
    expect(await patient.getByTestId('recording-erase').count()).toBe(0);
    await patient.getByTestId('recording-listen').first().click();
    await patient.getByTestId('lane-player').waitFor();
    expect(await patient.getByTestId('recording-download').count()).toBe(0);
    expect(await patient.getByTestId('recording-compose').count()).toBe(0);
  },
  60_000,
);

chromium(
  '[WEB148] one file is made with its progress told, and erasing asks first and says that it is for good',
  async () => {
    const tab = await scenes.open('doctor', 'records-player', PHONE);
    await tab.getByTestId('recording-compose').click();
    expect(await tab.getByTestId('composition').innerText()).toBe('Being made: 35%');
    const { recordingId } = await ofRecords<{ recordingId: string }>(tab, 'records.recordings[0]');
    await ofRecords(
      tab,
      `records.change('${recordingId}', { composition: { state: 'ready', fileId: records.recordings[0].files[0].fileId, contentType: 'video/webm', byteSize: 9, durationMs: 9 } })`,
    );
    await tab.getByTestId('recording-download-one').waitFor();
    await tab.getByTestId('recording-erase').first().click();
    await tab.getByText('Its sound and picture cannot be brought back by anybody.').waitFor();
    await tab.keyboard.press('Escape');
    expect(await asked(tab)).not.toContain('erase');
    await tab.getByTestId('recording-erase').first().click();
    await tab.getByTestId('recording-erase-confirm').click();
    await eventually('it is erased', async () => (await asked(tab)).includes('erase'));
    await tab.getByTestId('lane-player').waitFor({ state: 'detached' });
  },
);

chromium(
  '[WEB149] a dictation is begun, paused, heard and finished, says how much of it is safe, and becomes a draft to sign',
  async () => {
    const tab = await scenes.open('doctor', 'thread', PHONE);
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
    const tab = await scenes.open('doctor', 'dictation-interrupted');
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
    const tab = await scenes.open('doctor', 'dictation-bar');
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
  const tab = await scenes.open('doctor', 'note-conflict');
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

chromium(
  '[WEB152] the patient reads and hears what was signed, and sees neither draft nor recorder',
  async () => {
    const tab = await scenes.open('patient', 'notes', PHONE);
    const note = tab.getByTestId('signed-note');
    expect(await note.innerText()).toContain('Signed by Dr Wei Li');
    expect(await note.innerText()).toContain('Added by Dr Wei Li');
    expect(await note.getByTestId('lane-play').count()).toBe(1);
    for (const absent of ['draft-note', 'dictate', 'write-note', 'note-add'])
      expect(await tab.getByTestId(absent).count(), absent).toBe(0);
  },
);

chromium('[WEB152] to a signed note is only added, and what it said stays', async () => {
  const tab = await scenes.open('doctor', 'notes');
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
    const tab = await scenes.open('doctor', 'follow-up-form');
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
    const tab = await scenes.open('doctor', 'follow-ups');
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
    const tab = await scenes.open('patient', 'follow-ups', PHONE);
    const refuse = tab.getByRole('switch', { name: /Please do not contact me/ });
    expect(await refuse.getAttribute('aria-checked')).toBe('false');
    expect(await refuse.innerText()).toContain('ends at once');
    await refuse.press('Space');
    await tab.getByText('You are not contacted after the visit.').waitFor();
    expect(await refuse.getAttribute('aria-checked')).toBe('true');
    expect(await asked(tab)).toContain('refuseContact true');
    expect(await tab.getByTestId('follow-up-plan').count()).toBe(0);
    const doctor = await scenes.open('doctor', 'follow-up-refused');
    expect(await doctor.getByTestId('contact-refused').innerText()).toContain(
      'does not want to be contacted',
    );
    expect(await doctor.getByTestId('follow-up-begin').first().isDisabled()).toBe(true);
  },
  60_000,
);
