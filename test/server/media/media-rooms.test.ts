import { createFakeSfu, type FakeRoom, type FakeSfuOptions } from '@teleconsult/media';
import {
  CallId,
  ConsultationId,
  DeviceId,
  type FactName,
  type FactPayload,
  PersonId,
  type SeatViewMode,
} from '@teleconsult/protocol';
import { MediaRooms, type SeatAddress } from '@teleconsult/server/host/media-rooms';
import type { Publisher } from '@teleconsult/server/host/ports';
import { randomIds } from '@teleconsult/server/host/random-ids';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { camera, dtls, microphone, screen, simulcastCamera } from '../../contract/sfu.fixtures.ts';

const HIDING: readonly SeatViewMode[] = ['background', 'audio_only'];
const VIEWS: readonly SeatViewMode[] = ['full', 'floating', ...HIDING];

test('[SFU34] in the background and with sound alone no video is sent, and sound goes on', async () => {
  const { rooms, join, received } = stage();
  const [patient, doctor] = [await join('patient'), await join('doctor')];
  for (const track of [microphone(), camera(), screen()])
    await rooms.produce(patient, payload(patient, track));
  for (const { consumerId } of received(doctor)) await rooms.resumeConsumer(doctor, consumerId);
  for (const view of HIDING) {
    rooms.applyView(doctor.callId, doctor.personId, view);
    await expect.poll(() => flowing(received(doctor))).toEqual(['microphone']);
    rooms.applyView(doctor.callId, doctor.personId, 'full');
    await expect.poll(() => flowing(received(doctor))).toEqual(['camera', 'microphone', 'screen']);
  }
  expect(flowing(received(patient))).toEqual([]);
});

test('[SFU34] a track that begins while the view hides video does not flow before it is shown', async () => {
  const { rooms, join, received } = stage();
  const [patient, doctor] = [await join('patient'), await join('doctor')];
  rooms.applyView(doctor.callId, doctor.personId, 'background');
  await rooms.produce(patient, payload(patient, camera()));
  const [offer] = received(doctor);
  await rooms.resumeConsumer(doctor, offer?.consumerId ?? '');
  expect(flowing(received(doctor))).toEqual([]);
  rooms.applyView(doctor.callId, doctor.personId, 'full');
  await expect.poll(() => flowing(received(doctor))).toEqual(['camera']);
});

test('[SFU34] a device that says its capabilities again keeps what it wanted', async () => {
  const { rooms, sfu, join, received } = stage();
  const [patient, doctor] = [await join('patient'), await join('doctor')];
  await rooms.produce(patient, payload(patient, simulcastCamera()));
  const consumerId = received(doctor)[0]?.consumerId ?? '';
  await rooms.setLayers(doctor, { consumerId, spatialLayer: 1 });
  await rooms.resumeConsumer(doctor, consumerId);
  await rooms.setCapabilities(doctor, { ...ids(doctor), rtpCapabilities: sfu.capabilities });
  expect(received(doctor)).toMatchObject([{ paused: false, preferredLayer: 1 }]);
  rooms.applyView(doctor.callId, doctor.personId, 'background');
  await expect.poll(() => received(doctor)).toMatchObject([{ paused: true }]);
  rooms.applyView(doctor.callId, doctor.personId, 'full');
  await expect.poll(() => received(doctor)).toMatchObject([{ paused: false, preferredLayer: 1 }]);
});

test('[SFU34] a floating window is sent the smallest layer, and afterwards what the device wanted', async () => {
  const { rooms, join, received } = stage();
  const [patient, doctor] = [await join('patient'), await join('doctor')];
  await rooms.produce(patient, payload(patient, simulcastCamera()));
  const layer = () => received(doctor)[0]?.preferredLayer;
  const consumerId = received(doctor)[0]?.consumerId ?? '';
  await rooms.setLayers(doctor, { consumerId, spatialLayer: 1 });
  expect(layer()).toBe(1);
  rooms.applyView(doctor.callId, doctor.personId, 'floating');
  await expect.poll(layer).toBe(0);
  await rooms.setLayers(doctor, { consumerId, spatialLayer: 2 });
  expect(layer()).toBe(0);
  rooms.applyView(doctor.callId, doctor.personId, 'full');
  await expect.poll(layer).toBe(2);
});

