import { requestNames, requests } from '@teleconsult/protocol';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { expect, test } from 'vitest';
import { RawClient } from '../helpers/raw-client.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { startTestApp } from '../helpers/test-app.ts';
import { personToken } from '../helpers/test-tokens.ts';
import { startVisit, textDraft } from '../helpers/visit.ts';
import { startChild } from './child.ts';
import { originOf, quietSettings, startMain, testKeySettings } from './main-process.ts';
import { CANARY, everyMalformed } from './malformed.ts';
import { complaintsAbout, judgeBody } from './malformed-check.ts';
import { validPayloads } from './valid-payloads.ts';

const token = personToken('somebody');

test('[S1] [GATE1] every request of the protocol is among the malformed ones, and its valid payload is valid', () => {
  const valid = validPayloads();
  expect(Object.keys(valid).sort()).toEqual([...requestNames].sort());
  for (const name of requestNames) {
    expect(requests[name].payload.safeParse(valid[name]).success, name).toBe(true);
    expect(everyMalformed().filter(({ event }) => event === name).length, name).toBeGreaterThan(15);
  }
});

test('[S1] [S11] [GATE1] [GATE2] every malformed event is refused by code and request id, with an acknowledgement and without, and the connection goes on', async () => {
  await using app = await startTestApp();
  expect(await complaintsAbout({ origin: app.origin, token })).toEqual([]);
  expect(app.logs.filter((line) => line.includes(CANARY))).toEqual([]);
}, 60_000);

test('[S1] [GATE1] the process lives through every malformed event, and stops in order afterwards', async () => {
  await using dir = await tempDir();
  await using main = startMain({
    ...quietSettings(dir.path),
    ...testKeySettings,
    TELECONSULT_REQUESTS_PER_SECOND: '100000',
  });
  expect(await complaintsAbout({ origin: await originOf(main), token })).toEqual([]);
  expect(main.errors()).not.toContain(CANARY);
  await main[Symbol.asyncDispose]();
  expect(await main.ended).toBe(0);
}, 60_000);

test('[S1 sabotage] [GATE1 sabotage] a server that trusts in the acknowledgement dies of the first event, and the check says so', async () => {
  await using bare = startChild('test/security/bare-server.fixture.ts');
  const complaints = await complaintsAbout({ origin: await originOf(bare), token });
  expect(complaints).toHaveLength(1);
  expect(complaints[0]).toContain('disconnected');
  expect(await bare.ended).toBe(1);
  expect(bare.errors()).toContain('ack is not a function');
});

test('[S1] [GATE2] a request without an acknowledgement is not carried out', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient } = visit;
  patient.socket.emit('message.send', {
    consultationId: id,
    clientMessageId: 'message-0001',
    content: textDraft(CANARY),
  });
  const { event, error } = await patient.fact('request.refused');
  expect({ event, code: error.code }).toEqual({ event: 'message.send', code: 'INVALID' });
  const { entries } = await patient.request('thread.page', { consultationId: id });
  expect(entries.map(({ kind }) => kind)).not.toContain('message.sent');
});

test.each([
  ['a TypeError', new TypeError(CANARY)],
  ['a text', CANARY],
  ['nothing', undefined],
  ['an object', { message: CANARY }],
])(
  '[S1] [S11] [GATE3] a handler that throws %s is answered INTERNAL by request id, and its message is in no log',
  async (_what, thrown) => {
    const messageId = (): never => {
      throw thrown;
    };
    await using app = await startTestApp({ ids: { ...randomIds, messageId } });
    await using visit = await startVisit(app);
    const { id, patient } = visit;
    const reply = await patient.emit('message.send', {
      consultationId: id,
      clientMessageId: 'message-0001',
      content: textDraft('hello'),
    });
    expect(reply).toMatchObject({ ok: false, error: { code: 'INTERNAL', retryable: true } });
    const requestId = reply.ok ? '' : reply.error.requestId;
    expect(app.logs.filter((line) => line.includes(requestId))).toHaveLength(1);
    expect([JSON.stringify(reply), ...app.logs].join()).not.toContain(CANARY);
    await patient.request('thread.page', { consultationId: id });
    await using fresh = await RawClient.connect(app.origin, token);
    await fresh.request('consultation.list', {});
  },
);

test('[S11 sabotage] an error that holds a trace, no request id, or what was sent is noticed', () => {
  const requestId = '01234567-89ab-cdef-0123-456789abcdef';
  const good = { code: 'INTERNAL', message: 'Something went wrong.', retryable: true, requestId };
  expect(judgeBody('good', good)).toEqual([]);
  expect(judgeBody('with a trace', { ...good, stack: 'at server/host.ts:1' })).toHaveLength(1);
  expect(judgeBody('without an id', { ...good, requestId: '' })).toHaveLength(1);
  expect(judgeBody('with what was sent', { ...good, detail: CANARY })).toHaveLength(1);
});
