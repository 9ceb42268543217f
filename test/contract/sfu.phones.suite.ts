/** What every adapter keeps of telephones in a room. */
import { expect, test } from 'vitest';
import type { PhoneSeat, PhoneSeatEvent, SfuRoom } from '../../media/index.ts';
import { eventually } from '../helpers/eventually.ts';
import { camera, microphone, openRoom, openSeat } from './sfu.fixtures.ts';
import { type OpenSfu, refusal } from './sfu.under-test.ts';

const WANTED = { type: 'g711Wanted', wanted: true, codec: 8 };
const NOT_WANTED = { type: 'g711Wanted', wanted: false, codec: 8 };

export function sfuPhoneContract(open: OpenSfu): void {
  test('[SFU60] a telephone sends one microphone, which the devices of the room receive as any other', async () => {
    await using under = await open({ workers: 1 });
    const tracks: string[] = [];
    const room = await under.sfu.openRoom({
      onClosed: () => undefined,
      onTrack: ({ type, track }) => tracks.push(`${type} ${track.seatId} ${track.source}`),
    });
    const early = await openSeat(room, 'doctor');
    await early.listen(under.sfu.capabilities);
    const { phone } = await openPhone(room, 'patient');
    expect(phone).toMatchObject({ seatId: 'patient', codec: 8, closed: false });
    expect(phone.local.host).toBe('127.0.0.1');
    expect(phone.local.port).toBeGreaterThan(1_024);
    const late = await openSeat(room, 'interpreter');
    await late.listen(under.sfu.capabilities);
    for (const { shown } of [early, late]) {
      const [offer, ...more] = shown();
      expect(more).toEqual([]);
      expect(offer).toMatchObject({
        from: 'patient',
        source: 'microphone',
        kind: 'audio',
        producerPaused: false,
      });
      expect(offer?.rtpParameters.codecs[0]?.mimeType).toBe('audio/PCMA');
    }
    expect(room.tracks()).toMatchObject([
      { seatId: 'patient', source: 'microphone', kind: 'audio', paused: false },
    ]);
    expect(under.sfu.health().seats).toBe(3);
    expect(tracks).toEqual(['trackBegan patient microphone']);
  });

  test('[SFU61] a telephone that closes takes its track from all, and may be closed twice', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await openRoom(under.sfu);
    const doctor = await openSeat(room, 'doctor');
    await doctor.listen(under.sfu.capabilities);
    const { phone, events } = await openPhone(room, 'patient');
    const [offer] = doctor.shown();
    phone.close();
    phone.close();
    expect(phone.closed).toBe(true);
    expect(doctor.events.at(-1)).toEqual({ type: 'consumerRemoved', consumerId: offer?.consumerId });
    expect(room.tracks()).toEqual([]);
    expect(under.sfu.health().seats).toBe(1);
    await expect(phone.setSourcePaused('microphone', true)).rejects.toEqual(refusal('seat_closed'));
    expect(await phone.statistics()).toBeNull();
    expect(events).toEqual([]);
  });

  test('[SFU62] a telephone is muted as a seat is: once, for all, and without an error for what it does not send', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await openRoom(under.sfu);
    const doctor = await openSeat(room, 'doctor');
    await doctor.listen(under.sfu.capabilities);
    const { phone } = await openPhone(room, 'patient');
    const consumerId = doctor.shown()[0]?.consumerId;
    await phone.setSourcePaused('microphone', true);
    await phone.setSourcePaused('microphone', true);
    await phone.setSourcePaused('camera', true);
    expect(doctor.events.slice(1)).toEqual([{ type: 'consumerPaused', consumerId, paused: true }]);
    expect(room.tracks()).toMatchObject([{ paused: true }]);
    await phone.setSourcePaused('microphone', false);
    expect(doctor.events.at(-1)).toEqual({ type: 'consumerPaused', consumerId, paused: false });
    phone.close();
    const { phone: muted } = await openPhone(room, 'patient', { paused: true });
    expect(doctor.shown()[0]).toMatchObject({ from: 'patient', producerPaused: true });
    expect(muted.closed).toBe(false);
  });

  test('[SFU63] whoever sends a microphone that a telephone cannot hear is asked for G.711 while one is there', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await openRoom(under.sfu);
    const [doctor, listener] = [await openSeat(room, 'doctor'), await openSeat(room, 'listener')];
    await doctor.seat.produce(microphone());
    const { phone } = await openPhone(room, 'patient');
    expect(doctor.events).toEqual([WANTED]);
    // Who comes later is asked with the microphone, and a second telephone asks nobody again.
    const late = await openSeat(room, 'interpreter');
    await late.seat.produce(camera());
    expect(late.events).toEqual([]);
    await late.seat.produce(microphone(1_234));
    expect(late.events).toEqual([WANTED]);
    const second = await openPhone(room, 'relative', { codec: 0 });
    phone.close();
    expect(doctor.events).toEqual([WANTED]);
    second.phone.close();
    expect(late.events.at(-1)).toEqual(NOT_WANTED);
    expect(doctor.events.at(-1)).toEqual(NOT_WANTED);
    // Who sends nothing is asked nothing.
    expect(listener.events).toEqual([]);
  });

  test('[SFU64] a microphone in G.711 is offered to no device, is no track of the room and cannot be recorded', async () => {
    await using under = await open({ workers: 1 });
    const tracks: string[] = [];
    const room = await under.sfu.openRoom({
      onClosed: () => undefined,
      onTrack: ({ type, track }) => tracks.push(`${type} ${track.seatId}`),
    });
    const [doctor, relative] = [await openSeat(room, 'doctor'), await openSeat(room, 'relative')];
    await relative.listen(under.sfu.capabilities);
    await doctor.seat.produce(microphone());
    const { phone } = await openPhone(room, 'patient');
    const { producerId } = await doctor.seat.produce(g711());
    const late = await openSeat(room, 'interpreter');
    await late.listen(under.sfu.capabilities);
    for (const { shown } of [relative, late]) {
      expect(
        shown()
          .map(({ from }) => from)
          .toSorted(),
      ).toEqual(['doctor', 'patient']);
      expect(shown().map((offer) => offer.producerId)).not.toContain(producerId);
    }
    expect(room.tracks().map(({ producerId: id }) => id)).not.toContain(producerId);
    expect(tracks).toEqual(['trackBegan doctor', 'trackBegan patient']);
    await expect.poll(() => phone.statistics()).toMatchObject({ voices: 1 });
  });

  test('[SFU65] G.711 is taken while it is wanted alone, in no other codec, and ends with the last telephone', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await openRoom(under.sfu);
    const doctor = await openSeat(room, 'doctor');
    await expect(doctor.seat.produce(g711())).rejects.toEqual(refusal('not_found'));
    await doctor.seat.produce(microphone());
    await expect(doctor.seat.produce(g711())).rejects.toEqual(refusal('not_found'));
    const { phone } = await openPhone(room, 'patient');
    await expect(doctor.seat.produce({ ...microphone(9), source: 'microphone_g711' })).rejects.toEqual(
      refusal('invalid_parameters'),
    );
    await doctor.seat.produce(g711());
    await doctor.seat.produce(g711(7_002));
    await expect.poll(() => phone.statistics()).toMatchObject({ voices: 1 });
    phone.close();
    await expect(doctor.seat.produce(g711(7_003))).rejects.toEqual(refusal('not_found'));
    // Asked again by another telephone, the same SSRC may be sent again: nothing of the former was left.
    const again = await openPhone(room, 'patient');
    await doctor.seat.produce(g711(7_002));
    await expect.poll(() => again.phone.statistics()).toMatchObject({ voices: 1 });
  });

  test('[SFU66] a device that says its capabilities again is told again what it may have missed of telephones', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await openRoom(under.sfu);
    const doctor = await openSeat(room, 'doctor');
    await doctor.seat.produce(microphone());
    await doctor.listen(under.sfu.capabilities);
    expect(doctor.events).toEqual([]);
    const { phone } = await openPhone(room, 'patient');
    const told = () => doctor.events.filter(({ type }) => type === 'g711Wanted');
    await doctor.listen(under.sfu.capabilities);
    expect(told()).toEqual([WANTED, WANTED]);
    await doctor.seat.produce(g711());
    // It does as it was told: asked again it would begin anew.
    await doctor.listen(under.sfu.capabilities);
    expect(told()).toHaveLength(2);
    phone.close();
    await doctor.listen(under.sfu.capabilities);
    expect(told()).toEqual([WANTED, WANTED, NOT_WANTED, NOT_WANTED]);
  });

  test('[SFU67] who is not heard on the phone after some seconds is told to it, and no more once they are', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await openRoom(under.sfu);
    const [older, newer] = [await openSeat(room, 'older'), await openSeat(room, 'newer')];
    await older.seat.produce(microphone());
    await newer.seat.produce(microphone(1_212));
    const { phone, events } = await openPhone(room, 'patient');
    await newer.seat.produce(g711());
    const unheard = () => events.filter((event) => event.type === 'unheard').map(({ seatIds }) => seatIds);
    expect(unheard()).toEqual([]);
    await eventually('the phone is told', () => unheard().length > 0);
    expect(unheard()).toEqual([['older']]);
    await older.seat.produce(g711(7_100));
    expect(unheard()).toEqual([['older'], []]);
    phone.close();
  });

  test('[SFU68] a seat and a telephone of one id take each other’s place, and the telephone is told', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await openRoom(under.sfu);
    const doctor = await openSeat(room, 'doctor');
    await doctor.listen(under.sfu.capabilities);
    const device = await openSeat(room, 'patient');
    await device.seat.produce(microphone());
    const first = await openPhone(room, 'patient');
    expect(device.seat.closed).toBe(true);
    expect(doctor.shown()).toHaveLength(1);
    const second = await openPhone(room, 'patient');
    expect(first.phone.closed).toBe(true);
    expect(first.events).toEqual([{ type: 'ended', reason: 'replaced' }]);
    // Closed late by its owner, the former takes nothing with it.
    first.phone.close();
    device.seat.close();
    expect(second.phone.closed).toBe(false);
    expect(doctor.shown()).toHaveLength(1);
    await openSeat(room, 'patient');
    expect(second.events).toEqual([{ type: 'ended', reason: 'replaced' }]);
    expect(doctor.shown()).toEqual([]);
    expect(under.sfu.health().seats).toBe(2);
  });

  test('[SFU69] a telephone is told once that its room closed, or that its worker died', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await openRoom(under.sfu);
    const { phone, events } = await openPhone(room, 'patient');
    room.close();
    room.close();
    phone.close();
    expect(events).toEqual([{ type: 'ended', reason: 'room_closed' }]);
    expect(phone.closed).toBe(true);
    await expect(phone.setSourcePaused('microphone', true)).rejects.toEqual(refusal('room_closed'));
    await expect(openPhone(room, 'patient')).rejects.toEqual(refusal('room_closed'));

    const { room: doomed, ends } = await openRoom(under.sfu);
    const other = await openPhone(doomed, 'patient');
    under.killOneWorker();
    await expect.poll(() => ends).toEqual(['worker_died']);
    expect(other.events).toEqual([{ type: 'ended', reason: 'failed' }]);
    expect(other.phone.closed).toBe(true);
  });

  test('[SFU70] a telephone is joined on the loopback alone', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await openRoom(under.sfu);
    for (const host of ['192.0.2.7', '0.0.0.0', 'localhost.example.org', '128.0.0.1'])
      await expect(openPhone(room, 'patient', { remote: { host, port: 40_000 } })).rejects.toEqual(
        refusal('invalid_parameters'),
      );
    const here = '127.0.0.1';
    for (const port of [0, -1, 65_536, 4.5, Number.NaN])
      await expect(openPhone(room, 'patient', { remote: { host: here, port } })).rejects.toEqual(
        refusal('invalid_parameters'),
      );
    await expect(openPhone(room, 'patient', { ssrc: -1 })).rejects.toEqual(refusal('invalid_parameters'));
    expect(room.tracks()).toEqual([]);
    const { phone } = await openPhone(room, 'patient', { remote: { host: '127.0.20.5', port: 40_000 } });
    expect(phone.closed).toBe(false);
  });

  test('[SFU71] who mutes is muted on the phone, also when the second track comes after that', async () => {
    await using under = await open({ workers: 1 });
    const { room } = await openRoom(under.sfu);
    const doctor = await openSeat(room, 'doctor');
    await doctor.seat.produce(microphone());
    await doctor.seat.setSourcePaused('microphone', true);
    const { phone } = await openPhone(room, 'patient');
    await doctor.seat.produce(g711());
    expect(under.isSecondPaused(room, 'doctor')).toBe(true);
    await doctor.seat.setSourcePaused('microphone', false);
    expect(under.isSecondPaused(room, 'doctor')).toBe(false);
    await doctor.seat.setSourcePaused('microphone', true);
    expect(under.isSecondPaused(room, 'doctor')).toBe(true);
    phone.close();
    expect(under.isSecondPaused(room, 'doctor')).toBeNull();
  });
}

/** A telephone whose leg listens nowhere: for what is about the room. */
export async function openPhone(
  room: SfuRoom,
  seatId: string,
  options: Partial<Parameters<SfuRoom['openPhoneSeat']>[0]> = {},
): Promise<{ phone: PhoneSeat; events: readonly PhoneSeatEvent[] }> {
  const events: PhoneSeatEvent[] = [];
  const phone = await room.openPhoneSeat({
    seatId,
    codec: 8,
    remote: { host: '127.0.0.1', port: 9 },
    ssrc: 4_711,
    onEvent: (event) => events.push(event),
    ...options,
  });
  return { phone, events };
}

/** A browser's microphone in PCMA, as its second sound track. */
export function g711(ssrc = 7_001) {
  const rtpParameters = {
    mid: `${ssrc}`,
    codecs: [{ mimeType: 'audio/PCMA', payloadType: 8, clockRate: 8_000 }],
    headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4 }],
    encodings: [{ ssrc }],
    rtcp: { cname: 'device' },
  };
  return { source: 'microphone_g711', kind: 'audio', rtpParameters, paused: false } as const;
}
