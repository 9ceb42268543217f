import { AppError } from '@teleconsult/protocol';
import type { ConsultationState } from '@teleconsult/server/consultation/state';
import type { FakeTelephone } from '@teleconsult/server/telephony/party/fake-telephones';
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

const answersOf = ({ told }: PartyStage) => told.filter(({ type }) => type === 'phone.consent');

test.each([
  ['hangs up', (telephone: FakeTelephone): void => telephone.end('completed')],
  // Its last words are being said: it has not ended yet.
  ['is hung up on', (telephone: FakeTelephone): void => void telephone.hangUp('time_over', 'time_over')],
] as const)('[PTY66] who %s while they are asked has refused nothing', async (_what, end) => {
  await using stage = await openPartyStage({ answerWithinMs: 5_000 });
  const telephone = await stage.talking();
  askConsent(stage);
  stage.parties.handleChange(change(stage, 'asked'));
  await eventually('a question', () => telephone.isAsked);
  telephone.isSlow = true;
  end(telephone);
  await eventually('nothing is asked', () => !telephone.isAsked);
  telephone.isSlow = false;
  await eventually('an end', () => stage.parties.size === 0);
  expect(answersOf(stage)).toEqual([]);
  expect(telephone.said).not.toContain('consent_refused');
});

test('[PTY67] who came into a recorded call and says nothing ends it for nobody, and may agree as long as they are there', async () => {
  await using stage = await openPartyStage({ answerWithinMs: 20 });
  const telephone = await stage.talking();
  askConsent(stage);
  stage.parties.handleChange(change(stage, 'asked', 'running'));
  await eventually(
    'two questions',
    () => telephone.said.filter((prompt) => prompt === 'consent').length === 2,
  );
  await eventually('they are listened to', () => telephone.waitsForKey);
  expect(answersOf(stage)).toEqual([]);
  expect(telephone.said).not.toContain('consent_refused');
  telephone.press('1');
  await eventually('consent', () => answersOf(stage).length === 1);
  expect(answersOf(stage)).toMatchObject([{ granted: true }]);
  expect(telephone.said.at(-1)).toBe('consent_given');
});

test('[PTY67] who came into a recorded call may refuse later, too, and is not listened to once it has stopped', async () => {
  await using stage = await openPartyStage({ answerWithinMs: 20 });
  const first = await stage.talking();
  askConsent(stage);
  stage.parties.handleChange(change(stage, 'asked', 'running'));
  await eventually('they are listened to', () => first.waitsForKey);
  stage.parties.handleChange(change(stage, null));
  await eventually('nobody listens', () => !first.isAsked);
  first.end('completed');
  const second = await stage.talking();
  askConsent(stage);
  stage.parties.handleChange(change(stage, 'asked', 'running'));
  await eventually('they are listened to', () => second.waitsForKey);
  second.press('2');
  await eventually('a refusal', () => answersOf(stage).length === 1);
  expect(answersOf(stage)).toMatchObject([{ granted: false }]);
});

test('[PTY68] who holds while they are told of the recording is told again, and is not heard before', async () => {
  await using stage = await openPartyStage();
  const telephone = await stage.talking();
  telephone.isHolding = true;
  stage.parties.handleChange(change(stage, 'granted', 'running'));
  await eventually('a second notice', () => telephone.said.filter((one) => one === 'recorded').length > 1);
  expect(stage.seat()?.paused).toBe(true);
  telephone.isHolding = false;
  await eventually('sound', () => stage.seat()?.paused === false);
  const told = telephone.said.length;
  stage.parties.handleChange(change(stage, 'granted', 'running'));
  expect(telephone.said).toHaveLength(told);
});

test('[PTY68] who holds until the recording has stopped is heard again without a notice', async () => {
  await using stage = await openPartyStage();
  const telephone = await stage.talking();
  telephone.isHolding = true;
  stage.parties.handleChange(change(stage, 'granted', 'running'));
  await eventually('a notice', () => telephone.said.includes('recorded'));
  stage.parties.handleChange(change(stage, null));
  await eventually('sound', () => stage.seat()?.paused === false);
});

test('[PTY68] who agreed and has not heard that it begins is told before they are heard', async () => {
  await using stage = await openPartyStage({ answerWithinMs: 5_000 });
  const telephone = await stage.talking();
  askConsent(stage);
  await eventually('a question', () => telephone.isAsked);
  telephone.isHolding = true;
  telephone.press('1');
  await eventually('consent', () => answersOf(stage).length === 1);
  stage.parties.handleChange(change(stage, 'granted', 'running'));
  await eventually('silence', () => stage.seat()?.paused === true);
  telephone.isHolding = false;
  await eventually('sound', () => stage.seat()?.paused === false);
  expect(telephone.said.slice(0, 4)).toEqual(['connecting', 'consent', 'consent_given', 'recorded']);
});

test.each([
  ['1', true],
  ['2', false],
] as const)('[PTY69] the key %s is told until it is kept', async (key, granted) => {
  await using stage = await openPartyStage({ answerWithinMs: 5_000 });
  const telephone = await stage.talking();
  askConsent(stage);
  await eventually('a question', () => telephone.isAsked);
  stage.state.refusals.push(new AppError('STORAGE_UNAVAILABLE'), new AppError('STORAGE_FULL'));
  telephone.press(key);
  await eventually('an answer', () => answersOf(stage).length === 1);
  expect(answersOf(stage)).toMatchObject([{ granted }]);
});
