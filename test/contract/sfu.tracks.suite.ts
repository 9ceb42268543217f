/** What a seat can ask of the tracks it receives, and the screen beside the camera. Part of the port's contract. */
import { expect, test } from 'vitest';
import type { Sfu } from '../../media/index.ts';
import { camera, microphone, openRoom, openSeat, opus, screen, simulcastCamera } from './sfu.fixtures.ts';
import { type OpenSfu, refusal } from './sfu.under-test.ts';

export function sfuTrackContract(open: OpenSfu): void {
  test('[SFU29] a screen is sent beside the camera, and each replaces only its like', async () => {
    await using under = await open({ workers: 1 });
    const { patient, doctor } = await patientAndDoctor(under.sfu);
    await patient.seat.produce(microphone());
    await patient.seat.produce(camera());
    await patient.seat.produce(screen());
    const sources = () => doctor.shown().map(({ source, kind }) => `${source} ${kind}`);
    expect(sources().toSorted()).toEqual(['camera video', 'microphone audio', 'screen video']);

    const before = doctor.events.length;
    await patient.seat.produce(screen());
    expect(doctor.events.slice(before)).toEqual([
      { type: 'consumerRemoved', consumerId: expect.any(String) },
      { type: 'consumerAdded', consumer: expect.objectContaining({ source: 'screen' }) },
    ]);
    expect(sources().toSorted()).toEqual(['camera video', 'microphone audio', 'screen video']);
  });

  test('[SFU29] a screen is paused by itself, and its sound is no screen', async () => {
    await using under = await open({ workers: 1 });
    const { patient, doctor } = await patientAndDoctor(under.sfu);
    await patient.seat.produce(camera());
    await patient.seat.produce(screen());
    await patient.seat.setSourcePaused('screen', true);
    const screens = doctor.shown().filter(({ source }) => source === 'screen');
    expect(doctor.events.at(-1)).toEqual({
      type: 'consumerPaused',
      consumerId: screens[0]?.consumerId,
      paused: true,
    });
    const sound = { source: 'screen', kind: 'audio', rtpParameters: opus(4444), paused: false } as const;
    await expect(patient.seat.produce(sound)).rejects.toEqual(refusal('invalid_parameters'));
    const mislabelled = { ...sound, kind: 'video' } as const;
    await expect(patient.seat.produce(mislabelled)).rejects.toEqual(refusal('invalid_parameters'));
    expect(screens).toHaveLength(1);
  });

  test('[SFU30] a consumer is paused and resumed by its own seat alone', async () => {
    await using under = await open({ workers: 1 });
    const { room, patient, doctor } = await patientAndDoctor(under.sfu);
    const stranger = await openSeat(room, 'interpreter');
    await stranger.listen(under.sfu.capabilities);
    await patient.seat.produce(camera());
    const id = consumerOf(doctor);
    const paused = () => doctor.seat.consumer(id)?.paused;
    expect(paused()).toBe(true);
    await doctor.seat.resumeConsumer(id);
    expect(paused()).toBe(false);
    await doctor.seat.pauseConsumer(id);
    await doctor.seat.pauseConsumer(id);
    expect(paused()).toBe(true);
    for (const seat of [patient.seat, stranger.seat]) {
      await expect(seat.pauseConsumer(id)).rejects.toEqual(refusal('not_found'));
      await expect(seat.setPreferredLayer(id, 0)).rejects.toEqual(refusal('not_found'));
      expect(seat.consumer(id)).toBeUndefined();
    }
    await doctor.seat.resumeConsumer(id);
    expect(paused()).toBe(false);
    // The sender hears nothing of who looks.
    expect(patient.events).toEqual([]);
  });

  test('[SFU30] what the seat paused and what the sender muted are two things', async () => {
    await using under = await open({ workers: 1 });
    const { patient, doctor } = await patientAndDoctor(under.sfu);
    await patient.seat.produce(camera());
    const id = consumerOf(doctor);
    await doctor.seat.resumeConsumer(id);
    await patient.seat.setSourcePaused('camera', true);
    await expect
      .poll(() => doctor.seat.consumer(id))
      .toMatchObject({ paused: false, producerPaused: true, currentLayer: null });
    await doctor.seat.pauseConsumer(id);
    await patient.seat.setSourcePaused('camera', false);
    await expect.poll(() => doctor.seat.consumer(id)).toMatchObject({ paused: true, producerPaused: false });
  });

  test('[SFU30] of many wishes at once the last holds', async () => {
    await using under = await open({ workers: 1 });
    const { patient, doctor } = await patientAndDoctor(under.sfu);
    await patient.seat.produce(simulcastCamera());
    const id = consumerOf(doctor);
    for (const last of ['pause', 'resume'] as const) {
      const wishes = Array.from({ length: 9 }, (_, index) => (index % 2 === 0 ? 'pause' : 'resume'));
      const all = [...wishes, last].map((wish) =>
        wish === 'pause' ? doctor.seat.pauseConsumer(id) : doctor.seat.resumeConsumer(id),
      );
      const layers = [2, 0, 1].map((layer) => doctor.seat.setPreferredLayer(id, layer));
      await Promise.all([...all, ...layers]);
      expect(doctor.seat.consumer(id)).toMatchObject({ paused: last === 'pause', preferredLayer: 1 });
    }
  });

  test('[SFU31] a seat chooses the layer of a track that has some, and it is remembered while paused', async () => {
    await using under = await open({ workers: 1 });
    const { patient, doctor } = await patientAndDoctor(under.sfu);
    await patient.seat.produce(simulcastCamera());
    const id = consumerOf(doctor);
    const layer = () => doctor.seat.consumer(id)?.preferredLayer;
    expect(layer()).toBe(2);
    await doctor.seat.setPreferredLayer(id, 0);
    expect(layer()).toBe(0);
    await doctor.seat.resumeConsumer(id);
    expect(layer()).toBe(0);
    await doctor.seat.setPreferredLayer(id, 1);
    await doctor.seat.pauseConsumer(id);
    await doctor.seat.resumeConsumer(id);
    expect(layer()).toBe(1);
    await doctor.seat.setPreferredLayer(id, 7);
    expect(layer()).toBe(2);
  });

  test('[SFU31] choosing a layer of sound or of a picture in one size is no error and changes nothing', async () => {
    await using under = await open({ workers: 1 });
    const { patient, doctor } = await patientAndDoctor(under.sfu);
    for (const track of [microphone(), camera(), screen()]) {
      await patient.seat.produce(track);
      const id = doctor.shown().find(({ source }) => source === track.source)?.consumerId ?? '';
      await doctor.seat.resumeConsumer(id);
      await doctor.seat.setPreferredLayer(id, 0);
      expect(doctor.seat.consumer(id)).toMatchObject({
        paused: false,
        preferredLayer: null,
        currentLayer: null,
      });
    }
  });

  test('[SFU30] a track that ended is not_found, also while it is being asked about', async () => {
    await using under = await open({ workers: 1 });
    const { patient, doctor } = await patientAndDoctor(under.sfu);
    await patient.seat.produce(simulcastCamera());
    const id = consumerOf(doctor);
    const asked = [doctor.seat.resumeConsumer(id), doctor.seat.setPreferredLayer(id, 0)];
    patient.seat.close();
    for (const outcome of await Promise.allSettled([...asked, doctor.seat.pauseConsumer(id)])) {
      if (outcome.status === 'rejected') expect(outcome.reason).toEqual(refusal('not_found'));
    }
    await expect(doctor.seat.pauseConsumer(id)).rejects.toEqual(refusal('not_found'));
    expect(doctor.seat.consumer(id)).toBeUndefined();
  });
}

async function patientAndDoctor(sfu: Sfu) {
  const { room } = await openRoom(sfu);
  const patient = await openSeat(room, 'patient');
  const doctor = await openSeat(room, 'doctor');
  await doctor.listen(sfu.capabilities);
  return { room, patient, doctor };
}

const consumerOf = (seat: { shown: () => readonly { consumerId: string }[] }): string =>
  seat.shown()[0]?.consumerId ?? '';
