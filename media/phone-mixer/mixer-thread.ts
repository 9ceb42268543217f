/** The thread of the telephones: nothing that the server does otherwise is heard as a gap. */
import { parentPort } from 'node:worker_threads';
import type { FromMixer, LineSettings, ToMixer } from './messages.ts';
import { Pace } from './pace.ts';
import { PhoneLine } from './phone-line.ts';

const port = parentPort;
if (port === null) throw new Error('This file runs as a worker thread.');
const say = (message: FromMixer): void => port.postMessage(message);

const lines = new Map<number, PhoneLine>();
/** Lines whose sockets are just being opened, unless they were closed meanwhile. */
const opening = new Set<number>();
const pace = new Pace((missed) => {
  for (const line of lines.values()) line.tick(missed);
});

port.on('message', (message: ToMixer) => {
  switch (message.type) {
    case 'open':
      void open(message.line);
      return;
    case 'connect':
      lines.get(message.lineId)?.connect(message.room);
      return;
    case 'addVoice':
      lines.get(message.lineId)?.addVoice(message.ssrc, message.codec);
      return;
    case 'removeVoice':
      lines.get(message.lineId)?.removeVoice(message.ssrc);
      return;
    case 'statistics':
      say({
        type: 'statistics',
        askId: message.askId,
        statistics: lines.get(message.lineId)?.statistics ?? null,
      });
      return;
    case 'close':
      opening.delete(message.lineId);
      end(message.lineId);
      return;
    default: {
      const unreachable: never = message;
      throw new TypeError(`no such message: ${String(unreachable)}`);
    }
  }
});

async function open(settings: LineSettings): Promise<void> {
  const { lineId } = settings;
  opening.add(lineId);
  try {
    const line = await PhoneLine.open(settings, {
      onFirstPacket: () => say({ type: 'firstPacket', lineId }),
      onFailed: () => {
        end(lineId);
        say({ type: 'failed', lineId });
      },
    });
    if (!opening.delete(lineId)) {
      line.close();
      return;
    }
    lines.set(lineId, line);
    pace.start();
    say({ type: 'opened', line: line.opened });
  } catch {
    opening.delete(lineId);
    say({ type: 'refused', lineId });
  }
}

function end(lineId: number): void {
  lines.get(lineId)?.close();
  lines.delete(lineId);
  if (lines.size === 0) pace.stop();
}
