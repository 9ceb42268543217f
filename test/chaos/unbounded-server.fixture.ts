/** What the check of stalled readers must notice: a server that keeps everything for whoever does not read. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { pingInterval: 600_000 });
io.on('connection', (socket) => {
  socket.onAny((_event: unknown, ...args: unknown[]) => {
    io.emit('entry.added', args[0]);
    const ack = args.at(-1);
    if (typeof ack === 'function') ack({ ok: true, data: {} });
  });
});
http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listens on http://127.0.0.1:${(http.address() as AddressInfo).port}\n`);
});
