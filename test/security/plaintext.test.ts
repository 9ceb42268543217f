import { randomBytes } from 'node:crypto';
import { watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConsultationView } from '@teleconsult/protocol';
import type { AppParts } from '@teleconsult/server/app';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { RawClient } from '../helpers/raw-client.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { peopleOf, startTestApp, type TestApp } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { type Findings, scan } from '../server/storage/plaintext-scan.ts';
import { openUnsealedVault, type Unsealed } from '../server/storage/unsealed-vault.ts';
import { attachmentTools, jpeg, pdf, tone } from '../server/uploads/samples.ts';
import { TusClient } from '../server/uploads/tus-client.ts';

/** Words that stand nowhere else, one for each thing that a person can say, name or send. */
const canaries = () => {
  const word = (what: string) => `CANARY${what}${randomBytes(6).toString('hex')}`;
  return {
    patientName: word('patient'),
    doctorName: word('doctor'),
    text: word('text'),
    caption: word('caption'),
    note: word('note'),
    fileName: word('name'),
    refusedName: word('refused'),
    documentBytes: word('document'),
    pictureBytes: word('picture'),
    soundBytes: word('sound'),
    unfinishedName: word('unfinished'),
    unfinishedBytes: word('half'),
  };
};
type Canaries = ReturnType<typeof canaries>;

