import { eventually } from './eventually.ts';

/** Environment of a server process whose heap can be asked for; the inspector takes a free port of this machine. */
export const INSPECTED = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

interface Answer {
  readonly id: number;
  readonly result: { readonly usedSize?: number };
}

/** What the server's heap holds after a full collection, in bytes (Chrome DevTools Protocol). */
export async function heapAfterCollection(server: { readonly output: () => string }): Promise<number> {
  const url = await eventually('the inspector', () => /ws:\/\/\S+/.exec(server.output())?.[0]);
  const socket = new WebSocket(url);
  const answers = new Map<number, Answer['result']>();
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as Answer;
    answers.set(id, result);
  });
  const ask = async (id: number, method: string): Promise<Answer['result']> => {
    socket.send(JSON.stringify({ id, method }));
    return eventually(`the answer to ${method}`, () => answers.get(id), { withinMs: 20_000 });
  };
  try {
    await eventually('the inspector to open', () => socket.readyState === WebSocket.OPEN);
    await ask(1, 'HeapProfiler.collectGarbage');
    const { usedSize } = await ask(2, 'Runtime.getHeapUsage');
    if (usedSize === undefined) throw new Error('the inspector tells no heap usage');
    return usedSize;
  } finally {
    socket.close();
  }
}
