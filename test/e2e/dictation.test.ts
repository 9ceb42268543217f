import { createTeleconsultClient } from '@teleconsult/client-sdk';
import { openRecords } from '@teleconsult/client-sdk/records';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  dictate,
  dictationScript,
  lookAt,
  openPage,
  playedMs,
  serveScript,
} from '../client-sdk/records/helpers/dictating-browser.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { launchProfile } from './profile.ts';

let script = '';

beforeAll(async () => {
  script = await dictationScript();
});

/** A client in Node, as the app of another device. */
function clientOf(url: string, person: string) {
  const client = createTeleconsultClient({ url, token: personToken(person), deviceId: `node-${person}` });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

describe('a doctor dictates', () => {
  it('[SDK280] a summary goes over a killed page and a killed server onto the record: continued, heard, signed, and heard by the patient', {
    timeout: 120_000,
  }, async () => {
    await using dir = await tempDir();
    await using profile = await tempDir();
    const port = await freePort();
    let server = await startServerProcess({ dataDir: dir.path, port });
    await using servers = new AsyncDisposableStack();
    servers.defer(() => server.kill());
    const view = await createConsultation(server.origin, hostToken());
    const { consultationId } = view;
    const people = peopleOf(view);
    await using patient = clientOf(server.origin, people.patient);
    await patient.connect();
    await (await patient.open(consultationId)).enter();
    await using doctor = clientOf(server.origin, people.doctor);
    await doctor.connect();
    await (await doctor.open(consultationId)).accept();

    await using context = await launchProfile(profile.path);
    await serveScript(context, script);
    const where = { url: server.origin, token: personToken(people.doctor), consultationId };
    const page = await openPage(context, where);
    await dictate(page);
    const said = (ms: number) => async () => {
      const seen = await lookAt(page);
      return seen.savedMs >= ms && seen;
    };
    await eventually('two seconds at the server', said(2_000), { withinMs: 30_000 });

    // The server dies and comes back: the dictation goes on meanwhile, and nothing is said twice.
    await server.kill();
    const atDeath = await lookAt(page);
    await eventually('another second on the device', async () => {
      const { keptMs, state } = await lookAt(page);
      return state === 'recording' && keptMs >= atDeath.keptMs + 1_000;
    });
    server = await startServerProcess({ dataDir: dir.path, port });
    await eventually('what was said meanwhile at the server', said(atDeath.keptMs + 1_000), {
      withinMs: 30_000,
    });

    // The page dies, too.
    const session = await context.newCDPSession(page);
    const crashed = new Promise((resolve) => page.once('crash', resolve));
    session.send('Page.crash').catch(() => {});
    await crashed;
    const next = await openPage(context, where);
    const found = await eventually('it to be offered', async () => {
      const seen = await lookAt(next);
      return seen.state === 'interrupted' && seen;
    });
    const kept = await next.evaluate(async () => {
      const [dictation] = globalThis.records.dictations;
      if (dictation === undefined) throw new Error('nothing to continue');
      globalThis.dictation = dictation;
      const blobs = await dictation.blobs();
      await dictation.continue();
      return blobs.map(({ size }) => size);
    });
    await eventually('more to be said', async () => {
      const { keptMs } = await lookAt(next);
      return keptMs >= found.keptMs + 1_000;
    });
    const recording = await next.evaluate(() => globalThis.dictation.finish());
    expect(recording).toMatchObject({ state: 'ready', purpose: 'summary' });
    expect(recording.files.map(({ state }) => state)).toEqual(['whole', 'whole']);
    expect(recording.files[0]?.byteSize).toBe(kept[0]);

    const records = openRecords(doctor, consultationId);
    await records.load();
    expect(records.recordings.map(({ recordingId }) => recordingId)).toEqual([recording.recordingId]);
    const note = await records.createNote({
      purpose: 'summary',
      text: 'Rest for three days.',
      audio: { recordingId: recording.recordingId, startMs: 0, endMs: null },
    });
    const signed = await records.signNote(note);
    expect(signed.state).toBe('signed');

    const theirs = openRecords(patient, consultationId);
    await theirs.load();
    expect(theirs.notes.map(({ current }) => current.text)).toEqual(['Rest for three days.']);
    const [first] = theirs.recordings;
    const file = first?.files[0];
    if (first === undefined || file === undefined) throw new Error('the patient hears nothing');
    const { url } = await theirs.link(file, first, 'play');
    const response = await fetch(url);
    expect(response.status).toBe(200);
    const played = await playedMs(new Uint8Array(await response.arrayBuffer()));
    expect(played).toBeGreaterThan(found.keptMs - 500);
  });

  it('[SDK281] a dictation that is thrown away is erased on the server, too, and signing out in the middle of one leaves none', {
    timeout: 90_000,
  }, async () => {
    await using dir = await tempDir();
    await using profile = await tempDir();
    await using server = await startServerProcess({ dataDir: dir.path, port: await freePort() });
    const view = await createConsultation(server.origin, hostToken());
    const { consultationId } = view;
    const people = peopleOf(view);
    await using patient = clientOf(server.origin, people.patient);
    await patient.connect();
    await (await patient.open(consultationId)).enter();
    await using doctor = clientOf(server.origin, people.doctor);
    await doctor.connect();
    await (await doctor.open(consultationId)).accept();
    await using context = await launchProfile(profile.path);
    await serveScript(context, script);
    const page = await openPage(context, {
      url: server.origin,
      token: personToken(people.doctor),
      consultationId,
    });
    await dictate(page);
    await eventually('some of it at the server', async () => (await lookAt(page)).savedMs > 500, {
      withinMs: 30_000,
    });
    const records = openRecords(doctor, consultationId);
    await records.load();
    expect(records.recordings.map(({ state }) => state)).toEqual(['running']);
    await page.evaluate(() => globalThis.dictation.discard());
    await records.load();
    expect(records.recordings.filter(({ files }) => files.length > 0)).toEqual([]);
    expect(records.recordings.filter(({ state }) => state !== 'erased')).toEqual([]);
    await dictate(page);
    await eventually('another on the device', async () => (await lookAt(page)).keptMs > 500);
    await page.evaluate(() => globalThis.client.forget());
    expect((await lookAt(page)).count).toBe(0);
    const next = await openPage(context, {
      url: server.origin,
      token: personToken(people.doctor),
      consultationId,
    });
    expect((await lookAt(next)).count).toBe(0);
  });
});
