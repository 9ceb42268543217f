import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CallId, ConsultationId, RecordingId } from '@teleconsult/protocol';
import { workerBin } from '../contract/sfu.worker-bin.ts';
import { childrenOf } from '../helpers/child-processes.ts';
import { eventually } from '../helpers/eventually.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken } from '../helpers/test-tokens.ts';
import type { MadeTrack } from '../helpers/tones.ts';
import { joinSeat, startCall, startVisit, type Visit } from '../helpers/visit.ts';
import type { Answer, Asked, FromServer, ToldFile } from './recording-server.fixture.ts';

const PROGRAM = fileURLToPath(new URL('recording-server.fixture.ts', import.meta.url));

/** A server that records, in a process of its own. */
export class RecordingServer implements AsyncDisposable {
  readonly origin: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #lastId = 0;

  private constructor(child: ChildProcess, origin: string) {
    this.#child = child;
    this.origin = origin;
    child.on('message', (message: FromServer) => {
      if (message.type === 'listening') return;
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.type === 'answer') waiting?.resolve(message.answer);
      else waiting?.reject(new Error(message.message));
    });
    child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the server ended'));
    });
  }

  /** @param tempDir what the server’s processes take for the folder of temporary files */
  static async start(options: {
    dataDir: string;
    tempDir: string;
    sound: MadeTrack;
  }): Promise<RecordingServer> {
    const { dataDir, tempDir, sound } = options;
    const child = fork(PROGRAM, [dataDir, workerBin() ?? ''], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
      env: { PATH: process.env['PATH'], FFMPEG_PATH: process.env['FFMPEG_PATH'], TMPDIR: tempDir },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (bytes: Buffer) => {
        output = (output + bytes.toString()).slice(-20_000);
      });
    const failed = once(child, 'exit').then((): never => {
      throw new Error(`the server ended: ${output}`);
    });
    failed.catch(() => undefined);
    const [first] = (await Promise.race([once(child, 'message'), failed])) as [FromServer];
    if (first.type !== 'listening') throw new Error(`the server did not start: ${output}`);
    const server = new RecordingServer(child, first.origin);
    await server.#ask({ type: 'sound', track: sound });
    return server;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Recording processes that run now. */
  get recorders(): readonly number[] {
    return childrenOf(this.pid, 'ffmpeg').filter(readsRtp);
  }

  async workers(): Promise<readonly number[]> {
    return (await this.#ask({ type: 'workers' })) as readonly number[];
  }

  /** How many files have journals. */
  async journals(): Promise<number> {
    return ((await this.#ask({ type: 'journals' })) as readonly number[])[0] ?? -1;
  }

  send(callId: CallId, people: readonly string[]): Promise<Answer> {
    return this.#ask({ type: 'send', callId, people });
  }

  async files(
    consultationId: ConsultationId,
    recordingId: RecordingId,
    withBytes = false,
  ): Promise<readonly ToldFile[]> {
    return (await this.#ask({
      type: 'files',
      consultationId,
      recordingId,
      withBytes,
    })) as readonly ToldFile[];
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM; answers how it ended. */
  async stop(): Promise<number | null> {
    await this.#end('SIGTERM');
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }

  async #ask(asked: Asked): Promise<Answer> {
    const id = ++this.#lastId;
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(id, waiting);
    this.#child.send({ id, asked });
    return waiting.promise;
  }
}

/** Other processes of that name measure finished files. */
function readsRtp(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes('sdp');
  } catch {
    // It ended while it was looked at.
    return false;
  }
}

/** A recorded call of two people whose devices send sound. */
export interface RecordedCall extends AsyncDisposable {
  readonly visit: Visit;
  readonly callId: CallId;
  readonly recordingId: RecordingId;
  readonly people: readonly string[];
  files(withBytes?: boolean): Promise<readonly ToldFile[]>;
  /** Takes the seats and sends again after the media was lost. */
  rebuild(): Promise<void>;
}

export async function startRecordedCall(server: RecordingServer): Promise<RecordedCall> {
  const { origin } = server;
  const visit = await startVisit({
    origin,
    createConsultation: (suffix) => createConsultation(origin, hostToken(), suffix),
  });
  const callId = await startCall(visit, 'voice');
  const call = { consultationId: visit.id, callId };
  const people = Object.values(peopleOf(visit.view));
  const asked = await visit.doctor.request('recording.start', call);
  const recordingId = asked.call.recording?.recordingId;
  if (recordingId === undefined) throw new Error('nothing was asked for');
  await visit.patient.request('recording.answer', { ...call, recordingId, granted: true });
  await server.send(callId, people);
  const files = (withBytes = false) => server.files(visit.id, recordingId, withBytes);
  return {
    visit,
    callId,
    recordingId,
    people,
    files,
    async rebuild() {
      for (const client of [visit.patient, visit.doctor]) {
        await eventually('the seat to be joined', () =>
          joinSeat(client, call).then(
            () => true,
            () => false,
          ),
        );
        client.facts.length = 0;
      }
      await server.send(callId, people);
    },
    [Symbol.asyncDispose]: () => visit[Symbol.asyncDispose](),
  };
}
