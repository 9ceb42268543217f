/** What the memory check of floods must notice: a server that keeps everything it was ever sent. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

const kept: unknown[] = [];
const http = createServer();
const io = new Server(http);
io.on('connection', (socket) => {
  socket.onAny((_event: unknown, ...args: unknown[]) => {
    kept.push(args);
    const ack = args.at(-1);
    if (typeof ack === 'function') ack({ ok: false, error: { code: 'INVALID' } });
  });
});
http.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listens on http://127.0.0.1:${(http.address() as AddressInfo).port}\n`);
});
