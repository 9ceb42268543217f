import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { asked, hasChromium, ofRecords, useScenes } from './record-pages.ts';
import { PHONE } from './scene-pages.ts';

const chromium = test.skipIf(!hasChromium);
const scenes = useScenes();

chromium(
  '[WEB146] both lanes play by one clock from where they were taken, and go on together after a jump',
  async () => {
    const tab = await scenes().open('doctor', 'records');
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
    const tab = await scenes().open('doctor', 'records-player');
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
    const tab = await scenes().open('doctor', 'records');
    const states = await tab
      .getByTestId('recording')
      .evaluateAll((cards) => cards.map((card) => card.getAttribute('data-state')));
    expect(states).toEqual(['ready', 'sealing', 'ready', 'erased']);
    expect(await tab.getByTestId('recording-loss').innerText()).toMatch(
      /Its end was lost when the server stopped at/,
    );
    const patient = await scenes().open('patient', 'records');
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
    const tab = await scenes().open('doctor', 'records-player', PHONE);
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
