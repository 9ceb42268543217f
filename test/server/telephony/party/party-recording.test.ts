import { AppError } from '@teleconsult/protocol';
import type { ConsultationState } from '@teleconsult/server/consultation/state';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { openPartyStage, PATIENT, type PartyStage, recording, visit } from './party-stage.ts';

const askConsent = (stage: PartyStage): void =>
  stage.carryOut({ type: 'phone.askConsent', ...stage.place, recordingId: recording });

/** A change after which the patient’s consent stands so; what a party reads of it. */
function change(
  { place }: PartyStage,
  consent: 'asked' | 'granted' | null,
  phase: 'asking' | 'running' = 'asking',
): Pick<PartyStageChange, 'before' | 'after'> {
  const seat = (personId: string) => ({ personId, state: 'present', deviceId: null, phone: null });
  const after = {
    id: visit,
    call: {
      callId: place.callId,
      seats: [seat(PATIENT), seat('doctor')],
      recording:
        consent === null
          ? null
          : {
              recordingId: recording,
              phase: { name: phase },
              consents: [{ personId: PATIENT, state: consent }],
            },
    },
  };
  // Only what is looked at.
  return { before: { id: visit, call: null }, after } as object as PartyStageChange;
}
interface PartyStageChange {
  readonly before: ConsultationState;
  readonly after: ConsultationState;
}

test('[PTY20] who presses 1 hears that recording begins, and only then has agreed', async () => {
  await using stage = await openPartyStage({ answerWithinMs: 5_000 });
  const telephone = await stage.talking();
  askConsent(stage);
  await eventually('a question', () => telephone.isAsked);
  telephone.isSlow = true;
  telephone.press('1');
  await eventually('the notice', () => telephone.said.at(-1) === 'consent_given');
  expect(stage.told.map(({ type }) => type)).toEqual(['phone.seatAnswered']);
  telephone.isSlow = false;
  await eventually('consent', () => stage.told.length === 2);
  expect(stage.told.at(-1)).toEqual({
    type: 'phone.consent',
    recordingId: recording,
    granted: true,
    ...stage.place,
  });
  // They know: no second notice.
  stage.parties.handleChange(change(stage, 'granted', 'running'));
  expect(telephone.said).toEqual(['connecting', 'consent', 'consent_given']);
});

test.each([
  ['presses 2', (press: (digits: string) => void) => press('2'), 1],
  ['presses nothing', () => undefined, 2],
  ['presses something else', (press: (digits: string) => void) => press('9#*'), 2],
] as const)(
  '[PTY21] who %s has refused, and hears that nothing is recorded',
  async (_what, answer, times) => {
    await using stage = await openPartyStage({ answerWithinMs: 100 });
    const telephone = await stage.talking();
    askConsent(stage);
    await eventually('a question', () => telephone.isAsked);
    answer((digits) => telephone.press(digits));
    await eventually('a refusal', () => stage.told.some(({ type }) => type === 'phone.consent'));
    expect(stage.told.at(-1)).toMatchObject({ type: 'phone.consent', granted: false });
    await eventually('a word', () => telephone.said.at(-1) === 'consent_refused');
    expect(telephone.said.filter((prompt) => prompt === 'consent')).toHaveLength(times);
  },
);

test('[PTY22] a question that is answered in the app, or not asked any more, is not asked on', async () => {
  await using stage = await openPartyStage({ answerWithinMs: 5_000 });
  const telephone = await stage.talking();
  askConsent(stage);
  await eventually('a question', () => telephone.isAsked);
  stage.parties.handleChange(change(stage, 'asked'));
  expect(telephone.isAsked).toBe(true);
  stage.parties.handleChange(change(stage, null));
  await eventually('silence', () => !telephone.isAsked);
  telephone.press('1');
  expect(stage.told.map(({ type }) => type)).toEqual(['phone.seatAnswered']);
});

test('[PTY23] an agreement that comes too late is taken back where it was heard', async () => {
  await using stage = await openPartyStage({ answerWithinMs: 5_000 });
  const telephone = await stage.talking();
  askConsent(stage);
  await eventually('a question', () => telephone.isAsked);
  stage.state.refusals.push(new AppError('NOT_FOUND'));
  telephone.press('1');
  await eventually('words', () => telephone.said.at(-1) === 'consent_refused');
  expect(telephone.said).toEqual(['connecting', 'consent', 'consent_given', 'consent_refused']);
  expect(telephone.hungUp).toBeNull();
});

test('[PTY24] who is recorded without having been asked on the phone is told so before they are heard again', async () => {
  await using stage = await openPartyStage();
  const telephone = await stage.talking();
  telephone.isSlow = true;
  // They agreed in the app.
  stage.parties.handleChange(change(stage, 'granted', 'running'));
  await eventually('silence', () => stage.seat()?.paused === true);
  await eventually('the notice', () => telephone.said.at(-1) === 'recorded');
  stage.parties.handleChange(change(stage, 'granted', 'running'));
  telephone.isSlow = false;
  await eventually('sound', () => stage.seat()?.paused === false);
  expect(telephone.said.filter((prompt) => prompt === 'recorded')).toHaveLength(1);
});

test('[PTY25] who is asked while they are being connected is asked once they are in the call', async () => {
  await using stage = await openPartyStage({ answerWithinMs: 5_000 });
  const telephone = await stage.ring();
  askConsent(stage);
  expect(telephone.said).toEqual([]);
  telephone.answer();
  await eventually('a question', () => telephone.isAsked);
  expect(telephone.said).toEqual(['connecting', 'consent']);
  telephone.end('completed');
  await eventually('the end', () => stage.parties.size === 0);
  expect(stage.told.map(({ type }) => type)).toEqual(['phone.seatAnswered', 'phone.seatLeft']);
});
