/** A server as tutorials write it: it refuses every request in the documented form, and trusts that somebody waits for it. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { requestNames } from '@teleconsult/protocol';
import { Server } from 'socket.io';

const http = createServer();
new Server(http).on('connection', (socket) => {
  for (const name of requestNames)
    socket.on(name, (_payload: unknown, ack: (reply: unknown) => void) =>
      ack({
        ok: false,
        error: { code: 'INVALID', message: 'No.', retryable: false, requestId: randomUUID() },
      }),
    );
});
http.listen(0, '127.0.0.1', () => {
  console.log(`listens on http://127.0.0.1:${(http.address() as AddressInfo).port}`);
});
