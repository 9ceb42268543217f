import { createFakeSfu } from '@teleconsult/media';
import { PersonId } from '@teleconsult/protocol';
import { FakeTelephones } from '@teleconsult/server/telephony/party/fake-telephones';
import { RoomSound } from '@teleconsult/server/telephony/party/room-sound';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { peopleOf } from '../../../helpers/test-app.ts';
import { joinSeat, startCall, startVisit } from '../../../helpers/visit.ts';
import { secondVisit } from '../../host/call-guests.ts';
import { startPhoneStage } from '../desk-stage.ts';
import { call, openPartyStage, PATIENT, TELEPHONE } from './party-stage.ts';

test('[PTY70] keys that come quicker than they can be kept are one wish', async () => {
  const { promise: kept, resolve: keep } = Promise.withResolvers<void>();
  const told: string[] = [];
  await using stage = await openPartyStage({
    calls: {
      dialIn: async () => undefined,
      tell: async (_id, { type }) => {
        told.push(type);
        if (type === 'phone.microphone') await kept;
      },
    },
  });
  const telephone = await stage.talking();
  telephone.press('*6'.repeat(500));
  await eventually('a wish', () => told.includes('phone.microphone'));
  expect(told).toEqual(['phone.seatAnswered', 'phone.microphone']);
  keep();
  await eventually('another wish', () => {
    telephone.press('*6');
    return told.length === 3;
  });
});

test('[PTY70] keys that are pressed without end are a few wishes', async () => {
  let aheadMs = 0;
  await using stage = await openPartyStage({ clock: () => Date.now() + aheadMs });
  const telephone = await stage.talking();
  const wishes = () => stage.told.filter(({ type }) => type === 'phone.microphone').length;
  await eventually('as many as there may be', () => {
    telephone.press('*6');
    return wishes() === 10;
  });
  const pressedAt = stage.told.length;
  telephone.press('*6'.repeat(50));
  aheadMs = 11_000;
  await eventually('another one, later', () => {
    telephone.press('*6');
    return wishes() > 10;
  });
  expect(stage.told.slice(pressedAt)).toHaveLength(1);
});

test('[PTY71] a telephone that cannot be muted in its room is heard no more until it is muted in another', async () => {
  await using stage = await openPartyStage();
  const telephone = await stage.talking();
  stage.sfu.failNext('setSourcePaused', 'no_worker');
  stage.carryOut({ type: 'phone.setMuted', ...stage.place, muted: true });
  await eventually('it is in the room anew', () => telephone.peers.length === 2 && telephone.isBridged);
  expect(stage.seat()?.paused).toBe(true);
  expect(telephone.hungUp).toBeNull();
});

test('[PTY71] who is muted while they come into the room is not heard for a moment', async () => {
  await using stack = new AsyncDisposableStack();
  const sfu = stack.adopt(createFakeSfu(), (opened) => opened.close());
  const line = new FakeTelephones();
  const telephone = await line.dialOut({ ...TELEPHONE, language: 'zh', ringMs: 0, maxTalkMs: 0 });
  const heard: boolean[] = [];
  await sfu.openRoom({ onClosed: () => undefined });
  const room = sfu.rooms[0];
  if (room === undefined) throw new Error('no room');
  const paused = (): boolean => room.phones.get(PATIENT)?.track.paused ?? true;
  const sound = new RoomSound({
    rooms: {
      joinPhone: async ({ personId }, options) => {
        const seat = await room.openPhoneSeat({ ...options, seatId: personId });
        sound.setPaused(true);
        return seat;
      },
    },
    address: { callId: call, personId: PATIENT },
    telephone: {
      sound: telephone.sound,
      connect: () => undefined,
      bridge: (on) => void (on && heard.push(!paused())),
    },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    onLost: () => undefined,
    onGone: () => undefined,
  });
  stack.defer(() => sound.close());
  await sound.open();
  expect(heard).toEqual([false]);
});

test('[PTY72] who is in a call has no second seat by telephone, and hears nothing of the other call', async () => {
  const telephones = new FakeTelephones();
  await using stage = await startPhoneStage({ telephones, callWaiting: true });
  await using visit = await startVisit(stage.app);
  await stage.number(visit);
  const doctorId = PersonId.parse(peopleOf(visit.view).doctor);
  const second = await secondVisit(stage.app, visit.doctor, doctorId);
  await using other = second.patient;
  await startCall(visit);
  // Another patient calls: the doctor is knocked at, and their telephone rings.
  const { consultationId } = second;
  const { call: begun } = await other.request('call.start', { consultationId, media: 'voice' });
  const at = { consultationId, callId: begun.callId };
  await joinSeat(other, at);
  await other.request('phone.join', { ...at, personId: doctorId });
  const telephone = await eventually('a telephone rings', () => telephones.rung[0]);
  telephone.answer();
  await eventually('it is hung up', () => telephone.hungUp !== null);
  expect(telephone.isBridged).toBe(false);
  const seat = () =>
    other
      .of('call.changed')
      .at(-1)
      ?.seats.find(({ personId }) => personId === doctorId);
  // They are knocked at as before.
  await eventually('it is told', () => seat()?.phone === false, { lastSeen: seat });
  expect(seat()?.state).toBe('invited');
  expect(stage.app.sfu.rooms.every((room) => room.phones.size === 0)).toBe(true);
});
