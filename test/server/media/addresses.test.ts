import { createMediasoupSfu } from '@teleconsult/media';
import { expect, test } from 'vitest';
import { dtls, microphone, screen, simulcastCamera } from '../../contract/sfu.fixtures.ts';
import { workerBin } from '../../contract/sfu.worker-bin.ts';
import { peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { foundIn, spellingsOf } from './address-search.ts';
import { AddressedPerson } from './addressed-person.ts';

const PATIENT = '127.0.0.71';
const DOCTOR = '127.0.0.72';

test('[T7] the address of a participant reaches no other, whatever the server tells them', async () => {
  await using visit = await addressedVisit();
  const { id, patient, doctor } = visit;
  const call = await holdCall(visit);
  await patient.request('message.send', {
    consultationId: id,
    clientMessageId: 'message-1',
    content: { type: 'text', text: 'It hurts here.' },
  });
  for (const person of [patient, doctor]) {
    expect(await person.get(`/v1/consultations/${id}`)).toBe(200);
    expect(await person.get(`/v1/consultations/${id}/thread`)).toBe(200);
    expect(await person.get('/v1/nothing')).toBe(404);
    await person.request('thread.page', { consultationId: id });
    await person.request('consultation.watch', { consultationId: id });
  }
  await doctor.request('call.hangUp', call);

  for (const [person, other] of [
    [patient, DOCTOR],
    [doctor, PATIENT],
  ] as const) {
    const everything = person.received.join('\n');
    // Something did arrive: the other's tracks, whose parameters are what looks most like SDP, and the call.
    for (const part of ['rtpParameters', 'iceCandidates', 'call.changed', 'message.sent'])
      expect(everything).toContain(part);
    expect(foundIn(everything, other)).toEqual([]);
  }
});

test('[T7] nor does the server write it down', async () => {
  await using visit = await addressedVisit();
  await holdCall(visit);
  for (const address of [PATIENT, DOCTOR]) expect(foundIn(visit.app.logs.join('\n'), address)).toEqual([]);
});

test('[T7 sabotage] an address in a message is found at the other end', async () => {
  await using visit = await addressedVisit();
  const { id, patient, doctor } = visit;
  const hidden = Buffer.from(`see ${PATIENT} here`).toString('base64');
  for (const [index, text] of [`from ${PATIENT}`, hidden].entries()) {
    const before = doctor.received.length;
    await patient.request('message.send', {
      consultationId: id,
      clientMessageId: `message-${index}`,
      content: { type: 'text', text },
    });
    await expect.poll(() => foundIn(doctor.received.slice(before).join('\n'), PATIENT)).not.toEqual([]);
  }
});

test('[T7 sabotage] each spelling is found in each kind of payload', () => {
  for (const [name, spelling] of spellingsOf(PATIENT)) {
    const payload = JSON.stringify({ facts: [{ rtpParameters: { rtcp: { cname: `a${spelling}b` } } }] });
    expect(foundIn(payload, PATIENT), name).toContain(name);
    expect(foundIn(payload, DOCTOR).length, name).toBeLessThanOrEqual(1);
  }
  expect(foundIn('{"a":"127.0.0.\\u00371"}', PATIENT)).toHaveLength(1);
  expect(foundIn(JSON.stringify({ ip: '127.0.0.1', address: '127.0.0.1', port: 40_071 }), PATIENT)).toEqual(
    [],
  );
});

/** Server with real media; each person is connected from an address of their own. */
async function addressedVisit() {
  await using stack = new AsyncDisposableStack();
  const quiet = (): void => undefined;
  const sfu = stack.adopt(
    await createMediasoupSfu({
      workerBin: workerBin(),
      workers: 1,
      listenIp: '127.0.0.1',
      firstPort: 0,
      maxIncomingBitrate: 3_000_000,
      initialOutgoingBitrate: 1_000_000,
      logger: { info: quiet, warn: quiet, error: quiet },
    }),
    (opened) => opened.close(),
  );
  const app = stack.use(await startTestApp({ sfu }));
  const view = await app.createConsultation();
  const people = peopleOf(view);
  const connect = async (person: string, address: string): Promise<AddressedPerson> =>
    stack.use(await AddressedPerson.connect({ origin: app.origin, person, address }));
  const patient = await connect(people.patient, PATIENT);
  const doctor = await connect(people.doctor, DOCTOR);
  const id = view.consultationId;
  for (const person of [patient, doctor]) await person.request('consultation.watch', { consultationId: id });
  await patient.request('consultation.enter', { consultationId: id });
  await doctor.request('consultation.accept', { consultationId: id });
  const owned = stack.move();
  return { app, sfu, id, patient, doctor, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Both take everything a call has: tracks both ways, layers, views, quality, an ICE restart, a network check. */
async function holdCall({ id, sfu, patient, doctor }: Awaited<ReturnType<typeof addressedVisit>>) {
  const { call: started } = await doctor.request('call.start', { consultationId: id, media: 'video' });
  const call = { consultationId: id, callId: started.callId };
  await patient.request('call.accept', call);
  const rtpCapabilities = sfu.capabilities;
  for (const person of [doctor, patient]) {
    const { send, receive } = await person.request('seat.join', { ...call, rtpCapabilities });
    for (const [direction, offer] of [
      ['send', send],
      ['receive', receive],
    ] as const) {
      expect(await person.reachMedia(offer)).toBe(true);
      await person.request('seat.connectTransport', { ...call, direction, dtlsParameters: dtls() });
    }
    for (const track of [microphone(), simulcastCamera()])
      await person.request('seat.produce', { ...call, ...track });
  }
  await doctor.request('seat.setSource', { ...call, source: 'screen', on: true });
  await doctor.request('seat.produce', { ...call, ...screen() });
  for (const person of [doctor, patient]) {
    const { consumers } = await person.request('seat.setCapabilities', { ...call, rtpCapabilities });
    expect(consumers.length).toBeGreaterThanOrEqual(2);
    for (const { consumerId } of consumers) {
      await person.request('seat.resumeConsumer', { ...call, consumerId });
      await person.request('seat.setLayers', { ...call, consumerId, spatialLayer: 0 });
      await person.request('seat.pauseConsumer', { ...call, consumerId });
    }
    await person.request('seat.setSource', { ...call, source: 'microphone', on: false });
    await person.request('seat.setView', { ...call, view: 'floating' });
    await person.request('seat.restartIce', { ...call, direction: 'send' });
    await person.request('seat.reportQuality', { ...call, report: REPORT });
    const { checkId, send } = await person.request('check.open', {});
    expect(await person.reachMedia(send)).toBe(true);
    const { source, kind, rtpParameters } = microphone();
    await person.request('check.produce', { checkId, source, kind, rtpParameters });
    await person.request('check.consume', { checkId, rtpCapabilities });
  }
  return call;
}

const REPORT = {
  level: 'poor',
  rttMs: 300,
  jitterMs: 40,
  lossPercent: 8,
  sendKbps: 200,
  receiveKbps: 300,
  networkType: 'cellular',
  path: 'udp',
} as const;
