/** What every adapter of the SFU port keeps. `sfu.*.test.ts` run it on each of them. */

import { FakeMediaStreamTrack } from 'fake-mediastreamtrack';
import fc from 'fast-check';
import { Device, type types } from 'mediasoup-client';
import { generateLocalDtlsParameters, generateNativeRtpCapabilities } from 'mediasoup-client/fakeParameters';
import { FakeHandler } from 'mediasoup-client/handlers/FakeHandler';
import { describe, expect, test } from 'vitest';
import type { Sfu } from '../../media/index.ts';
import {
  ConsumerOffer,
  DtlsParameters,
  RtpCapabilities,
  RtpParameters,
  TransportOffer,
} from '../../protocol/index.ts';
import { type Act, anyAct, perform } from './sfu.acts.ts';
import { audioOnly, camera, dtls, microphone, openRoom, openSeat, opus, vp8 } from './sfu.fixtures.ts';
import { sfuPhoneContract } from './sfu.phones.suite.ts';
import { sfuTapContract } from './sfu.taps.suite.ts';
import { sfuTrackContract } from './sfu.tracks.suite.ts';
import { type OpenSfu, refusal } from './sfu.under-test.ts';

export function sfuContract(adapter: string, open: OpenSfu): void {
  describe(`the SFU port: ${adapter}`, () => {
    test('[SFU1] a room tells once why it closed, however often it is closed', async () => {
      await using under = await open({ workers: 1 });
      const { room, ends } = await openRoom(under.sfu);
      expect(room.closed).toBe(false);
      room.close();
      room.close();
      expect(room.closed).toBe(true);
      expect(ends).toEqual(['closed']);
      await under.sfu.close();
      expect(ends).toEqual(['closed']);
    });

    test('[SFU2] a closed room refuses everything with room_closed, and its seats with it', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const { seat, events } = await openSeat(room, 'patient');
      room.close();
      expect(seat.closed).toBe(true);
      const closed = refusal('room_closed');
      await expect(openSeat(room, 'doctor')).rejects.toEqual(closed);
      await expect(seat.setCapabilities(under.sfu.capabilities)).rejects.toEqual(closed);
      await expect(seat.produce(microphone())).rejects.toEqual(closed);
      await expect(seat.setSourcePaused('microphone', true)).rejects.toEqual(closed);
      await expect(seat.connectTransport('send', dtls())).rejects.toEqual(closed);
      await expect(seat.restartIce('send')).rejects.toEqual(closed);
      await expect(seat.resumeConsumer('any')).rejects.toEqual(closed);
      await expect(seat.pauseConsumer('any')).rejects.toEqual(closed);
      await expect(seat.setPreferredLayer('any', 0)).rejects.toEqual(closed);
      expect(seat.consumer('any')).toBeUndefined();
      seat.close();
      expect(events).toEqual([]);
    });

    test('[SFU2] a closed seat refuses everything with seat_closed and emits nothing more', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const patient = await openSeat(room, 'patient');
      const doctor = await openSeat(room, 'doctor');
      await doctor.listen(under.sfu.capabilities);
      doctor.seat.close();
      doctor.seat.close();
      await patient.seat.produce(microphone());
      const closed = refusal('seat_closed');
      await expect(doctor.seat.setCapabilities(under.sfu.capabilities)).rejects.toEqual(closed);
      await expect(doctor.seat.produce(microphone())).rejects.toEqual(closed);
      await expect(doctor.seat.setSourcePaused('microphone', true)).rejects.toEqual(closed);
      await expect(doctor.seat.connectTransport('send', dtls())).rejects.toEqual(closed);
      await expect(doctor.seat.restartIce('send')).rejects.toEqual(closed);
      await expect(doctor.seat.resumeConsumer('any')).rejects.toEqual(closed);
      await expect(doctor.seat.pauseConsumer('any')).rejects.toEqual(closed);
      await expect(doctor.seat.setPreferredLayer('any', 0)).rejects.toEqual(closed);
      expect(doctor.events).toEqual([]);
      expect(room.closed).toBe(false);
    });

    test('[SFU2] a call that is under way when its room or seat closes ends with that reason', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const { seat } = await openSeat(room, 'patient');
      const producing = Promise.allSettled([seat.produce(microphone()), seat.produce(camera())]);
      seat.close();
      for (const outcome of await producing) {
        // An adapter may have finished a call before `close` was reached; it may not leave it hanging.
        if (outcome.status === 'rejected') expect(outcome.reason).toEqual(refusal('seat_closed'));
      }
      const opening = Promise.allSettled([room.openSeat({ seatId: 'doctor', onEvent: () => undefined })]);
      room.close();
      const [opened] = await opening;
      if (opened?.status === 'rejected') expect(opened.reason).toEqual(refusal('room_closed'));
      else expect(opened?.value.closed).toBe(true);
    });

    test('[SFU3] tracks sent before a device can receive are in the answer, later ones arrive as consumerAdded', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const patient = await openSeat(room, 'patient');
      const doctor = await openSeat(room, 'doctor');
      const sound = await patient.seat.produce(microphone());
      expect(doctor.events).toEqual([]);

      const [offer, ...others] = await doctor.listen(under.sfu.capabilities);
      expect(others).toEqual([]);
      expect(offer).toMatchObject({
        producerId: sound.producerId,
        from: 'patient',
        source: 'microphone',
        kind: 'audio',
        producerPaused: false,
      });
      expect(offer?.rtpParameters.codecs[0]?.mimeType).toBe('audio/opus');

      const picture = await patient.seat.produce({ ...camera(), paused: true });
      expect(doctor.events).toEqual([
        {
          type: 'consumerAdded',
          consumer: expect.objectContaining({
            producerId: picture.producerId,
            source: 'camera',
            kind: 'video',
            producerPaused: true,
          }),
        },
      ]);
    });

    test('[SFU3] a track that begins while the capabilities are on their way is offered exactly once', async () => {
      await using under = await open({ workers: 1 });
      for (const producesFirst of [true, false]) {
        const { room } = await openRoom(under.sfu);
        const patient = await openSeat(room, 'patient');
        const doctor = await openSeat(room, 'doctor');
        const produce = () => [patient.seat.produce(microphone()), patient.seat.produce(camera())];
        const listen = () => [doctor.listen(under.sfu.capabilities)];
        await Promise.all(producesFirst ? [...produce(), ...listen()] : [...listen(), ...produce()]);
        expect(sourcesOf(doctor.shown())).toEqual(['camera', 'microphone']);
        room.close();
      }
    });

    test('[SFU3] whatever happens at once, every device ends up with exactly the tracks that are sent', async () => {
      await using under = await open({ workers: 1 });
      await fc.assert(
        fc.asyncProperty(fc.array(anyAct, { minLength: 1, maxLength: 25 }), async (acts) => {
          const { room } = await openRoom(under.sfu);
          const { shown, sent, faults } = await perform(acts, { room, capabilities: under.sfu.capabilities });
          expect(faults).toEqual([]);
          expect(shown).toEqual(sent);
          room.close();
        }),
        { numRuns: 60 },
      );
    });

    test('[SFU3] saying the capabilities again answers the same consumers', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const patient = await openSeat(room, 'patient');
      const doctor = await openSeat(room, 'doctor');
      await patient.seat.produce(microphone());
      const first = await doctor.seat.setCapabilities(under.sfu.capabilities);
      await patient.seat.produce(camera());
      const second = await doctor.seat.setCapabilities(under.sfu.capabilities);
      expect(sourcesOf(second)).toEqual(['camera', 'microphone']);
      expect(second).toContainEqual(first[0]);
      expect(doctor.events).toHaveLength(1);
    });

    test('[SFU4] a seat receives the tracks of all other seats and never its own', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const ids = ['patient', 'doctor', 'interpreter'];
      const seats = await Promise.all(ids.map((id) => openSeat(room, id)));
      await Promise.all(seats.map((one) => one.listen(under.sfu.capabilities)));
      await Promise.all(seats.map((one) => one.seat.produce(microphone())));
      for (const one of seats) {
        const others = ids.filter((id) => id !== one.seat.seatId);
        expect(one.shown().map((offer) => offer.from)).toEqual(expect.arrayContaining(others));
        expect(one.shown()).toHaveLength(others.length);
      }
    });

    test('[SFU5] a second track of a source replaces the first', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const patient = await openSeat(room, 'patient');
      const doctor = await openSeat(room, 'doctor');
      await patient.seat.produce(camera(2222));
      const [first] = await doctor.listen(under.sfu.capabilities);
      // The same SSRCs and MID, as a device has them that takes a track off and puts it on again.
      const second = await patient.seat.produce(camera(2222));
      expect(doctor.events).toEqual([
        { type: 'consumerRemoved', consumerId: first?.consumerId },
        { type: 'consumerAdded', consumer: expect.objectContaining({ producerId: second.producerId }) },
      ]);
      await expect(doctor.seat.resumeConsumer(first?.consumerId ?? '')).rejects.toEqual(refusal('not_found'));
    });

    test('[SFU6] pausing a source reaches the others once, and later offers say so', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const patient = await openSeat(room, 'patient');
      const doctor = await openSeat(room, 'doctor');
      await patient.seat.produce(microphone());
      const [offer] = await doctor.listen(under.sfu.capabilities);
      const consumerId = offer?.consumerId ?? '';
      await patient.seat.setSourcePaused('microphone', true);
      await patient.seat.setSourcePaused('microphone', true);
      expect(doctor.events).toEqual([{ type: 'consumerPaused', consumerId, paused: true }]);
      const [again] = await doctor.seat.setCapabilities(under.sfu.capabilities);
      expect(again).toMatchObject({ consumerId, producerPaused: true });
      await patient.seat.setSourcePaused('microphone', false);
      expect(doctor.events.at(-1)).toEqual({ type: 'consumerPaused', consumerId, paused: false });
    });

    test('[SFU6] pausing a source that is not sent is no error and says nothing', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const patient = await openSeat(room, 'patient');
      const doctor = await openSeat(room, 'doctor');
      await doctor.listen(under.sfu.capabilities);
      await patient.seat.setSourcePaused('camera', true);
      expect(doctor.events).toEqual([]);
    });

    test('[SFU7] a seat opened again is never met twice', async () => {
      await using under = await open({ workers: 1 });
      const { room, ends } = await openRoom(under.sfu);
      const doctor = await openSeat(room, 'doctor');
      const patient = await openSeat(room, 'patient');
      await patient.seat.produce(microphone());
      const [ghost] = await doctor.listen(under.sfu.capabilities);

      const returned = await openSeat(room, 'patient');
      expect(patient.seat.closed).toBe(true);
      expect(returned.seat.closed).toBe(false);
      expect(doctor.events).toEqual([{ type: 'consumerRemoved', consumerId: ghost?.consumerId }]);
      await returned.seat.produce(microphone());
      expect(doctor.shown().map((offer) => offer.from)).toEqual(['patient']);

      // The former seat's owner may close it late: the new one does not notice.
      patient.seat.close();
      expect(returned.seat.closed).toBe(false);
      expect(doctor.shown()).toHaveLength(1);
      expect(under.sfu.health().seats).toBe(2);
      expect(ends).toEqual([]);
    });

    test('[SFU7] of two seats opened at once under one id the last remains', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const [first, second] = await Promise.all([openSeat(room, 'patient'), openSeat(room, 'patient')]);
      expect([first.seat.closed, second.seat.closed]).toEqual([true, false]);
      expect(under.sfu.health().seats).toBe(1);
    });

    test('[SFU8] a consumer is resumed by its own seat alone; any other id is not_found', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const { room: elsewhere } = await openRoom(under.sfu);
      const patient = await openSeat(room, 'patient');
      const doctor = await openSeat(room, 'doctor');
      const stranger = await openSeat(elsewhere, 'stranger');
      await stranger.listen(under.sfu.capabilities);
      const { producerId } = await patient.seat.produce(camera());
      const [offer] = await doctor.listen(under.sfu.capabilities);
      const consumerId = offer?.consumerId ?? '';
      for (const seat of [patient.seat, stranger.seat]) {
        await expect(seat.resumeConsumer(consumerId)).rejects.toEqual(refusal('not_found'));
      }
      for (const id of [producerId, doctor.seat.receive.transportId, '', 'nonsense']) {
        await expect(doctor.seat.resumeConsumer(id)).rejects.toEqual(refusal('not_found'));
      }
      await doctor.seat.resumeConsumer(consumerId);
      await doctor.seat.resumeConsumer(consumerId);
      expect(stranger.events).toEqual([]);
    });

    test('[SFU9] a track that cannot be forwarded is refused and leaves the former one in place', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const patient = await openSeat(room, 'patient');
      const doctor = await openSeat(room, 'doctor');
      await doctor.listen(under.sfu.capabilities);
      await patient.seat.produce(camera());
      const av1 = vp8(3333);
      for (const codec of av1.codecs.slice(0, 1)) codec.mimeType = 'video/AV1';
      const video = { source: 'camera', kind: 'video', paused: false } as const;
      const refused = [
        { ...video, rtpParameters: av1 },
        { ...video, rtpParameters: opus(3333) },
        { ...video, rtpParameters: { ...vp8(3333), codecs: [] } },
        { ...video, source: 'microphone', rtpParameters: vp8(3333) } as const,
        { ...video, kind: 'audio', rtpParameters: opus(3333) } as const,
      ];
      for (const track of refused) {
        await expect(patient.seat.produce(track)).rejects.toEqual(refusal('invalid_parameters'));
      }
      expect(sourcesOf(doctor.shown())).toEqual(['camera']);
      expect(doctor.events).toHaveLength(1);
    });

    test('[SFU9] malformed capabilities and DTLS parameters are refused', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const { seat } = await openSeat(room, 'patient');
      const invalid = refusal('invalid_parameters');
      const nonsense = { codecs: [{ kind: 'audio', mimeType: 'opus', clockRate: 48_000 }] } as const;
      await expect(
        seat.setCapabilities({ codecs: [{ ...nonsense.codecs[0], preferredPayloadType: 100 }] }),
      ).rejects.toEqual(invalid);
      await expect(seat.connectTransport('send', { fingerprints: [] })).rejects.toEqual(invalid);
      await seat.connectTransport('send', dtls());
      await seat.setCapabilities(under.sfu.capabilities);
    });

    test('[SFU10] a track the device has no codec for is left out, and only that', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const patient = await openSeat(room, 'patient');
      const early = await openSeat(room, 'doctor');
      const late = await openSeat(room, 'interpreter');
      await early.listen(audioOnly(under.sfu.capabilities));
      await patient.seat.produce(camera());
      await patient.seat.produce(microphone());
      await late.listen(audioOnly(under.sfu.capabilities));
      expect(sourcesOf(early.shown())).toEqual(['microphone']);
      expect(sourcesOf(late.shown())).toEqual(['microphone']);
      // With a decoder found after all, the rest follows.
      expect(sourcesOf(await late.seat.setCapabilities(under.sfu.capabilities))).toEqual([
        'camera',
        'microphone',
      ]);
    });

    test('[SFU11] a seat that closes takes its tracks from the others', async () => {
      await using under = await open({ workers: 1 });
      const { room, ends } = await openRoom(under.sfu);
      const patient = await openSeat(room, 'patient');
      const doctor = await openSeat(room, 'doctor');
      await doctor.listen(under.sfu.capabilities);
      await patient.seat.produce(microphone());
      await patient.seat.produce(camera());
      const shown = doctor.shown().map((offer) => offer.consumerId);
      patient.seat.close();
      expect(doctor.events.slice(2)).toEqual(
        shown.map((consumerId) => ({ type: 'consumerRemoved', consumerId })),
      );
      expect(doctor.shown()).toEqual([]);
      expect(doctor.seat.closed).toBe(false);
      expect(ends).toEqual([]);
    });

    test('[SFU11] a seat that closes while others are being told of its tracks leaves no ghost', async () => {
      await using under = await open({ workers: 1 });
      for (let turns = 0; turns < 24; turns += 1) {
        const { room } = await openRoom(under.sfu);
        const acts: Act[] = [
          { type: 'open', seatId: 'patient' },
          { type: 'open', seatId: 'doctor' },
          { type: 'open', seatId: 'interpreter' },
          { type: 'listen', seatId: 'doctor' },
          { type: 'produce', seatId: 'patient', source: 'microphone', paused: false },
          { type: 'answers' },
          { type: 'listen', seatId: 'interpreter' },
          { type: 'produce', seatId: 'patient', source: 'camera', paused: false },
          ...Array.from({ length: turns }, () => ({ type: 'turn' }) as const),
          { type: 'close', seatId: 'patient' },
        ];
        const { shown, faults } = await perform(acts, { room, capabilities: under.sfu.capabilities });
        expect(faults).toEqual([]);
        expect(shown).toEqual({ doctor: [], interpreter: [] });
        room.close();
      }
    });

    test('[SFU12] connecting a transport may be repeated, but not by another device', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const { seat } = await openSeat(room, 'patient');
      await Promise.all([seat.connectTransport('send', dtls()), seat.connectTransport('send', dtls())]);
      await seat.connectTransport('send', dtls());
      const invalid = refusal('invalid_parameters');
      await expect(seat.connectTransport('send', dtls('FF'))).rejects.toEqual(invalid);
      await seat.connectTransport('receive', dtls('FF'));
    });

    test('[SFU13] an ICE restart gives new credentials to the same transport', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const { seat } = await openSeat(room, 'patient');
      const before = seat.receive;
      const restarted = await seat.restartIce('receive');
      expect(restarted.usernameFragment).not.toBe(before.iceParameters.usernameFragment);
      expect(seat.receive.iceParameters).toEqual(restarted);
      expect(seat.receive.transportId).toBe(before.transportId);
      expect(seat.send.iceParameters).not.toEqual(restarted);
    });

    test("[SFU14] a worker's death closes its rooms with worker_died and no other", async () => {
      await using under = await open({ workers: 2 });
      const rooms = [await openRoom(under.sfu), await openRoom(under.sfu)];
      const seats = await Promise.all(rooms.map(({ room }) => openSeat(room, 'patient')));
      under.killOneWorker();
      await expect.poll(() => rooms.flatMap(({ ends }) => ends)).toEqual(['worker_died']);

      const dead = rooms.findIndex(({ room }) => room.closed);
      const alive = 1 - dead;
      expect(rooms[alive]?.room.closed).toBe(false);
      expect(seats.map(({ seat }) => seat.closed)).toEqual(dead === 0 ? [true, false] : [false, true]);
      await expect(seats[dead]?.seat.produce(microphone())).rejects.toEqual(refusal('room_closed'));
      await seats[alive]?.seat.produce(microphone());
      rooms[dead]?.room.close();
      expect(rooms[dead]?.ends).toEqual(['worker_died']);
    });

    test('[SFU15] a dead worker is replaced and rooms open again at once', async () => {
      await using under = await open({ workers: 1 });
      const { ends } = await openRoom(under.sfu);
      under.killOneWorker();
      await expect.poll(() => ends).toEqual(['worker_died']);
      const { room } = await openRoom(under.sfu);
      const { seat } = await openSeat(room, 'patient');
      await seat.produce(microphone());
      expect(under.sfu.health()).toEqual({
        workers: 1,
        aliveWorkers: 1,
        rooms: 1,
        seats: 1,
        workerDeaths: 1,
      });
    });

    test('[SFU16] a listener that throws harms nobody', async () => {
      await using under = await open({ workers: 1 });
      const thrower = () => {
        throw new Error('a fault in a listener');
      };
      const room = await under.sfu.openRoom({ onClosed: thrower });
      const doctor = await room.openSeat({ seatId: 'doctor', onEvent: thrower });
      const interpreter = await openSeat(room, 'interpreter');
      const patient = await openSeat(room, 'patient');
      await doctor.setCapabilities(under.sfu.capabilities);
      await interpreter.listen(under.sfu.capabilities);
      await patient.seat.produce(microphone());
      expect(interpreter.shown()).toHaveLength(1);
      patient.seat.close();
      expect(interpreter.shown()).toHaveLength(0);
      room.close();
      expect(under.sfu.health().rooms).toBe(0);
    });

    test('[SFU17] closing ends every room and process, and may be done twice', async () => {
      await using under = await open({ workers: 2 });
      const rooms = [await openRoom(under.sfu), await openRoom(under.sfu), await openRoom(under.sfu)];
      await Promise.all([under.sfu.close(), under.sfu.close()]);
      await under.sfu.close();
      expect(rooms.map(({ ends }) => ends)).toEqual([['closed'], ['closed'], ['closed']]);
      expect(await under.processesLeft()).toBe(0);
      expect(under.sfu.health()).toMatchObject({ aliveWorkers: 0, rooms: 0, seats: 0 });
      await expect(openRoom(under.sfu)).rejects.toEqual(refusal('no_worker'));
    });

    test('[SFU17] closing leaves no process behind while a dead worker is being replaced', async () => {
      await using under = await open({ workers: 1 });
      const { ends } = await openRoom(under.sfu);
      under.killOneWorker();
      await expect.poll(() => ends).toEqual(['worker_died']);
      await under.sfu.close();
      expect(under.sfu.health().aliveWorkers).toBe(0);
      expect(await under.processesLeft()).toBe(0);
    });

    test('[SFU18] health counts what is open', async () => {
      await using under = await open({ workers: 2 });
      const { room } = await openRoom(under.sfu);
      await openRoom(under.sfu);
      const { seat } = await openSeat(room, 'patient');
      await openSeat(room, 'doctor');
      const all = { workers: 2, aliveWorkers: 2, workerDeaths: 0 };
      expect(under.sfu.health()).toEqual({ ...all, rooms: 2, seats: 2 });
      seat.close();
      expect(under.sfu.health()).toEqual({ ...all, rooms: 2, seats: 1 });
      room.close();
      expect(under.sfu.health()).toEqual({ ...all, rooms: 1, seats: 0 });
    });

    test('[SFU19] a mediasoup-client device sends and receives over what the SFU offers, through the wire contract', async () => {
      await using under = await open({ workers: 1 });
      const { room } = await openRoom(under.sfu);
      const patient = await openSeat(room, 'patient');
      const doctor = await openSeat(room, 'doctor');
      const device = await loadedDevice(under.sfu);

      const sending = device.createSendTransport(optionsOf(patient.seat.send));
      sending.on('connect', ({ dtlsParameters }, done, failed) => {
        patient.seat.connectTransport('send', DtlsParameters.parse(dtlsParameters)).then(done, failed);
      });
      sending.on('produce', ({ kind, rtpParameters }, done, failed) => {
        const source = kind === 'audio' ? 'microphone' : 'camera';
        const produced = patient.seat.produce({
          source,
          kind,
          rtpParameters: RtpParameters.parse(rtpParameters),
          paused: false,
        });
        produced.then(({ producerId }) => done({ id: producerId }), failed);
      });
      await sending.produce({ track: new FakeMediaStreamTrack({ kind: 'audio' }), stopTracks: false });
      await sending.produce({ track: new FakeMediaStreamTrack({ kind: 'video' }), stopTracks: false });

      const receiving = device.createRecvTransport(optionsOf(doctor.seat.receive));
      receiving.on('connect', ({ dtlsParameters }, done, failed) => {
        doctor.seat.connectTransport('receive', DtlsParameters.parse(dtlsParameters)).then(done, failed);
      });
      const offers = await doctor.seat.setCapabilities(RtpCapabilities.parse(device.recvRtpCapabilities));
      expect(sourcesOf(offers)).toEqual(['camera', 'microphone']);
      for (const offer of offers) {
        const { consumerId, producerId, kind, rtpParameters } = ConsumerOffer.parse(offer);
        const parameters = { id: consumerId, producerId, kind, rtpParameters } as types.ConsumerOptions;
        const consumer = await receiving.consume(parameters);
        expect(consumer.track.kind).toBe(kind);
        await doctor.seat.resumeConsumer(consumerId);
      }
      sending.close();
      receiving.close();
    });

    sfuTrackContract(open);
    sfuTapContract(open);
    sfuPhoneContract(open);
  });
}

function sourcesOf(offers: readonly { readonly source: string }[]): readonly string[] {
  return offers.map((offer) => offer.source).toSorted();
}

async function loadedDevice(sfu: Sfu): Promise<Device> {
  const handlerFactory = FakeHandler.createFactory({
    generateNativeRtpCapabilities,
    generateLocalDtlsParameters,
  });
  const device = new Device({ handlerFactory });
  const capabilities = RtpCapabilities.parse(sfu.capabilities);
  await device.load({ routerRtpCapabilities: capabilities as types.RtpCapabilities });
  return device;
}

function optionsOf(offer: TransportOffer): types.TransportOptions {
  const { transportId, ...parameters } = TransportOffer.parse(offer);
  return { id: transportId, ...parameters } as types.TransportOptions;
}
