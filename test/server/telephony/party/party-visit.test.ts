import { PersonId } from '@teleconsult/protocol';
import { type FakeTelephone, FakeTelephones } from '@teleconsult/server/telephony/party/fake-telephones';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { peopleOf } from '../../../helpers/test-app.ts';
import { joinSeat, startCall, startVisit, takeOverSeat, type Visit } from '../../../helpers/visit.ts';
import { PATIENT, type PhoneStage, RELAYS, startPhoneStage } from '../desk-stage.ts';

interface Joined extends AsyncDisposable {
  readonly stage: PhoneStage;
  readonly visit: Visit;
  readonly telephones: FakeTelephones;
  readonly patientId: PersonId;
  /** The patient’s seat as the doctor sees it. */
  readonly seat: () =>
    | { readonly state: string; readonly phone: boolean; readonly microphoneOn: boolean }
    | undefined;
  /** The patient’s telephone in the room; undefined: there is none. */
  readonly inRoom: () => { readonly paused: boolean } | undefined;
}

async function startJoined(): Promise<Joined> {
  await using stack = new AsyncDisposableStack();
  const telephones = new FakeTelephones();
  const stage = stack.use(await startPhoneStage({ telephones }));
  const visit = stack.use(await startVisit(stage.app));
  await stage.number(visit);
  const patientId = PersonId.parse(peopleOf(visit.view).patient);
  const owned = stack.move();
  return {
    stage,
    visit,
    telephones,
    patientId,
    seat: () =>
      visit.doctor
        .of('call.changed')
        .at(-1)
        ?.seats.find(({ personId }) => personId === patientId),
    inRoom: () => stage.app.sfu.rooms[0]?.phones.get(patientId)?.track,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The doctor calls and rings the patient’s telephone, which is answered. */
async function onThePhone({ visit, telephones, patientId, inRoom }: Joined) {
  const { id: consultationId, doctor } = visit;
  const { call } = await doctor.request('call.start', { consultationId, media: 'voice' });
  const at = { consultationId, callId: call.callId };
  await joinSeat(doctor, at);
  await doctor.request('phone.join', { ...at, personId: patientId });
  const telephone = await eventually('a telephone rings', () => telephones.rung[0]);
  telephone.answer();
  await eventually('it is in the room', () => telephone.isBridged && inRoom() !== undefined);
  return { ...at, telephone };
}

const isOver = ({ hungUp }: FakeTelephone): boolean => hungUp !== null;

test('[PTY30] a patient on a telephone is in the call like everybody: seen, muted, recorded after agreeing by a key, gone', async () => {
  await using joined = await startJoined();
  const { visit, seat, inRoom, stage, patientId } = joined;
  const { telephone, ...at } = await onThePhone(joined);
  expect(telephone.wish.to).toBe(PATIENT);
  await visit.doctor.fact('call.changed', ({ state }) => state === 'live');
  expect(seat()).toMatchObject({ state: 'present', phone: true, microphoneOn: true });
  await visit.doctor.request('seat.mute', { ...at, personId: patientId });
  await eventually('nobody hears them', () => inRoom()?.paused === true);
  telephone.press('*6');
  await eventually('they are heard', () => inRoom()?.paused === false && seat()?.microphoneOn === true);

  const { recording } = (await visit.doctor.request('recording.start', at)).call;
  expect(recording?.phase).toBe('asking');
  await eventually('the telephone is asked', () => telephone.isAsked);
  expect(stage.app.recorder.running).toBe(0);
  telephone.press('1');
  await visit.doctor.fact('call.changed', (call) => call.recording?.phase === 'running');
  expect(telephone.said).toEqual(['connecting', 'consent', 'consent_given']);
  await eventually('the telephone is recorded', () => stage.app.recorder.running > 0);

  telephone.end('completed');
  await visit.doctor.fact('call.changed', ({ state }) => state === 'ended');
  expect(seat()).toMatchObject({ state: 'left', leftReason: 'hung_up' });
  expect(inRoom()).toBeUndefined();
  expect(stage.app.logs.join('\n')).not.toMatch(/13900002222|17000003333/);
});

test('[PTY31] a patient who refuses by a key is not recorded, nor is anybody', async () => {
  await using joined = await startJoined();
  const { visit, stage } = joined;
  const { telephone, ...at } = await onThePhone(joined);
  await visit.doctor.fact('call.changed', ({ state }) => state === 'live');
  await visit.doctor.request('recording.start', at);
  await eventually('the telephone is asked', () => telephone.isAsked);
  telephone.press('2');
  const stopped = await visit.doctor.fact('entry.added', ({ kind }) => kind === 'recording.stopped');
  expect(stopped).toMatchObject({ reason: 'consent_refused' });
  await eventually('it is said', () => telephone.said.at(-1) === 'consent_refused');
  expect(stage.app.recorder.running).toBe(0);
  expect(isOver(telephone)).toBe(false);
});

test('[PTY32] a seat moves from a device to its person’s telephone and back, and each time one of them has it', async () => {
  await using joined = await startJoined();
  const { visit, telephones, seat, inRoom, patientId } = joined;
  const callId = await startCall(visit, 'voice');
  const at = { consultationId: visit.id, callId };
  await visit.patient.request('phone.join', { ...at, personId: patientId });
  const telephone = await eventually('a telephone rings', () => telephones.rung[0]);
  telephone.answer();
  await visit.patient.fact('seat.moved');
  await eventually('it is in the room', () => telephone.isBridged && inRoom() !== undefined);
  expect(seat()).toMatchObject({ state: 'present', phone: true });
  await takeOverSeat(visit.patient, at);
  await eventually('it is hung up', () => isOver(telephone));
  await visit.doctor.fact('call.changed', ({ seats }) =>
    seats.some(({ personId, phone, deviceId }) => personId === patientId && !phone && deviceId !== null),
  );
  expect(inRoom()).toBeUndefined();
  expect(telephone.hungUp).toEqual({ prompt: null, end: 'completed' });
});

test('[PTY33] a telephone shows the relay number of the visit where there is one, else the clinic’s first', async () => {
  await using joined = await startJoined();
  const { visit, telephones, patientId } = joined;
  const { id: consultationId, doctor } = visit;
  const { call } = await doctor.request('call.start', { consultationId, media: 'voice' });
  const at = { consultationId, callId: call.callId };
  await joinSeat(doctor, at);
  await doctor.request('phone.join', { ...at, personId: patientId });
  const first = await eventually('a telephone rings', () => telephones.rung[0]);
  expect(first.wish.showAs).toBe(RELAYS[0]);
  first.end('busy');
  // The patient’s devices ring on.
  await doctor.request('call.hangUp', at);
  // Which number a visit gets is left to chance: of two visits one has another than the clinic's first.
  await using other = await startVisit(joined.stage.app);
  await joined.stage.number(other);
  const numbers: (string | null | undefined)[] = [];
  for (const { id, doctor: its } of [visit, other]) {
    const { board } = await its.request('phone.bind', { consultationId: id, clientBindingId: 'client-0001' });
    numbers.push(board.bindings[0]?.number);
  }
  expect(new Set(numbers)).toEqual(new Set(RELAYS));
  const rung = numbers[0] === RELAYS[1] ? visit : other;
  const again = await rung.doctor.request('call.start', { consultationId: rung.id, media: 'voice' });
  const there = { consultationId: rung.id, callId: again.call.callId };
  await joinSeat(rung.doctor, there);
  const personId = PersonId.parse(peopleOf(rung.view).patient);
  await rung.doctor.request('phone.join', { ...there, personId });
  const second = await eventually('a telephone rings', () => telephones.rung[1]);
  expect(second.wish.showAs).toBe(RELAYS[1]);
});

test('[PTY34] who says “do not phone me” while they are on the phone is hung up, and not rung again', async () => {
  await using joined = await startJoined();
  const { visit, telephones, patientId } = joined;
  const { telephone, ...at } = await onThePhone(joined);
  await visit.patient.request('phone.setRefused', { consultationId: visit.id, refused: true });
  await eventually('it is hung up', () => isOver(telephone));
  await expect(visit.doctor.request('phone.join', { ...at, personId: patientId })).rejects.toThrow();
  expect(telephones.rung).toHaveLength(1);
});

test('[PTY35] the end of the visit is said to whoever is in its call by telephone', async () => {
  await using joined = await startJoined();
  const { visit } = joined;
  const { telephone } = await onThePhone(joined);
  await visit.doctor.request('consultation.end', { consultationId: visit.id });
  await eventually('it is hung up', () => isOver(telephone));
  expect(telephone.hungUp?.prompt).toBe('visit_ended');
});

test('[PTY36] a media worker that dies leaves the telephone connected, and it is in the new room with the device', async () => {
  await using joined = await startJoined();
  const { visit, stage, seat, inRoom } = joined;
  const { telephone, ...at } = await onThePhone(joined);
  await visit.doctor.fact('call.changed', ({ state }) => state === 'live');
  stage.app.sfu.killWorker();
  await visit.doctor.fact('seat.mediaLost');
  await joinSeat(visit.doctor, at);
  await eventually('it is in the room again', () => telephone.peers.length === 2 && inRoom() !== undefined);
  expect(stage.app.sfu.rooms).toHaveLength(1);
  expect(isOver(telephone)).toBe(false);
  expect(seat()).toMatchObject({ state: 'present', phone: true });
});

test('[PTY37] a number that is taken away is not rung again', async () => {
  await using joined = await startJoined();
  const { visit, telephones, patientId, stage } = joined;
  const { telephone, ...at } = await onThePhone(joined);
  await stage.store.numbers.removeNumber(patientId);
  telephone.end('completed');
  await visit.doctor.fact('call.changed', ({ state }) => state === 'ended');
  const again = await visit.doctor.request('call.start', {
    consultationId: at.consultationId,
    media: 'voice',
  });
  const wish = { consultationId: at.consultationId, callId: again.call.callId, personId: patientId };
  await joinSeat(visit.doctor, { consultationId: wish.consultationId, callId: wish.callId });
  await expect(visit.doctor.request('phone.join', wish)).rejects.toThrow('WRONG_STATE');
  expect(telephones.rung).toHaveLength(1);
});
