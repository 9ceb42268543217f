import { randomBytes } from 'node:crypto';
import {
  type ClientStorage,
  type ConsultationId,
  createTeleconsultClient,
  type TeleconsultClient,
} from '@teleconsult/client-sdk';
import { describe, expect, it } from 'vitest';
import { createMemoryStorage } from '../../client-sdk/storage/memory-storage.ts';
import { eventually as waitUntil } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { peopleOf, startTestApp, type TestApp } from '../helpers/test-app.ts';
import { personToken } from '../helpers/test-tokens.ts';
import { eventually } from './helpers/eventually.ts';
import { FakeMedia } from './helpers/fake-media.ts';

interface Page extends AsyncDisposable {
  readonly client: TeleconsultClient;
  readonly media: FakeMedia;
}

/** A browser of one person: pages of one device that share what is kept. */
class PersonBrowser {
  readonly storage: ClientStorage = createMemoryStorage();
  readonly deviceId = `device-${randomBytes(6).toString('hex')}`;
  readonly #app: TestApp;
  readonly #person: string;
  readonly #other: string;

  constructor(app: TestApp, person: string, other: string) {
    this.#app = app;
    this.#person = person;
    this.#other = other;
  }

  load({ storage = this.storage, deviceId = this.deviceId } = {}): Page {
    const media = new FakeMedia();
    const client = createTeleconsultClient({
      url: this.#app.origin,
      token: personToken(this.#person),
      deviceId,
      reconnect: () => 5,
      media,
      storage,
    });
    return { client, media, [Symbol.asyncDispose]: () => client.close() };
  }

  /** The page is gone without a word: another connection takes its place, and is cut once the seat is its own. */
  async crash(consultationId: ConsultationId): Promise<void> {
    const { origin } = this.#app;
    await using other = await RawClient.connect(origin, personToken(this.#other));
    const isSeat = (raw: RawClient, wanted: string) => async (): Promise<boolean> => {
      const { call } = await raw.request('consultation.watch', { consultationId });
      return (
        call?.seats.some(({ personId, state }) => personId === this.#person && state === wanted) === true
      );
    };
    {
      await using raw = await RawClient.connect(origin, personToken(this.#person), {
        deviceId: this.deviceId,
      });
      // Written after what became of the former connection: from here on there is one loss, and no more.
      await raw.request('message.send', {
        consultationId,
        clientMessageId: crypto.randomUUID(),
        content: { type: 'text', text: 'still here' },
      });
      await waitUntil('the seat to be there', isSeat(raw, 'present'));
    }
    // Asked of the server: what a page shows may be the former loss still.
    await waitUntil('the seat to be lost', isSeat(other, 'reconnecting'));
  }
}

const GRACE_MS = 60_000;

/** A voice call of patient and doctor, live; both in a page of their own. */
async function inCall(app: TestApp) {
  const view = await app.createConsultation();
  const id = view.consultationId;
  const people = peopleOf(view);
  const browsers = {
    patient: new PersonBrowser(app, people.patient, people.doctor),
    doctor: new PersonBrowser(app, people.doctor, people.patient),
  };
  const patient = browsers.patient.load();
  const doctor = browsers.doctor.load();
  await Promise.all([patient.client.connect(), doctor.client.connect()]);
  const [here, there] = await Promise.all([patient.client.open(id), doctor.client.open(id)]);
  await here.enter();
  await there.accept();
  const call = await there.startCall('voice');
  await eventually(
    () => here.call?.role,
    (role) => role === 'incoming',
  );
  await here.call?.accept();
  await eventually(
    () => call.view.state,
    (state) => state === 'live',
  );
  const seatOf = (person: string) => call.view.seats.find(({ personId }) => personId === person);
  return { id, people, browsers, patient, doctor, here, there, call, seatOf };
}

describe('a call over reloads, with the server', () => {
  it('[SDK194] goes on reload after reload in one seat, muted where it was muted', async () => {
    await using app = await startTestApp();
    const { people, browsers, patient, doctor, here, call, seatOf } = await inCall(app);
    await using pages = new AsyncDisposableStack();
    pages.use(patient);
    pages.use(doctor);
    await here.call?.setMicrophone(false);
    for (let turn = 1; turn <= 3; turn += 1) {
      const restored = await pages.use(browsers.patient.load()).client.restoreCall();
      expect([restored?.id, restored?.role, restored?.microphoneOn]).toEqual([call.id, 'answered', false]);
      await eventually(
        () => seatOf(people.patient),
        (seat) => seat?.state === 'present' && !seat.microphoneOn,
      );
    }
    expect(call.view.seats.length).toBe(2);
    expect(call.view.state).toBe('live');
    // Nothing of the calls' tickets is in the log.
    const record = (await browsers.patient.storage.entries('')).find(([key]) => key.includes('/call/'))?.[1];
    const ticket = typeof record === 'object' && record !== null && 'ticket' in record ? record.ticket : null;
    expect(String(ticket).length).toBeGreaterThan(20);
    expect(app.logs.join('\n')).not.toContain(String(ticket));
  });

  it('[SDK196] what is kept opens no seat for another device, and the seat goes on where it is', async () => {
    await using app = await startTestApp();
    const { people, browsers, patient, doctor, call, seatOf } = await inCall(app);
    await using pages = new AsyncDisposableStack();
    pages.use(patient);
    pages.use(doctor);
    const stolen = createMemoryStorage();
    for (const [key, value] of await browsers.patient.storage.entries(''))
      await stolen.set(key.replace(browsers.patient.deviceId, 'another-device'), value);
    await using thief = browsers.patient.load({ storage: stolen, deviceId: 'another-device' });
    expect(await thief.client.restoreCall()).toBeNull();
    expect(seatOf(people.patient)?.deviceId).toBe(browsers.patient.deviceId);
    expect(patient.client.activeCall?.id).toBe(call.id);
    expect((await stolen.entries('')).filter(([key]) => key.includes('/call/'))).toEqual([]);
  });

  it('[SDK192] a ticket that was used twice over is refused, and the person takes the seat over', async () => {
    await using app = await startTestApp();
    const { id, browsers, patient, doctor, call } = await inCall(app);
    await using pages = new AsyncDisposableStack();
    pages.use(patient);
    pages.use(doctor);
    const old = createMemoryStorage();
    for (const [key, value] of await browsers.patient.storage.entries('')) await old.set(key, value);
    for (let turn = 1; turn <= 2; turn += 1)
      expect(await pages.use(browsers.patient.load()).client.restoreCall()).not.toBeNull();
    const late = pages.use(browsers.patient.load({ storage: old }));
    expect(await late.client.restoreCall()).toBeNull();
    const again = (await late.client.open(id)).call;
    expect([again?.id, again?.role]).toEqual([call.id, 'elsewhere']);
    await again?.accept();
    expect(again?.role).toBe('answered');
    await eventually(
      () => call.view.seats.every(({ state }) => state === 'present'),
      (all) => all,
    );
  });

  it('[SDK204] a caller whose page is reloaded while it rings, and the one who answers it then, are in one call', async () => {
    await using app = await startTestApp();
    const { id, browsers, patient, doctor, here, call } = await inCall(app);
    await using pages = new AsyncDisposableStack();
    pages.use(patient);
    pages.use(doctor);
    await call.hangUp();
    await eventually(
      () => here.call,
      (now) => now === null,
    );
    const ringing = await (await doctor.client.open(id)).startCall('voice');
    const reloaded = pages.use(browsers.doctor.load());
    const restored = await reloaded.client.restoreCall();
    expect([restored?.id, restored?.role]).toEqual([ringing.id, 'caller']);
    await eventually(
      () => here.call?.role,
      (role) => role === 'incoming',
    );
    await here.call?.accept();
    await eventually(
      () => restored?.view.state,
      (state) => state === 'live',
    );
  });

  it('[SDK195] who was lost for longer than the grace comes back within the window, and not after it', async () => {
    await using app = await startTestApp();
    const { id, people, browsers, patient, doctor, call, seatOf } = await inCall(app);
    await using pages = new AsyncDisposableStack();
    pages.use(patient);
    pages.use(doctor);
    for (const minutesAway of [2, 14]) {
      await browsers.patient.crash(id);
      await eventually(
        () => seatOf(people.patient)?.state,
        (state) => state === 'reconnecting',
      );
      app.advance(GRACE_MS + 1_000);
      await eventually(
        () => seatOf(people.patient),
        (seat) => seat?.state === 'left' && seat.returnUntil !== null,
      );
      expect(call.view.state).toBe('live');
      app.advance(minutesAway * 60_000);
      const restored = await pages.use(browsers.patient.load()).client.restoreCall();
      expect([restored?.isRestored, restored?.microphoneOn]).toEqual([true, true]);
      await eventually(
        () => seatOf(people.patient)?.state,
        (state) => state === 'present',
      );
    }
    await browsers.patient.crash(id);
    await eventually(
      () => seatOf(people.patient)?.state,
      (state) => state === 'reconnecting',
    );
    app.advance(GRACE_MS + 1_000);
    await eventually(
      () => seatOf(people.patient)?.state,
      (state) => state === 'left',
    );
    app.advance(16 * 60_000);
    await eventually(
      () => call.view.state,
      (state) => state === 'ended',
    );
    expect(await pages.use(browsers.patient.load()).client.restoreCall()).toBeNull();
    expect((await browsers.patient.storage.entries('')).filter(([key]) => key.includes('/call/'))).toEqual(
      [],
    );
  });
});