test('[SFU34] whatever device and view ask for in whatever order, a picture flows when both want it', async () => {
  const wish = fc.oneof(
    fc.record({ type: fc.constantFrom('resume' as const, 'pause' as const), track: fc.nat(2) }),
    fc.record({ type: fc.constant('layer' as const), track: fc.nat(2), layer: fc.nat(2) }),
    fc.record({ type: fc.constant('view' as const), view: fc.constantFrom(...VIEWS) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(wish, { minLength: 1, maxLength: 30 }), async (wishes) => {
      const { rooms, join, received } = stage();
      const [patient, doctor] = [await join('patient'), await join('doctor')];
      for (const track of [microphone(), simulcastCamera(), screen()])
        await rooms.produce(patient, payload(patient, track));
      const ids = received(doctor).map(({ consumerId }) => consumerId);
      const wanted = ids.map(() => ({ flows: false, layer: 2 }));
      let view: SeatViewMode = 'full';
      const asked: Promise<void>[] = [];
      for (const one of wishes) {
        if (one.type === 'view') {
          view = one.view;
          rooms.applyView(doctor.callId, doctor.personId, view);
          continue;
        }
        const [consumerId = '', track] = [ids[one.track], wanted[one.track]];
        if (track === undefined) continue;
        if (one.type === 'layer') {
          track.layer = one.layer;
          asked.push(rooms.setLayers(doctor, { consumerId, spatialLayer: one.layer }));
        } else {
          track.flows = one.type === 'resume';
          asked.push(
            one.type === 'resume'
              ? rooms.resumeConsumer(doctor, consumerId)
              : rooms.pauseConsumer(doctor, consumerId),
          );
        }
      }
      await Promise.all(asked);
      await settled();
      const shows = !HIDING.includes(view);
      const largest = view === 'floating' ? 0 : 2;
      expect(received(doctor).map(({ paused, preferredLayer }) => ({ paused, preferredLayer }))).toEqual(
        wanted.map(({ flows, layer }, index) => ({
          paused: !(flows && (index === 0 || shows)),
          preferredLayer: index === 1 ? Math.min(layer, largest) : null,
        })),
      );
    }),
    { numRuns: 100 },
  );
});

test('[SFU35] who speaks goes to every device in the call, once a change, and to one that joins meanwhile', async () => {
  const { rooms, sfu, room, join, facts } = stage();
  const [patient, doctor] = [await join('patient'), await join('doctor')];
  await rooms.produce(patient, payload(patient, microphone()));
  sfu.speak(room(), 'patient');
  const late = await join('interpreter');
  await rooms.connectTransport(late, { ...ids(late), direction: 'receive', dtlsParameters: dtls() });
  await expect.poll(() => speakersTold(facts, late)).toEqual(['patient']);
  await rooms.setSource(patient, 'microphone', false);
  for (const address of [patient, doctor]) expect(speakersTold(facts, address)).toEqual(['patient', null]);
  expect(speakersTold(facts, late)).toEqual(['patient', null]);
});

test('[SFU35] a device that was away is told who speaks when it is back', async () => {
  const { rooms, sfu, room, join, facts } = stage();
  const [patient, doctor] = [await join('patient'), await join('doctor')];
  await rooms.produce(patient, payload(patient, microphone()));
  rooms.ensureHeld(doctor);
  expect(speakersTold(facts, doctor)).toEqual([]);
  sfu.speak(room(), 'patient');
  rooms.ensureHeld(doctor);
  expect(speakersTold(facts, doctor)).toEqual(['patient', 'patient']);
  expect(speakersTold(facts, patient)).toEqual(['patient']);
});

test('[SFU35] a speaker who leaves the call is none any more', async () => {
  const { rooms, sfu, room, join, facts } = stage();
  const [patient, doctor] = [await join('patient'), await join('doctor')];
  await rooms.produce(patient, payload(patient, microphone()));
  sfu.speak(room(), 'patient');
  rooms.release(patient.callId, patient.personId, patient.deviceId);
  expect(speakersTold(facts, doctor)).toEqual(['patient', null]);
  expect(speakersTold(facts, patient)).toEqual(['patient']);
});

test('[SFU36] joining answers the relays with the person’s own credentials', async () => {
  const { rooms } = stage();
  const address = addressOf('patient');
  const answer = await rooms.join(address, undefined);
  expect(answer.iceServers).toEqual([{ urls: ['turn:relay'], username: 'for patient', credential: 'c' }]);
});

test('[SFU36] microphone, camera and screen are switched one by one, and a seat without media is no error', async () => {
  const { rooms, join, received } = stage();
  const [patient, doctor] = [await join('patient'), await join('doctor')];
  for (const track of [microphone(), camera(), screen()])
    await rooms.produce(patient, payload(patient, track));
  await rooms.setSource(patient, 'screen', false);
  const muted = () => received(doctor).flatMap((one) => (one.producerPaused ? [one.source] : []));
  expect(muted()).toEqual(['screen']);
  await rooms.setSource(patient, 'microphone', false);
  await rooms.setSource(patient, 'screen', true);
  expect(muted()).toEqual(['microphone']);
  await rooms.setSource(addressOf('interpreter'), 'screen', false);
  rooms.applyView(patient.callId, PersonId.parse('interpreter'), 'background');
  rooms.applyView(randomIds.callId(), patient.personId, 'background');
});

test('[SFU37] only the device that holds the seat pauses its tracks and chooses their layers', async () => {
  const { rooms, join, received } = stage();
  const [patient, doctor] = [await join('patient'), await join('doctor')];
  await rooms.produce(patient, payload(patient, simulcastCamera()));
  const consumerId = received(doctor)[0]?.consumerId ?? '';
  await rooms.resumeConsumer(doctor, consumerId);
  const others: SeatAddress[] = [
    patient,
    { ...doctor, deviceId: DeviceId.parse('device-other') },
    { ...doctor, callId: randomIds.callId() },
    { ...doctor, consultationId: randomIds.consultationId() },
  ];
  for (const other of others) {
    for (const refused of [
      () => rooms.pauseConsumer(other, consumerId),
      () => rooms.resumeConsumer(other, consumerId),
      () => rooms.setLayers(other, { consumerId, spatialLayer: 0 }),
    ])
      await expect(refused()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
  for (const unknown of ['', 'nonsense'])
    await expect(rooms.pauseConsumer(doctor, unknown)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(received(doctor)[0]).toMatchObject({ paused: false, preferredLayer: 2 });
});

test('[SFU37] tracks that come and go leave nothing behind to ask for', async () => {
  const { rooms, join, received } = stage();
  const [patient, doctor] = [await join('patient'), await join('doctor')];
  await rooms.produce(patient, payload(patient, camera()));
  const former = received(doctor)[0]?.consumerId ?? '';
  await rooms.produce(patient, payload(patient, camera()));
  expect(received(doctor)).toHaveLength(1);
  await expect(rooms.pauseConsumer(doctor, former)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  rooms.applyView(doctor.callId, doctor.personId, 'floating');
  await settled();
});

test('[SFU38] when a worker dies its devices are told, what is asked of its seats finds none, and they join again', async () => {
  const { rooms, sfu, join, facts, logged } = stage({ workers: 1 });
  const [patient, doctor] = [await join('patient'), await join('doctor')];
  await rooms.produce(patient, payload(patient, microphone()));
  sfu.killWorker();
  for (const { personId } of [patient, doctor])
    expect(facts.filter((fact) => fact.to === personId).map(({ name }) => name)).toContain('seat.mediaLost');
  rooms.applyView(doctor.callId, doctor.personId, 'background');
  await expect(rooms.pauseConsumer(doctor, 'any')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await join('patient');
  expect(rooms.size).toBe(1);
  expect(logged).toEqual([]);
});

test('[SFU38] a join that media refuses leaves no seat, and a device that lost its own to it may have it back', async () => {
  const { rooms, sfu, room, join, facts } = stage();
  const patient = await join('patient');
  const tablet = { ...patient, deviceId: DeviceId.parse('device-tablet') };
  sfu.failNext('setCapabilities', 'invalid_parameters');
  await expect(rooms.join(tablet, sfu.capabilities)).rejects.toMatchObject({ code: 'INVALID' });
  expect(room().seats.size).toBe(0);
  expect(facts.map(({ name }) => name)).toEqual(['seat.mediaLost']);
  for (const gone of [patient, tablet])
    await expect(rooms.produce(gone, payload(gone, camera()))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await join('patient');
  await rooms.produce(patient, payload(patient, camera()));
});

interface Told {
  readonly to: string;
  readonly name: FactName;
  readonly payload: unknown;
}

const consultationId = ConsultationId.parse(randomIds.consultationId());
const callId = CallId.parse(randomIds.callId());

function addressOf(person: string): SeatAddress {
  const deviceId = DeviceId.parse(`device-${person}`);
  return { consultationId, callId, personId: PersonId.parse(person), deviceId };
}

const ids = ({ consultationId, callId }: SeatAddress) => ({ consultationId, callId });

const payload = <T extends object>(address: SeatAddress, track: T) => ({ ...ids(address), ...track });

function stage(options: FakeSfuOptions = {}) {
  const sfu = createFakeSfu(options);
  const facts: Told[] = [];
  const logged: string[] = [];
  const publisher: Publisher = {
    toDevice: (personId, _deviceId, name, fact) => void facts.push({ to: personId, name, payload: fact }),
    toWatchers: () => {},
    toOtherWatchers: () => {},
    toPerson: () => {},
    stopWatching: () => {},
    isConnected: () => true,
    isWatched: () => true,
    isOnline: () => true,
  };
  const rooms = new MediaRooms({
    sfu,
    publisher,
    log: { info: () => {}, warn: () => {}, error: (step) => void logged.push(step) },
    turn: {
      forPerson: (person) => [{ urls: ['turn:relay'], username: `for ${person}`, credential: 'c' }],
    },
    onPath: () => {},
  });
  const room = (): FakeRoom => {
    const [first] = sfu.rooms;
    if (first === undefined) throw new Error('no room is open');
    return first;
  };
  return {
    sfu,
    rooms,
    facts,
    logged,
    room,
    join: async (person: string): Promise<SeatAddress> => {
      const address = addressOf(person);
      await rooms.join(address, sfu.capabilities);
      return address;
    },
    /** What the SFU forwards to a seat, in the order in which it began. */
    received: ({ personId }: SeatAddress) => {
      const seat = room().seats.get(personId);
      return [...(seat?.subscriptions.values() ?? [])].map(({ consumerId, track }) => {
        const state = seat?.consumer(consumerId);
        return { consumerId, source: track.source, paused: true, producerPaused: false, ...state };
      });
    },
  };
}

const flowing = (tracks: readonly { source: string; paused: boolean }[]): readonly string[] =>
  tracks.flatMap(({ source, paused }) => (paused ? [] : [source])).toSorted();

const speakersTold = (facts: readonly Told[], { personId }: SeatAddress): readonly (string | null)[] =>
  facts
    .filter(({ to, name }) => to === personId && name === 'call.activeSpeaker')
    .map((fact) => (fact.payload as FactPayload<'call.activeSpeaker'>).personId);

/** What was asked of the fake is done a few turns of the event loop later. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((next) => setImmediate(next));
}
