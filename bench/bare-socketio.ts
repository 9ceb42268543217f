/** The peer of the chat bench: the smallest Socket.IO server that acknowledges a message and sends it to the room. */
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { perMessageDeflate: false, transports: ['websocket'] });
let sequence = 0;
io.on('connection', (socket) => {
  socket.on('consultation.watch', ({ consultationId }, ack) => {
    void socket.join(consultationId);
    ack({ ok: true, data: {} });
  });
  socket.on('message.send', (message, ack) => {
    sequence += 1;
    io.to(message.consultationId).emit('entry.added', { ...message, sequence, at: Date.now() });
    ack({ ok: true, data: { sequence } });
  });
});
http.listen(Number(process.env['TELECONSULT_PORT'] ?? 0), '127.0.0.1', () => {
  const address = http.address();
  console.log(`bare listens on http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
});
