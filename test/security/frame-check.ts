import { MAX_FRAME_BYTES } from '@teleconsult/protocol';
import { eventually } from '../helpers/eventually.ts';
import { deflated, type Frame, RawWebSocket } from './raw-websocket.ts';

/** A request whose text is filled up to a size; its acknowledgement is number 1. */
const requestOf = (bytes: number): string => {
  const [before, after] = ['421["consultation.list",{"fill":"', '"}]'];
  return before + 'x'.repeat(bytes - before.length - after.length) + after;
};

const tooLarge: Readonly<Record<string, () => readonly Frame[]>> = {
  'a text one byte above the limit': () => [{ payload: requestOf(MAX_FRAME_BYTES + 1) }],
  'a text of a megabyte': () => [{ payload: requestOf(1024 * 1024) }],
  'fragments that are small each': () => {
    const whole = requestOf(3 * 30_000);
    return [0, 1, 2].map((part) => ({
      payload: whole.slice(part * 30_000, (part + 1) * 30_000),
      opcode: part === 0 ? 1 : 0,
      final: part === 2,
    }));
  },
  'a compressed text that inflates to a megabyte': () => [
    { payload: deflated(requestOf(1024 * 1024)), compressed: true },
  ],
};

/** Only announced: nobody can say that the rest would have been taken. */
export const announcedOnly: Frame = { payload: 'x', announcedBytes: 2n ** 62n };

/** What of the frame limits a server does not keep. Every connection is a new one. */
export async function frameComplaints(origin: string, token: () => string): Promise<string[]> {
  const complaints: string[] = [];
  for (const [what, frames] of Object.entries(tooLarge)) {
    await using socket = await RawWebSocket.open(origin);
    if (socket.extensions !== '') complaints.push(`${what}: compression was agreed`);
    await socket.enter(token());
    for (const frame of frames()) socket.send(frame);
    const outcome = await eventually('the end of the connection or an answer', () =>
      socket.closed ? 'closed' : socket.texts.find((text) => text.startsWith('431')),
    );
    if (outcome !== 'closed') complaints.push(`${what}: was taken`);
  }
  await using socket = await RawWebSocket.open(origin);
  await socket.enter(token());
  socket.send({ payload: requestOf(MAX_FRAME_BYTES) });
  await socket.text(/^431/).catch(() => complaints.push('a text of exactly the limit was not answered'));
  return complaints;
}
