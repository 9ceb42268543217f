import { AppError } from '@teleconsult/protocol';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { createLog } from '@teleconsult/server/log';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { startTestApp, type TestApp } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { startCall, textDraft } from '../helpers/visit.ts';
import { uploadText } from '../security/tus-upload.ts';

/** Everything a visit holds that nobody but its people should read; each is findable on its own. */
const spoken = {
  patientName: 'CANARY-name-of-patient',
  doctorName: 'CANARY-name-of-doctor',
  text: 'CANARY-text',
  caption: 'CANARY-caption',
  fileName: 'CANARY-file-name.txt',
  fileContent: 'CANARY-content-of-file',
  note: 'CANARY-note',
  malformed: 'CANARY-malformed',
};
const people = { patient: 'patient-13800138000', doctor: 'doctor-4711' };

const lastError = (lines: readonly string[]): unknown =>
  (JSON.parse(lines.at(-1) ?? '{}') as { error?: unknown }).error;

function capture() {
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  return { log, lines };
}

/** Which of these words are in the log. */
const found = (lines: readonly string[], words: readonly string[]): string[] =>
  words.filter((word) => lines.some((line) => line.includes(word)));

async function create({ origin }: TestApp) {
  const response = await fetch(`${origin}/v1/consultations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      patient: { personId: people.patient, displayName: spoken.patientName },
      doctor: { personId: people.doctor, displayName: spoken.doctorName },
    }),
  });
  return (await response.json()) as Parameters<typeof startCall>[0]['view'];
}

/** A visit from beginning to end in which everything is said that can be, and some things go wrong. */
async function wholeVisit(app: TestApp): Promise<string[]> {
  const view = await create(app);
  const id = view.consultationId;
  const tokens = [personToken(people.patient), personToken(people.doctor)] as const;
  await using patient = await RawClient.connect(app.origin, tokens[0]);
  await using doctor = await RawClient.connect(app.origin, tokens[1]);
  await patient.request('consultation.watch', { consultationId: id });
  await patient.request('consultation.enter', { consultationId: id });
  await doctor.request('consultation.accept', { consultationId: id });
  const message = { consultationId: id, clientMessageId: 'message-0001' as never };
  await patient.request('message.send', { ...message, content: textDraft(spoken.text) });
  const conflicting = { ...message, content: textDraft(`${spoken.text} again`) };
  expect(await patient.emit('message.send', conflicting)).toMatchObject({ error: { code: 'CONFLICT' } });
  const attachmentId = await uploadText(app.origin, {
    token: tokens[0],
    consultationId: id,
    fileName: spoken.fileName,
    text: spoken.fileContent,
  });
  const content = { type: 'file' as const, attachmentId, caption: spoken.caption };
  await eventually('the file to be sent', () =>
    patient.request('message.send', {
      consultationId: id,
      clientMessageId: 'message-0002' as never,
      content,
    }),
  );
  const callId = await startCall({ view, id, patient, doctor, [Symbol.asyncDispose]: async () => undefined });
  await patient.emit('seat.produce', { consultationId: id, callId, source: spoken.malformed });
  await patient.emit(spoken.malformed, spoken.malformed);
  app.sfu.killWorker();
  await doctor.fact('seat.mediaLost');
  await doctor.request('call.hangUp', { consultationId: id, callId });
  await doctor.request('consultation.end', { consultationId: id, note: spoken.note });
  await patient.fact('entry.added', ({ kind }) => kind === 'consultation.ended');
  const ids = [id, callId, attachmentId, people.patient, people.doctor, patient.deviceId, doctor.deviceId];
  return [...ids, ...tokens, hostToken()];
}

test('[LOG1] nothing said, shown, named, uploaded or signed in a whole visit is in any log line, and no id is whole', async () => {
  await using app = await startTestApp();
  const secrets = await wholeVisit(app);
  expect(app.logs.length).toBeGreaterThan(5);
  expect(found(app.logs, [...Object.values(spoken), ...secrets, 'CANARY', '13800138000'])).toEqual([]);
  const steps = app.logs.map((line) => (JSON.parse(line) as { msg: string }).msg);
  expect(steps).toEqual(
    expect.arrayContaining([
      'consultation.created',
      'consultation.active',
      'call.ended',
      'consultation.ended',
    ]),
  );
});

test('[LOG1 sabotage] a line that quotes what was said is found', () => {
  const { log, lines } = capture();
  log.info(`message from ${spoken.patientName}`);
  log.info('message.sent', { event: spoken.text });
  expect(found(lines, Object.values(spoken))).toEqual([spoken.patientName, spoken.text]);
});

test.each(['consultation', 'call', 'attachment', 'person', 'device'] as const)(
  '[LOG2] the id of a %s is logged cut, however short it is',
  (field) => {
    const { log, lines } = capture();
    for (const id of [randomIds.consultationId(), 'person-12345', '12345678', 'anna', 'x']) {
      log.info('step', { [field]: id });
      const logged = (JSON.parse(lines.at(-1) ?? '') as Record<string, string>)[field] ?? '';
      expect(logged).toBe(`${id.slice(0, Math.min(8, Math.floor(id.length / 2)))}…`);
      expect(lines.at(-1)).not.toContain(`"${id}"`);
    }
  },
);

test('[LOG3] a field that is not of the list has no way into a line', () => {
  const { log, lines } = capture();
  const careless = { count: 1, text: spoken.text, name: spoken.patientName };
  log.info('step', careless);
  log.warn('step', careless);
  log.error('step', careless);
  expect(lines.map((line) => Object.keys(JSON.parse(line) as object))).toEqual(
    Array(3).fill(['level', 'time', 'count', 'msg']),
  );
});

test.each<[string, unknown]>([
  ['an error', new Error(spoken.text)],
  ['an error whose message looks like a stack', new Error(`x\n    at ${spoken.text} (file.ts:1:1)`)],
  [
    'an error whose message was changed later',
    Object.assign(new Error(`at\n at ${spoken.text}`), { message: 'y' }),
  ],
  [
    'an error of the catalogue',
    new AppError('INTERNAL', { detail: spoken.text, cause: new Error(spoken.text) }),
  ],
  ['what a parser quotes', parseError(`\n at ${spoken.text}`)],
  ['a text', spoken.text],
  ['an object', { message: spoken.text, stack: spoken.text }],
])('[LOG4] of %s the kind is logged, never the message', (_what, error) => {
  const { log, lines } = capture();
  log.error('step', { error });
  expect(found(lines, ['CANARY'])).toEqual([]);
  expect(lastError(lines)).toBeTypeOf('object');
});

test('[LOG4] of an error is logged where it was thrown, its code and its causes', () => {
  const { log, lines } = capture();
  const cause = Object.assign(new RangeError(spoken.text), { code: 'EWHY' });
  log.error('step', { error: new Error(spoken.text, { cause }) });
  expect(lastError(lines)).toMatchObject({ name: 'Error', cause: { name: 'RangeError', code: 'EWHY' } });
  expect(JSON.stringify(lastError(lines))).toContain('log.test.ts');
});

test('[LOG5] lines below the level are not written', () => {
  const lines: string[] = [];
  const log = createLog({ level: 'warn', destination: { write: (line) => void lines.push(line) } });
  log.info('step');
  log.warn('step');
  expect(lines).toHaveLength(1);
});

function parseError(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}