async function createVisit(app: TestApp, { patientName, doctorName }: Canaries): Promise<ConsultationView> {
  const suffix = randomBytes(4).toString('hex');
  const response = await fetch(`${app.origin}/v1/consultations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      patient: { personId: `patient-${suffix}`, displayName: patientName },
      doctor: { personId: `doctor-${suffix}`, displayName: doctorName },
    }),
  });
  return (await response.json()) as ConsultationView;
}

/** A picture, a voice message and a document whose bytes hold a canary, under names that are one. */
async function telling(words: Canaries) {
  const picture = await sharp(await jpeg())
    .withExif({ IFD0: { Copyright: words.pictureBytes } })
    .jpeg()
    .toBuffer();
  const files = [
    { kind: 'image' as const, bytes: picture, fileName: `${words.fileName}.jpg` },
    {
      kind: 'voice' as const,
      bytes: await tone(1, 'ogg', words.soundBytes),
      fileName: `${words.fileName}.ogg`,
    },
    {
      kind: 'file' as const,
      bytes: pdf(50_000, Buffer.from(`${words.documentBytes}\n`)),
      fileName: `${words.fileName}.pdf`,
    },
  ];
  const canaryOf = { image: words.pictureBytes, voice: words.soundBytes, file: words.documentBytes };
  for (const { kind, bytes } of files) expect(bytes.includes(canaryOf[kind]), kind).toBe(true);
  return files;
}

/** One of everything a person can say or send. `halfway` is called when an upload of each kind has half arrived. */
async function wholeVisit(app: TestApp, words: Canaries, halfway: () => Promise<void>): Promise<void> {
  const view = await createVisit(app, words);
  const { consultationId } = view;
  const people = peopleOf(view);
  await using patient = await RawClient.connect(app.origin, personToken(people.patient));
  await using doctor = await RawClient.connect(app.origin, personToken(people.doctor));
  const tus = new TusClient(app.origin, personToken(people.patient));
  const send = async (number: number, content: object) => {
    const clientMessageId = `message-000${number}`;
    expect(await patient.emit('message.send', { consultationId, clientMessageId, content })).toMatchObject({
      ok: true,
    });
  };
  await patient.request('consultation.enter', { consultationId });
  await doctor.request('consultation.accept', { consultationId });
  await send(0, { type: 'text', text: words.text });

  const uploads = [];
  for (const { kind, bytes, fileName } of await telling(words)) {
    const half = bytes.byteLength >> 1;
    const { location } = await tus.create({ consultationId, kind, byteSize: bytes.byteLength, fileName });
    await tus.patch(location, 0, bytes.subarray(0, half));
    uploads.push({ kind, location, half, rest: bytes.subarray(half) });
  }
  await halfway();
  for (const { kind, location, half, rest } of uploads) {
    await tus.patch(location, half, rest);
    const attachmentId = location.slice(-26);
    expect(await tus.ended(consultationId, attachmentId)).toMatchObject({ status: 'ready' });
    const caption = kind === 'voice' ? {} : { caption: words.caption };
    await send(uploads.findIndex((one) => one.kind === kind) + 1, { type: kind, attachmentId, ...caption });
    expect((await tus.content(consultationId, attachmentId)).status).toBe(200);
  }
  const refused = await tus.upload(
    { consultationId, kind: 'file', fileName: `${words.refusedName}.exe` },
    Buffer.from(words.unfinishedBytes),
  );
  expect(await tus.ended(consultationId, refused)).toMatchObject({ status: 'refused' });
  const unfinished = { kind: 'file', byteSize: 10_000, fileName: `${words.unfinishedName}.pdf` } as const;
  const { location } = await tus.create({ consultationId, ...unfinished });
  await tus.patch(location, 0, Buffer.from(words.unfinishedBytes));
  await doctor.request('consultation.end', { consultationId, note: words.note });
}

/** A whole visit, with every file the server has then and halfway looked through. */
async function scannedVisit(unsealed: Unsealed | null) {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const dataDir = join(dir.path, 'data');
  const temporary = join(dir.path, 'temporary');
  await mkdir(dataDir, { mode: 0o700 });
  await mkdir(temporary);
  const shared = process.env['TMPDIR'];
  process.env['TMPDIR'] = temporary;
  stack.defer(() => {
    if (shared === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = shared;
  });
  const touched: string[] = [];
  const watcher = stack.adopt(watch(temporary), (opened) => opened.close());
  watcher.on('change', (_event, name) => touched.push(String(name)));

  const words = canaries();
  const since = Date.now();
  const all = Object.values(words);
  const vault: Partial<AppParts> =
    unsealed === null ? {} : { vault: await openUnsealedVault(dataDir, unsealed) };
  const app = stack.use(await startTestApp({ dataDir, tools: await attachmentTools(), ...vault }));
  const scans: Record<string, Findings> = {};
  await wholeVisit(app, words, async () => {
    scans['halfway'] = await scan(dataDir, all);
  });
  scans['at the end'] = await scan(dataDir, all);
  // What the children of the server would write, they would write here: they know nothing of TMPDIR.
  scans['temporary files'] = { ...(await scan('/tmp', all, since)), formats: [] };
  await app[Symbol.asyncDispose]();
  scans['after the stop'] = await scan(dataDir, all);
  const logged = all.filter((word) => app.logs.some((line) => line.includes(word)));
  return { scans, touched, words, logged };
}

test('[M3] [E11] [STO24] nothing that people say, name or send lies open in any file, at no time', async () => {
  const { scans, touched, logged } = await scannedVisit(null);
  for (const [when, { words, formats, filesRead }] of Object.entries(scans)) {
    expect({ when, words, formats }).toEqual({ when, words: [], formats: [] });
    // The database and its log, the keys, and the objects were really looked through.
    if (when !== 'temporary files') expect(filesRead, when).toBeGreaterThanOrEqual(5);
  }
  expect(touched).toEqual([]);
  expect(logged).toEqual([]);
}, 60_000);

test('[M3 sabotage] [STO24] a vault that does not seal objects is noticed, also halfway', async () => {
  const { scans, words } = await scannedVisit('objects');
  const { halfway, 'after the stop': after } = scans;
  expect(halfway?.words.some((found) => found.endsWith(words.documentBytes))).toBe(true);
  expect(halfway?.formats.map((found) => found.split(': ')[1]).toSorted()).toEqual(['JPEG', 'Ogg', 'PDF']);
  expect(after?.words.some((found) => found.endsWith(words.documentBytes))).toBe(true);
  expect(new Set(after?.formats.map((found) => found.split(': ')[1]))).toEqual(
    new Set(['JPEG', 'RIFF (WebP, WAV)', 'WebM', 'PDF']),
  );
  // Pictures and voice are made anew: what they told is gone even here.
  expect(after?.words.some((found) => found.includes(words.pictureBytes))).toBe(false);
}, 60_000);

test('[E11 sabotage] [STO24] a key that does not seal fields is noticed in the database and its log', async () => {
  const { scans, words } = await scannedVisit('fields');
  const inFile = (name: string, found: Findings | undefined) =>
    found?.words.flatMap((hit) => (hit.startsWith(`${name}: `) ? [hit.slice(name.length + 2)] : []));
  const { text, caption, note, fileName, patientName, doctorName, unfinishedName } = words;
  expect(inFile('teleconsult.db-wal', scans['at the end'])).toEqual(
    expect.arrayContaining([text, caption, note, fileName, patientName, doctorName, unfinishedName]),
  );
  expect(inFile('teleconsult.db', scans['after the stop'])).toEqual(
    expect.arrayContaining([text, caption, note, fileName, patientName, doctorName, unfinishedName]),
  );
}, 60_000);
