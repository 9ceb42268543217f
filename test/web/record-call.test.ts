import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { asked, hasChromium, said, useScenes } from './record-pages.ts';
import { ofCall, PHONE } from './scene-pages.ts';

const chromium = test.skipIf(!hasChromium);
const scenes = useScenes();

/** What is heard is noted instead: tones by their frequency, sentences by their words. */
async function listenTo(tab: Page): Promise<void> {
  await tab.evaluate(() => {
    const heard: string[] = [];
    Object.assign(globalThis, { heard });
    const start = Object.getOwnPropertyDescriptor(AudioScheduledSourceNode.prototype, 'start')?.value;
    AudioScheduledSourceNode.prototype.start = function (this: AudioScheduledSourceNode, when) {
      heard.push('tone');
      start.call(this, when);
    };
    speechSynthesis.speak = (utterance) => void heard.push(utterance.text);
  });
}

chromium(
  '[WEB141] the question whether one may be recorded is closed by its two answers alone, and leaves the call usable',
  async () => {
    const tab = await scenes().open('patient', 'recording-asked', PHONE);
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
  const tab = await scenes().open('patient', 'recording-asked');
  expect(await said(tab)).toBe('Dr Wei Li asks to record this call. Please answer.');
  await tab.getByTestId('recording-refuse').press('Enter');
  await tab.getByTestId('recording-consent').waitFor({ state: 'detached' });
  expect(await asked(tab)).toContain('answer false');
  expect(await tab.getByTestId('recording-strip').count()).toBe(0);
});

chromium(
  '[WEB141] whoever joins late is asked, and told that they are not recorded until they agree',
  async () => {
    const tab = await scenes().open('patient', 'recording-late');
    const words = await tab.getByTestId('recording-consent').innerText();
    expect(words).toContain('This call is being recorded');
    expect(words).toContain('You are not recorded until you agree.');
  },
);

chromium('[WEB141] under an open dialog the question is still read and answered', async () => {
  const tab = await scenes().open('patient', 'call-more');
  const recording = `{ recordingId: 'rec_1', startedBy: 'doctor-1', phase: 'asking', since: Date.now(), answerUntil: null,
    consents: [{ personId: 'patient-1', state: 'asked', since: Date.now() }], recorded: [] }`;
  await ofCall(tab, `call.recordingIs(${recording})`);
  await tab.getByTestId('recording-agree').click();
  await tab.getByTestId('recording-consent').waitFor({ state: 'detached' });
});

chromium(
  '[WEB142] that it is recorded is said in words beside the dot, in the large call and above the page beside the small one',
  async () => {
    const large = await scenes().open('patient', 'recording-running', PHONE);
    const strip = large.getByTestId('recording-strip');
    expect(await strip.count()).toBe(1);
    expect(await strip.innerText()).toMatch(/Recording 0:4\d/);
    expect(await large.getByTestId('call-panel').getByTestId('recording-strip').count()).toBe(1);
    const small = await scenes().open('patient', 'recording-small', PHONE);
    const above = small.getByTestId('recording-strip');
    expect(await above.count()).toBe(1);
    expect(await small.getByTestId('floating-recording').innerText()).toBe('Recording');
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
    const tab = await scenes().open('doctor', 'recording-asking');
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
    const tab = await scenes().open('doctor', 'call-more');
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
    const patient = await scenes().open('patient', 'call-more');
    expect(await patient.getByTestId('call-record').count()).toBe(0);
  },
  60_000,
);

chromium(
  '[WEB145] what happened to recordings, notes and follow-ups stays in the thread and leads on',
  async () => {
    const tab = await scenes().open('patient', 'recording-thread');
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
  '[WEB142] a device of the person that is not in the call shows the recording too, and may stop it',
  async () => {
    const tab = await scenes().open('patient', 'recording-running');
    await ofCall(tab, "call.goElsewhere('answered_elsewhere')");
    await tab.getByTestId('call-panel').waitFor({ state: 'detached' });
    const strip = tab.getByTestId('recording-strip');
    expect(await strip.count()).toBe(1);
    await tab.getByTestId('recording-withdraw').click();
    await strip.waitFor({ state: 'detached' });
    expect(await asked(tab)).toContain('answer false');
  },
);
