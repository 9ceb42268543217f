import type { CallId, ClientMessageId, Entry } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { childrenOf } from '../helpers/child-processes.ts';
import { eventually } from '../helpers/eventually.ts';
import type { RawClient } from '../helpers/raw-client.ts';
import { freePort, type ServerProcess, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken } from '../helpers/test-tokens.ts';
import { joinSeat, startCall, startVisit, textDraft, type Visit } from '../helpers/visit.ts';
import { microphoneParameters } from '../security/valid-payloads.ts';
import { type SentMessage, transcriptViolations } from '../server/host/transcript.ts';

/** How soon everybody must be heard again. */
const REBUILD_LIMIT_MS = 5_000;
/** How long a message may take meanwhile, from sending to its acknowledgement. */
const CHAT_LIMIT_MS = 1_500;
/** How long messages are sent before the worker dies, and after the call was rebuilt. */
const CALM_MESSAGES = 50;

interface Outcome {
  readonly slowestMs: number;
  readonly sent: number;
  /** null: not within twice the limit. */
  readonly rebuiltMs: number | null;
  readonly complaints: readonly string[];
}

const workersOf = (server: ServerProcess): number[] => childrenOf(server.pid, 'mediasoup');

/** Joins again as a device does that was told of the loss, sends its sound, and is offered the other's. */
async function rebuild(
  client: RawClient,
  call: { consultationId: Visit['id']; callId: CallId },
): Promise<void> {
  await client.fact('seat.mediaLost');
  const withinMs = 2 * REBUILD_LIMIT_MS;
  const offered = async (): Promise<number> => {
    const { routerRtpCapabilities: rtpCapabilities } = await joinSeat(client, call);
    const { consumers } = await client.request('seat.setCapabilities', { ...call, rtpCapabilities });
    const sound = { source: 'microphone', kind: 'audio', rtpParameters: microphoneParameters } as const;
    await client.request('seat.produce', { ...call, ...sound });
    return consumers.length;
  };
  const { consumers } = await eventually(
    'the seat to be joined',
    async () => ({ consumers: await offered() }),
    { withinMs },
  );
  const heard = () => consumers > 0 || client.of('seat.consumerAdded').length > 0;
  await eventually('the other to be offered', heard, { withinMs });
}

/** A call over a real worker while both write, and something that happens to the worker. */
async function play(harm: (server: ServerProcess) => Promise<void> | void): Promise<Outcome> {
  await using dir = await tempDir();
  await using server = await startServerProcess({
    dataDir: dir.path,
    port: await freePort(),
    env: { TELECONSULT_MEDIA: 'mediasoup', TELECONSULT_MEDIA_WORKERS: '1' },
  });
  const { origin } = server;
  await using visit = await startVisit({
    origin,
    createConsultation: (suffix) => createConsultation(origin, hostToken(), suffix),
  });
  const { id, patient, doctor } = visit;
  const call = { consultationId: id, callId: await startCall(visit, 'voice') };
  const acked: SentMessage[] = [];
  const durations: number[] = [];
  let isOver = false;
  const write = async (client: RawClient, name: 'patient' | 'doctor'): Promise<void> => {
    const by = peopleOf(visit.view)[name];
    for (let n = 0; !isOver; n += 1) {
      const clientMessageId = `${name}-${String(n).padStart(6, '0')}` as ClientMessageId;
      const since = performance.now();
      const { sequence } = await client.request('message.send', {
        consultationId: id,
        clientMessageId,
        content: textDraft(`${name} ${n}`),
      });
      durations.push(performance.now() - since);
      acked.push({ by, clientMessageId, sequence });
    }
  };
  const writing = Promise.all([write(patient, 'patient'), write(doctor, 'doctor')]);
  const more = (count: number) => eventually(`${count} more messages`, () => acked.length >= count);
  try {
    await more(CALM_MESSAGES);
    const [killed] = workersOf(server);
    const since = performance.now();
    const harmed = harm(server);
    const rebuilt = await Promise.all([patient, doctor].map((client) => rebuild(client, call))).then(
      () => performance.now() - since,
      () => null,
    );
    await harmed;
    await more(acked.length + CALM_MESSAGES);
    isOver = true;
    await writing;
    const complaints: string[] = [];
    if (killed === undefined || workersOf(server).includes(killed)) complaints.push('no worker died');
    const thread: Entry[] = [];
    for (let hasMore = true; hasMore; ) {
      const afterSequence = thread.at(-1)?.sequence ?? 0;
      const page = await doctor.request('thread.page', { consultationId: id, afterSequence, limit: 200 });
      thread.push(...page.entries);
      hasMore = page.hasMore;
    }
    for (const name of ['patient', 'doctor'])
      complaints.push(
        ...transcriptViolations(
          thread,
          acked.filter(({ clientMessageId }) => clientMessageId.startsWith(name)),
        ),
      );
    if (thread.some(({ kind }) => kind === 'call.ended')) complaints.push('the call ended');
    const slowestMs = Math.max(...durations);
    if (slowestMs > CHAT_LIMIT_MS) complaints.push('a message waited');
    if (rebuilt === null || rebuilt > REBUILD_LIMIT_MS) complaints.push('the call was not rebuilt in time');
    return { slowestMs, sent: acked.length, rebuiltMs: rebuilt, complaints };
  } finally {
    isOver = true;
    await writing.catch(() => undefined);
  }
}

const kill = (server: ServerProcess): void => {
  for (const pid of workersOf(server))
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // It has ended since it was seen.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
};

test('[M8] [CALL8] [SEAT33] a killed media worker holds up no message, and the call is rebuilt in the same seats within 5 s', async () => {
  const { complaints, rebuiltMs, slowestMs, sent } = await play(kill);
  expect(complaints, JSON.stringify({ rebuiltMs, slowestMs, sent })).toEqual([]);
}, 60_000);

test('[M8 sabotage] a call that cannot be rebuilt in time is noticed', async () => {
  const { complaints } = await play(async (server) => {
    const end = performance.now() + REBUILD_LIMIT_MS + 1_500;
    // Each new worker dies as soon as it is seen.
    while (performance.now() < end) {
      kill(server);
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  expect(complaints).toEqual(['the call was not rebuilt in time']);
}, 60_000);

test('[M8 sabotage] a server that stands still for the sake of a dead worker is noticed', async () => {
  const { complaints } = await play(async (server) => {
    kill(server);
    server.child.kill('SIGSTOP');
    const resumeAt = performance.now() + 2 * CHAT_LIMIT_MS;
    await eventually('the pause to be over', () => performance.now() > resumeAt);
    server.child.kill('SIGCONT');
  });
  expect(complaints).toContain('a message waited');
}, 60_000);
