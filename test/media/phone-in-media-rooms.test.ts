/** Telephones among the media of calls, over the fake SFU: what devices are told, and who ends what. */
import { createFakeSfu, type PhoneSeatEvent } from '@teleconsult/media';
import { DeviceId, type FactName, type FactPayload, PersonId } from '@teleconsult/protocol';
import { MediaRooms, type SeatAddress } from '@teleconsult/server/host/media-rooms';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { expect, test } from 'vitest';
import { microphone } from '../contract/sfu.fixtures.ts';
import { g711 } from '../contract/sfu.phones.suite.ts';

const consultationId = randomIds.consultationId();
const callId = randomIds.callId();

interface Told {
  readonly to: string;
  readonly name: FactName;
  readonly payload: unknown;
}

function stage() {
  const sfu = createFakeSfu();
  const facts: Told[] = [];
  const rooms = new MediaRooms({
    sfu,
    publisher: {
      toDevice: (to, _device, name, payload) => void facts.push({ to, name, payload }),
      toWatchers: () => {},
      toOtherWatchers: () => {},
      toPerson: () => {},
      stopWatching: () => {},
      isConnected: () => true,
      isWatched: () => true,
      isOnline: () => true,
    },
    log: { info: () => {}, warn: () => {}, error: () => {} },
    turn: { forPerson: () => [] },
    onPath: () => {},
  });
  const events: PhoneSeatEvent[] = [];
  const leg = {
    codec: 8,
    remote: { host: '127.0.0.1', port: 40_000 },
    ssrc: 7,
    onEvent: (event: PhoneSeatEvent) => void events.push(event),
  } as const;
  return {
    sfu,
    rooms,
    facts,
    events,
    leg,
    join: async (person: string): Promise<SeatAddress> => {
      const address = addressOf(person);
      await rooms.join(address, sfu.capabilities);
      return address;
    },
    of: <N extends FactName>(to: string, name: N) =>
      facts
        .filter((fact) => fact.to === to && fact.name === name)
        .map((fact) => fact.payload as FactPayload<N>),
  };
}

test('[PHS31] a device is asked for G.711 over its own facts, and what it sends then is for the telephone alone', async () => {
  const { sfu, rooms, of, leg, join } = stage();
  const [doctor, relative] = [await join('doctor'), await join('relative')];
  await rooms.produce(doctor, { consultationId, callId, ...microphone() });
  const phone = await rooms.joinPhone({ callId, personId: PersonId.parse('patient') }, leg);
  expect(of('doctor', 'seat.g711Wanted')).toEqual([{ consultationId, callId, wanted: true, codec: 8 }]);
  expect(of('relative', 'seat.g711Wanted')).toEqual([]);
  await rooms.produce(doctor, { consultationId, callId, ...g711() });
  expect(
    of('relative', 'seat.consumerAdded').map(({ consumer }) => [consumer.from, consumer.source]),
  ).toEqual([
    ['doctor', 'microphone'],
    ['patient', 'microphone'],
  ]);
  // Muting is of the microphone, whatever carries it.
  await rooms.setSource(doctor, 'microphone', false);
  expect(sfu.rooms[0]?.seats.get('doctor')?.second?.paused).toBe(true);
  await rooms.setSource(doctor, 'microphone', true);
  expect(sfu.rooms[0]?.seats.get('doctor')?.second?.paused).toBe(false);
  phone.close();
  expect(of('doctor', 'seat.g711Wanted').at(-1)).toMatchObject({ wanted: false });
  await expect(rooms.produce(doctor, { consultationId, callId, ...g711() })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  expect(relative.callId).toBe(callId);
});

test('[PHS31] whoever speaks on the phone is shown as speaking', async () => {
  const { sfu, rooms, of, leg, join } = stage();
  await join('doctor');
  await rooms.joinPhone({ callId, personId: PersonId.parse('patient') }, leg);
  const [room] = sfu.rooms;
  if (room === undefined) throw new Error('no room');
  sfu.speak(room, 'patient');
  expect(of('doctor', 'call.activeSpeaker').map(({ personId }) => personId)).toEqual(['patient']);
});

test('[PHS31] a telephone takes its person’s device’s place in the media and ends with the call', async () => {
  const { rooms, leg, join, events, sfu } = stage();
  const patient = await join('patient');
  const { personId } = patient;
  const phone = await rooms.joinPhone({ callId, personId }, leg);
  await expect(rooms.produce(patient, { consultationId, callId, ...microphone() })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  rooms.closeCall(callId);
  await expect.poll(() => events).toEqual([{ type: 'ended', reason: 'room_closed' }]);
  expect(phone.closed).toBe(true);
  expect(sfu.health().rooms).toBe(0);
});

test('[PHS31] what cannot be joined is refused in the words of the catalogue, and a device may come back over a telephone', async () => {
  const { rooms, leg, join, events, sfu } = stage();
  const personId = PersonId.parse('patient');
  const far = { ...leg, remote: { host: '198.51.100.1', port: 40_000 } };
  await expect(rooms.joinPhone({ callId, personId }, far)).rejects.toMatchObject({ code: 'INVALID' });
  sfu.failNext('openPhoneSeat', 'no_worker');
  await expect(rooms.joinPhone({ callId, personId }, leg)).rejects.toMatchObject({
    code: 'MEDIA_UNAVAILABLE',
  });
  await rooms.joinPhone({ callId, personId }, leg);
  await join('patient');
  expect(events).toEqual([{ type: 'ended', reason: 'replaced' }]);
  expect(sfu.health()).toMatchObject({ rooms: 1, seats: 1 });
});

function addressOf(person: string): SeatAddress {
  return {
    consultationId,
    callId,
    personId: PersonId.parse(person),
    deviceId: DeviceId.parse(`device-of-${person}`),
  };
}
