import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { readConfig } from '@teleconsult/server/config';
import { HttpTranscriber } from '@teleconsult/server/speech/http-transcriber';
import { expect, test } from 'vitest';
import { type Speech, sound, transcriberContract } from './transcriber.suite.ts';

interface Heard {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

type Script = Speech | { readonly status: number; readonly body: string };

/** A speech service of somebody else. */
async function startService(token: string | null = 'speech-token') {
  const heard: Heard[] = [];
  let next: Script = { text: 'usual' };
  const server = createServer((request, response) => {
    // A request that breaks off is answered by nobody.
    serve(request, response).catch(() => undefined);
  });
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url: path = '', headers } = request;
    const body = await buffer(request);
    heard.push({ path, headers, body });
    if (next === 'hangs') return;
    if (next === 'fails') response.writeHead(500).end('canary');
    else if ('status' in next) response.writeHead(next.status, { location: '/elsewhere' }).end(next.body);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(next));
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const transcriber = new HttpTranscriber({
    url: `http://127.0.0.1:${address.port}/v1/transcribe?model=small`,
    token,
  });
  return {
    transcriber,
    requests: heard,
    nextCall: (script: Script) => {
      next = script;
    },
    heard: () =>
      heard.map(({ path, body }) => ({
        bytes: body.byteLength,
        language: new URL(path, 'http://x').searchParams.get('language'),
      })),
    [Symbol.asyncDispose]: async () => {
      await transcriber.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

transcriberContract('HTTP', () => startService());

const options = { language: 'en', signal: new AbortController().signal } as const;

test('[SPCH3] the service is told the sound, its form and the language, and nothing else', async () => {
  await using service = await startService();
  await service.transcriber.transcribe(sound(3), options);
  const [request] = service.requests;
  expect(request?.path).toBe('/v1/transcribe?model=small&language=en');
  expect(request?.headers['content-type']).toBe('audio/x-raw;format=S16LE;rate=16000;channels=1');
  expect(request?.headers.authorization).toBe('Bearer speech-token');
  expect(Object.keys(request?.headers ?? {}).sort()).toEqual(
    [
      'accept',
      'accept-encoding',
      'accept-language',
      'authorization',
      'connection',
      'content-type',
      'host',
      'sec-fetch-mode',
      'transfer-encoding',
      'user-agent',
    ].sort(),
  );
  expect(request?.body).toEqual(Buffer.concat([0, 1, 2].map((value) => Buffer.alloc(3_200, value))));
  await using open = await startService(null);
  await open.transcriber.transcribe(sound(1), options);
  expect(open.requests[0]?.headers).not.toHaveProperty('authorization');
});

test.each([
  ['a redirection', { status: 307, body: '' }],
  ['no JSON', { status: 200, body: 'words' }],
  ['no text in it', { status: 200, body: '{"words": "canary"}' }],
  ['a text that is none', { status: 200, body: '{"text": 5}' }],
  ['more than words can be', { status: 200, body: JSON.stringify({ text: 'a'.repeat(300_000) }) }],
])('[SPCH2] an answer with %s is a failure', async (_what, script) => {
  await using service = await startService();
  service.nextCall(script);
  await expect(service.transcriber.transcribe(sound(1), options)).rejects.toThrow();
  expect(service.requests).toHaveLength(1);
});

test('[SPCH3] what patients say is sent encrypted, or stays on this machine', () => {
  const read = (url: string) => readConfig({ TELECONSULT_SPEECH_URL: url }).SPEECH_URL;
  for (const url of [
    'https://speech.example/v1',
    'http://127.0.0.1:9000/',
    'http://[::1]/',
    'http://localhost/',
  ])
    expect(read(url)).toBe(url);
  for (const url of [
    'http://speech.example/',
    'http://127.evil.example/',
    'http://10.0.0.1/',
    'ftp://localhost/',
    'https://name:secret@speech.example/',
    '',
  ])
    expect(() => read(url), url).toThrow('TELECONSULT_SPEECH_URL');
});
