import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ProviderHttp } from '@teleconsult/server/telephony/provider-http';
import { TwilioRelay } from '@teleconsult/server/telephony/twilio/twilio-relay';
import { expect, test } from 'vitest';
import { ScriptedCore } from '../../../contract/relay.core.ts';
import { twilioSettings } from '../../../contract/relay.twilio.fixture.ts';
import { WrittenLog } from '../../../contract/relay.under-test.ts';
import { eventually } from '../../../helpers/eventually.ts';

const REF = `RE${'5'.repeat(32)}`;
const SOUND = Buffer.alloc(70_000, 7);

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const whole: Answer = (response) => void response.writeHead(200).end(SOUND);
const refusing =
  (status: number): Answer =>
  (response) =>
    void response.writeHead(status).end('{"code":20003,"message":"about +8613800001111"}');
const sendingOnTo =
  (location: string): Answer =>
  (response) =>
    void response.writeHead(302, { location }).end();

/** Somebody who gives out files. */
async function fileServer(answer: Answer) {
  const asked: { path: string; authorization: string | null }[] = [];
  const state = { answer, closed: 0 };
  const server = createServer((request, response) => {
    asked.push({ path: request.url ?? '', authorization: request.headers.authorization ?? null });
    response.once('close', () => {
      state.closed += 1;
    });
    state.answer(response, request);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    state,
    port,
    base: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A Twilio that knows one finished recording, whose sound is answered as told. */
async function twilioWith(sound: Answer, record: Answer | null = null) {
  const known: Answer = (response) =>
    void response.end(JSON.stringify({ sid: REF, call_sid: 'CA1', status: 'completed', channels: 2 }));
  const server = await fileServer((response, request) =>
    ((request.url ?? '').includes('.wav') ? sound : (record ?? known))(response, request),
  );
  const clock = (): number => Date.UTC(2026, 10, 22);
  const log = new WrittenLog();
  const pace = { timeoutMs: 5_000, stallMs: 60_000, attempts: 2, firstDelayMs: 1, mostDelayMs: 5 };
  const settings = twilioSettings(server.base);
  const relay = new TwilioRelay({ settings, lookup: new ScriptedCore(clock), log, clock, pace });
  return {
    server,
    relay,
    [Symbol.asyncDispose]: async () => {
      await relay.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const piece of body) bytes += piece.byteLength;
  return bytes;
}

test.each([429, 500, 503, 401, 403])(
  '[TWI62] a recording that is answered %i is there still, and is asked for again',
  async (status) => {
    await using sound = await twilioWith(refusing(status));
    await expect(sound.relay.fetchRecording(REF)).rejects.toMatchObject({ reason: 'unavailable' });
    await using record = await twilioWith(whole, refusing(status));
    await expect(record.relay.fetchRecording(REF)).rejects.toMatchObject({ reason: 'unavailable' });
  },
);

test.each([404, 410])('[TWI62] a recording that is answered %i is not there', async (status) => {
  await using twilio = await twilioWith(refusing(status));
  await expect(twilio.relay.fetchRecording(REF)).rejects.toMatchObject({ reason: 'not_found' });
});

test('[TWI63] where Twilio sends us on for a recording, it is fetched without our credentials', async () => {
  await using other = await fileServer(whole);
  await using twilio = await twilioWith(sendingOnTo(`${other.base}/sound?signed=1`));
  const { body } = await twilio.relay.fetchRecording(REF);
  expect(await bytesOf(body)).toBe(SOUND.byteLength);
  expect(other.asked).toEqual([{ path: '/sound?signed=1', authorization: null }]);
  expect(twilio.server.asked.map(({ authorization }) => typeof authorization)).toEqual(['string', 'string']);
});

test('[TWI63] nobody is followed to a host that gives out no recordings, nor round in circles', async () => {
  await using other = await fileServer(whole);
  for (const location of [
    `http://localhost:${other.port}/sound`,
    `http://user:word@127.0.0.1:${other.port}/sound`,
    'https://127.0.0.1/sound',
    'http://169.254.169.254/latest/meta-data',
    'http://evil-twilio.com/',
    'file:///etc/passwd',
    'http://',
  ]) {
    await using twilio = await twilioWith(sendingOnTo(location));
    await expect(twilio.relay.fetchRecording(REF)).rejects.toMatchObject({ reason: 'unavailable' });
  }
  expect(other.asked).toEqual([]);
  await using round = await twilioWith(sendingOnTo('/again.wav'));
  await expect(round.relay.fetchRecording(REF)).rejects.toMatchObject({ reason: 'unavailable' });
  expect(round.server.asked.filter(({ path }) => path.includes('.wav'))).toHaveLength(4);
});

test.each([
  ['of a told length', { 'content-length': String(SOUND.byteLength) }],
  ['of no told length', {}],
])('[TWI64] a recording %s that is cut off is not taken for a whole one', async (_, headers) => {
  await using twilio = await twilioWith((response) => {
    response.writeHead(200, headers);
    response.write(SOUND.subarray(0, 30_000), () => response.destroy());
  });
  const { body } = await twilio.relay.fetchRecording(REF);
  await expect(bytesOf(body)).rejects.toMatchObject({ reason: 'unavailable' });
});

const beginning: Answer = (response) => {
  response.writeHead(200);
  response.write(SOUND);
};

test('[TWI65] a recording nobody reads, or reads on, lets go of its connection', async () => {
  await using twilio = await twilioWith(beginning);
  const { state } = twilio.server;
  const unread = await twilio.relay.fetchRecording(REF);
  await unread.body[Symbol.asyncIterator]().return?.();
  await eventually('the unread one is let go', () => state.closed === 2);
  const begun = (await twilio.relay.fetchRecording(REF)).body[Symbol.asyncIterator]();
  await begun.next();
  await begun.return?.();
  await eventually('the begun one is let go', () => state.closed === 4);
});

test('[TWI65] a recording that trickles for ever is given up', async () => {
  await using files = await fileServer((response) => {
    response.writeHead(200);
    const trickle = setInterval(() => response.write('x'), 10);
    response.once('close', () => clearInterval(trickle));
  });
  const http = new ProviderHttp({ stallMs: 60_000, downloadMs: 300 });
  const { body } = await http.open({ method: 'GET', url: files.base, headers: {} });
  await expect(bytesOf(body)).rejects.toMatchObject({ reason: 'unavailable' });
  http.close();
});

test('[TWI66] a provider that wants to be left alone for a while is not asked again meanwhile', async () => {
  await using server = await fileServer((response) => {
    response.writeHead(429, { 'retry-after': '30' }).end();
  });
  const http = new ProviderHttp({ attempts: 3, firstDelayMs: 1, mostDelayMs: 5 });
  const ask = () => http.send(() => ({ method: 'GET', url: server.base, headers: {} }));
  await expect(ask()).rejects.toMatchObject({ reason: 'unavailable' });
  expect(server.asked).toHaveLength(1);
  server.state.answer = (response) => void response.writeHead(429, { 'retry-after': '0' }).end();
  await expect(ask()).rejects.toMatchObject({ reason: 'unavailable' });
  expect(server.asked).toHaveLength(4);
  http.close();
});
