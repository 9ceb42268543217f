import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { clientOf, recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { opened, ringing } from './helpers/opened-call.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';
import { ScriptedThread } from './helpers/scripted-thread.ts';
import { ScriptedUploads } from './helpers/scripted-uploads.ts';

describe('closing', () => {
  it('[SDK70] a client closes once, twice, and before it was connected', async () => {
    await using server = await ScriptedServer.start();
    const client = clientOf(server);
    const states = recorded(client.on, 'connection');
    await Promise.all([client.close(), client.close()]);
    await client.close();
    expect(states).toEqual([{ state: 'closed', error: null }]);
    expect(client.connection).toBe('closed');
    expect(await codeOf(client.connect())).toBe('DISCONNECTED');
    expect(await codeOf(client.open('any'))).toBe('DISCONNECTED');
    expect(await codeOf(client.listConsultations())).toBe('DISCONNECTED');
    client.reconnectHint();
    expect(server.handshakes).toEqual([]);
  });

  it('[SDK70] every promise that waits is rejected, and nothing is told any more', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    await using client = clientOf(server);
    await client.connect();
    const consultation = await client.open(thread.id);
    server.on('message.send', () => 'silence');
    server.on('consultation.enter', () => 'silence');
    server.on('consultation.watch', () => 'silence');
    // Uploads are not answered either.
    server.serve = () => new Promise(() => undefined);
    const waiting = [
      consultation.send({ type: 'text', text: 'a' }),
      consultation.send({ type: 'text', text: 'b' }),
      consultation.send({ type: 'image', data: new Blob(['x']) }),
      consultation.enter(),
      client.open(thread.view.consultationId.replace(/.$/, 'x')),
    ].map(codeOf);
    await eventually(
      () => server.payloads('consultation.enter').length,
      (count) => count === 1,
    );
    const told = recorded(consultation.on, 'outbox');
    await client.close();
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => 'DISCONNECTED'));
    expect(told).toEqual([]);
    expect(await codeOf(consultation.send({ type: 'text', text: 'late' }))).toBe('DISCONNECTED');
  });

  it('[SDK70] closing a consultation rejects its messages with ABORTED and leaves the others alone', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    await using client = clientOf(server);
    await client.connect();
    const consultation = await client.open(thread.id);
    server.on('message.send', () => 'silence');
    const sending = codeOf(consultation.send({ type: 'text', text: 'a' }));
    await eventually(
      () => server.payloads('message.send').length,
      (count) => count === 1,
    );
    await consultation.close();
    expect(await sending).toBe('ABORTED');
    expect(client.connection).toBe('connected');
    await client.listConsultations();
  });

  it('[SDK70] closing leaves a call that is held here, and frees the devices', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    const call = await ringing(here);
    await call.accept();
    await eventually(
      () => here.media.running.length,
      (count) => count === 1,
    );
    await here.client.close();
    expect(server.payloads('call.leave')).toEqual([here.scripted.seat]);
    expect(server.payloads('call.hangUp')).toEqual([]);
    expect(here.media.running).toEqual([]);
  });

  it('[SDK70] closing leaves a call alone that rings here or is held elsewhere', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await ringing(here);
    await here.client.close();
    expect(server.received.some(({ name }) => name.startsWith('call.'))).toBe(false);
  });

  it('[SDK70] closing does not wait for a server that does not answer', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    const client = clientOf(server, { requestTimeoutMs: 60_000 });
    await client.connect();
    await client.open(thread.id);
    server.on('consultation.unwatch', () => 'silence');
    const startedAt = performance.now();
    await client.close();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('[SDK71] a program whose client is closed ends by itself', async () => {
    await using server = await ScriptedServer.start();
    const thread = new ScriptedThread(server);
    new ScriptedUploads(server);
    server.on('message.send', (payload, from) =>
      payload.content.type === 'text' ? 'silence' : thread.receive(payload, from),
    );
    const program = fileURLToPath(new URL('helpers/short-lived.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [program, server.url, thread.id], {
      timeout: 20_000,
    });
    expect(stdout.trim().split('\n')).toEqual(['DISCONNECTED', 'closed']);
  });
});
