import { randomBytes } from 'node:crypto';
import { AppError } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { clientOf, recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { patient, tokenFor } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';
import { ScriptedThread } from './helpers/scripted-thread.ts';
import { ScriptedUploads } from './helpers/scripted-uploads.ts';

const MIB = 1024 * 1024;
const photo = (data: Blob, caption?: string) =>
  ({ type: 'image', data, ...(caption !== undefined && { caption }) }) as const;

async function opened(server: ScriptedServer, token: () => string = () => tokenFor(patient)) {
  const uploads = new ScriptedUploads(server);
  const thread = new ScriptedThread(server);
  const client = clientOf(server, { token });
  await client.connect();
  return { uploads, thread, client, consultation: await client.open(thread.id) };
}

describe('attachments', () => {
  it('[SDK30] an attachment is uploaded in chunks of 1 MiB with what the server asks for, then sent by its id', async () => {
    await using server = await ScriptedServer.start();
    const { uploads, thread, client, consultation } = await opened(server);
    await using _ = client;
    const bytes = randomBytes(2.5 * MIB);
    const told = recorded(consultation.on, 'outbox');
    const data = new Blob([bytes], { type: 'application/pdf' });
    await consultation.send({ type: 'file', data, fileName: 'Befund ä.pdf', caption: 'for you' });
    const [upload] = uploads.uploads;
    expect(upload?.bytes.equals(bytes)).toBe(true);
    expect(upload?.metadata).toEqual({
      consultationId: thread.id,
      kind: 'file',
      fileName: 'Befund ä.pdf',
      contentType: 'application/pdf',
    });
    expect(uploads.requests.filter((request) => request.startsWith('PATCH')).length).toBe(3);
    expect(server.payloads('message.send').map(({ content }) => content)).toEqual([
      { type: 'file', attachmentId: upload?.id, caption: 'for you' },
    ]);
    const states = told.map(([message]) => message?.state).filter((state) => state !== undefined);
    expect(states.indexOf('sending')).toBeGreaterThan(states.lastIndexOf('uploading'));
    const shares = told.flatMap(([message]) => (message === undefined ? [] : [message.progress]));
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares[0]).toBe(0);
    expect(shares.at(-1)).toBe(1);
  });

  it('[SDK30] pictures and voice messages keep no file name, and an empty caption is none', async () => {
    await using server = await ScriptedServer.start();
    const { uploads, client, consultation } = await opened(server);
    await using _ = client;
    await consultation.send(photo(new File(['x'], 'Me at home.jpg', { type: 'image/jpeg' }), ''));
    await consultation.send({ type: 'voice', data: new Blob(['x']) });
    expect(uploads.uploads.map(({ metadata }) => [metadata['fileName'], metadata['contentType']])).toEqual([
      ['image', 'image/jpeg'],
      ['voice', 'application/octet-stream'],
    ]);
    expect(server.payloads('message.send').map(({ content }) => content)).toEqual([
      { type: 'image', attachmentId: uploads.uploads[0]?.id },
      { type: 'voice', attachmentId: uploads.uploads[1]?.id },
    ]);
  });

  it('[SDK31] an upload that is cut goes on from where the server has it', async () => {
    await using server = await ScriptedServer.start();
    const { uploads, client, consultation } = await opened(server);
    await using _ = client;
    let count = 0;
    uploads.cuts = ({ bytes }) => {
      if (count >= 3 || bytes.length < (count + 1) * 700_000) return false;
      count += 1;
      return true;
    };
    const bytes = randomBytes(3 * MIB);
    await consultation.send(photo(new Blob([bytes])));
    expect(count).toBe(3);
    expect(uploads.uploads.length).toBe(1);
    expect(uploads.uploads[0]?.bytes.equals(bytes)).toBe(true);
    expect(uploads.requests.filter((request) => request.startsWith('POST')).length).toBe(1);
    expect(uploads.requests.filter((request) => request.startsWith('HEAD')).length).toBe(3);
  });

  it('[SDK31] an upload that the server has forgotten begins anew', async () => {
    await using server = await ScriptedServer.start();
    const { uploads, client, consultation } = await opened(server);
    await using _ = client;
    let forgotten = false;
    uploads.cuts = (upload) => {
      if (forgotten) return false;
      forgotten = true;
      uploads.forget(upload.id);
      return true;
    };
    const bytes = randomBytes(100_000);
    await consultation.send(photo(new Blob([bytes])));
    expect(uploads.uploads.length).toBe(1);
    expect(uploads.uploads[0]?.bytes.equals(bytes)).toBe(true);
  });

  it('[SDK31] an upload survives the loss of the server, and the message is sent after it', async () => {
    await using server = await ScriptedServer.start();
    const { uploads, client, consultation } = await opened(server);
    await using _ = client;
    let away = false;
    uploads.cuts = async () => {
      if (away) return false;
      away = true;
      await server.goAway();
      return true;
    };
    const bytes = randomBytes(MIB);
    const sent = consultation.send(photo(new Blob([bytes])));
    await eventually(
      () => client.connection,
      (state) => state === 'connecting',
    );
    await server.comeBack();
    expect((await sent).sequence).toBe(1);
    expect(uploads.uploads[0]?.bytes.equals(bytes)).toBe(true);
  });

  it('[SDK32] a token that expires during an upload is replaced, and nothing is uploaded twice', async () => {
    await using server = await ScriptedServer.start();
    let generation = 1;
    const { uploads, client, consultation } = await opened(server, () =>
      tokenFor(patient, `token-${generation}`),
    );
    await using _ = client;
    let requests = 0;
    uploads.admit = (token) => {
      requests += 1;
      // After the creation and one chunk, the old token is worth nothing any more.
      if (requests > 2) generation = 2;
      return token === tokenFor(patient, `token-${generation}`) ? null : 'TOKEN_EXPIRED';
    };
    const bytes = randomBytes(2 * MIB);
    await consultation.send(photo(new Blob([bytes])));
    expect(uploads.uploads.length).toBe(1);
    expect(uploads.uploads[0]?.bytes.equals(bytes)).toBe(true);
  });

  it('[SDK32] a token that expired while the device was offline is replaced, however long that was', async () => {
    await using server = await ScriptedServer.start();
    let generation = 1;
    const { uploads, client, consultation } = await opened(server, () =>
      tokenFor(patient, `token-${generation}`),
    );
    await using _ = client;
    let requests = 0;
    uploads.admit = (token) => {
      requests += 1;
      // A proxy that answers while the server cannot be reached.
      if (requests <= 4) return 'INTERNAL';
      generation = 2;
      return token === tokenFor(patient, 'token-2') ? null : 'TOKEN_EXPIRED';
    };
    await consultation.send(photo(new Blob(['x'])));
    expect(uploads.uploads.length).toBe(1);
  });

  it('[SDK32] a token that the server keeps refusing fails the message in the end', async () => {
    await using server = await ScriptedServer.start();
    const { uploads, client, consultation } = await opened(server);
    await using _ = client;
    uploads.admit = () => 'TOKEN_EXPIRED';
    expect(await codeOf(consultation.send(photo(new Blob(['x']))))).toBe('TOKEN_EXPIRED');
    expect(uploads.requests.length).toBe(3);
  });

  it('[SDK33] a refused file fails with the reason of the server, lets the next message pass, and begins anew on retry', async () => {
    await using server = await ScriptedServer.start();
    const { uploads, client, consultation } = await opened(server);
    await using _ = client;
    uploads.settle = ({ id }) => ({
      status: 'refused',
      attachmentId: id,
      code: 'UNSUPPORTED_MEDIA',
      detail: 'svg',
    });
    const refused = consultation.send(photo(new Blob(['<svg/>'])));
    const text = consultation.send({ type: 'text', text: 'after it' });
    expect(await codeOf(refused)).toBe('UNSUPPORTED_MEDIA');
    expect((await text).sequence).toBe(1);
    const [failed] = consultation.outbox;
    expect(failed).toMatchObject({ state: 'failed', attempts: 0, error: { detail: 'svg' } });
    uploads.settle = (upload) => uploads.ready(upload);
    expect((await consultation.retry(failed?.clientMessageId ?? '')).sequence).toBe(2);
    expect(uploads.uploads.length).toBe(2);
  });

  it('[SDK33] while the server is still checking, it is asked again', async () => {
    await using server = await ScriptedServer.start();
    const { uploads, client, consultation } = await opened(server);
    await using _ = client;
    let looks = 0;
    uploads.settle = (upload) => {
      looks += 1;
      const { id: attachmentId, length } = upload;
      if (looks < 4) return { status: 'processing', attachmentId, receivedBytes: length, byteSize: length };
      return uploads.ready(upload);
    };
    await consultation.send(photo(new Blob(['x'])));
    expect(looks).toBe(4);
  });

  it('[SDK26] a message that failed after its upload is tried again without uploading', async () => {
    await using server = await ScriptedServer.start();
    const { uploads, client, consultation } = await opened(server);
    await using _ = client;
    server.once('message.send', () => {
      throw new AppError('FORBIDDEN');
    });
    expect(await codeOf(consultation.send(photo(new Blob(['x']))))).toBe('FORBIDDEN');
    const [failed] = consultation.outbox;
    await consultation.retry(failed?.clientMessageId ?? '');
    expect(uploads.uploads.length).toBe(1);
    expect(uploads.requests.filter((request) => request.startsWith('PATCH')).length).toBe(1);
  });

  it('[SDK34] uploads run ahead, two at a time, and the messages keep the order of the calls', async () => {
    await using server = await ScriptedServer.start();
    const { uploads, client, consultation } = await opened(server);
    await using _ = client;
    // The first upload is held back until all others are done.
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    uploads.cuts = async (upload) => {
      if (upload === uploads.uploads[0]) await held;
      return false;
    };
    const sent = [
      consultation.send(photo(new Blob(['1']), 'first')),
      consultation.send({ type: 'text', text: 'second' }),
      consultation.send(photo(new Blob(['3']), 'third')),
      consultation.send(photo(new Blob(['4']), 'fourth')),
    ];
    await eventually(
      () => consultation.outbox.map(({ state }) => state),
      (states) => states.filter((state) => state === 'uploading').length === 1,
    );
    expect(server.payloads('message.send')).toEqual([]);
    release();
    expect((await Promise.all(sent)).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    expect(uploads.mostAtOnce).toBeLessThanOrEqual(2);
  });

  it('[SDK34] no third upload begins before one of two is done, and all arrive', async () => {
    await using server = await ScriptedServer.start();
    const { uploads, client, consultation } = await opened(server);
    await using _ = client;
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    uploads.cuts = async () => {
      await held;
      return false;
    };
    const sent = ['1', '2', '3', '4', '5'].map((text) => consultation.send(photo(new Blob([text]))));
    await eventually(
      () => uploads.mostAtOnce,
      (count) => count === 2,
    );
    // Time enough for a third to begin.
    for (let round = 0; round < 20; round += 1) await client.listConsultations();
    expect(uploads.uploads.length).toBe(2);
    release();
    expect((await Promise.all(sent)).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
    expect(uploads.mostAtOnce).toBe(2);
  });

  it('[SDK23] aborting an upload stops it and takes the message out', async () => {
    await using server = await ScriptedServer.start();
    const { uploads, client, consultation } = await opened(server);
    await using _ = client;
    const abort = new AbortController();
    uploads.cuts = async () => {
      abort.abort();
      await aborted;
      return false;
    };
    const aborted = codeOf(
      consultation.send(photo(new Blob([randomBytes(4 * MIB)])), { signal: abort.signal }),
    );
    expect(await aborted).toBe('ABORTED');
    expect(consultation.outbox).toEqual([]);
    expect((await consultation.send({ type: 'text', text: 'next' })).sequence).toBe(1);
    expect(uploads.requests.filter((request) => request.startsWith('PATCH')).length).toBe(1);
  });

  it('[SDK35] the bytes of an attachment are fetched, with a fresh token when the old one has expired', async () => {
    await using server = await ScriptedServer.start();
    let generation = 1;
    const { uploads, client, consultation } = await opened(server, () =>
      tokenFor(patient, `token-${generation}`),
    );
    await using _ = client;
    const bytes = randomBytes(1_000);
    await consultation.send(photo(new Blob([bytes], { type: 'image/jpeg' })));
    const [upload] = uploads.uploads;
    if (upload === undefined) throw new Error('nothing was uploaded');
    generation = 2;
    uploads.admit = (token) => (token === tokenFor(patient, 'token-2') ? null : 'TOKEN_EXPIRED');
    const blob = await consultation.fetchAttachment(upload.id, { variant: 'thumbnail' });
    expect(Buffer.from(await blob.arrayBuffer()).equals(bytes)).toBe(true);
    expect(blob.type).toBe('image/jpeg');
    expect(uploads.requests.at(-1)).toContain('variant=thumbnail');
    uploads.admit = () => 'ATTACHMENT_NOT_READY';
    expect(await codeOf(consultation.fetchAttachment(upload.id))).toBe('ATTACHMENT_NOT_READY');
    expect(await codeOf(consultation.fetchAttachment(upload.id, { signal: AbortSignal.abort() }))).toBe(
      'ABORTED',
    );
    await server.goAway();
    expect(await codeOf(consultation.fetchAttachment(upload.id))).toBe('DISCONNECTED');
    await server.comeBack();
  });
});
