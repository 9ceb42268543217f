import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MAX_FRAME_BYTES, PROTOCOL_VERSION } from '@teleconsult/protocol';
import { Server } from 'socket.io';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { startTestApp } from '../helpers/test-app.ts';
import { personToken } from '../helpers/test-tokens.ts';
import { startVisit, textDraft } from '../helpers/visit.ts';
import { announcedOnly, frameComplaints } from './frame-check.ts';
import { RawWebSocket } from './raw-websocket.ts';

const token = (): string => personToken('somebody');

test('[S3] [LIMIT1] a frame above the limit, whole, in fragments or inflating to it, closes the connection that sent it and no other', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, patient, doctor } = visit;
  expect(await frameComplaints(app.origin, token)).toEqual([]);
  await patient.request('message.send', {
    consultationId: id,
    clientMessageId: 'message-0001' as never,
    content: textDraft('still here'),
  });
  await doctor.fact('entry.added', ({ kind }) => kind === 'message.sent');
});

test('[S3 sabotage] [LIMIT1 sabotage] a server with the usual limits and with compression takes all of them, and the check says so', async () => {
  const http = createServer();
  await using io = new AsyncDisposableStack();
  const server = io.adopt(new Server(http, { maxHttpBufferSize: 1e8, perMessageDeflate: true }), (opened) =>
    opened.close(),
  );
  server.on('connection', (socket) => {
    socket.on('consultation.list', (_payload: unknown, ack: (reply: unknown) => void) => ack('taken'));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const complaints = await frameComplaints(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, token);
  expect(complaints.filter((complaint) => complaint.endsWith('was taken'))).toHaveLength(4);
  expect(complaints.filter((complaint) => complaint.endsWith('compression was agreed'))).toHaveLength(4);
});

test('[S3] [LIMIT1] a frame that announces more than the limit is refused before it has arrived', async () => {
  await using app = await startTestApp();
  await using socket = await RawWebSocket.open(app.origin);
  await socket.enter(token());
  socket.send(announcedOnly);
  await eventually('the connection to be closed', () => socket.closed);
});

test('[S3] [LIMIT1] long polling has the same limit, and what is below it gets through', async () => {
  await using app = await startTestApp();
  const url = `${app.origin}/socket.io/?EIO=4&transport=polling`;
  const opened = await (await fetch(url)).text();
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
  const post = (body: string) => fetch(`${url}&sid=${sid}`, { method: 'POST', body });
  expect((await post('4'.padEnd(MAX_FRAME_BYTES + 1, 'x'))).status).toBe(413);
  const auth = { protocol: PROTOCOL_VERSION, token: token(), deviceId: 'device-0001' };
  expect((await post(`40${JSON.stringify(auth)}`)).status).toBe(200);
  expect(await (await fetch(`${url}&sid=${sid}`)).text()).toMatch(/^40\{"sid"/);
});
