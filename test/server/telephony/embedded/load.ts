/** Many calls at once through the relay, with telephones in a thread of their own, and what that costs. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { startMediaThread } from '@teleconsult/server/telephony/rtp/media-link';
import type { IncomingCall } from '@teleconsult/server/telephony/sip/incoming-call';
import { parseSdp, writeAnswer, writeOffer } from '@teleconsult/server/telephony/sip/sdp';
import { ANN, X } from '../../../contract/relay.under-test.ts';
import { eventually } from '../../../helpers/eventually.ts';
import type { LoadJob, LoadOutcome, LoadPhone } from './load-phones.ts';
import { placeIn, RELAY_HOST, startStage } from './stage.ts';

export interface Load {
  readonly calls: number;
  readonly seconds: number;
  readonly recorded: boolean;
}

export interface LoadResult extends LoadOutcome {
  readonly connected: number;
  /** Milliseconds from INVITE to answer. */
  readonly answerMs: readonly number[];
  /** Of the relay, of the whole calls. */
  readonly relay: {
    readonly in: number;
    readonly out: number;
    readonly lost: number;
    readonly dropped: number;
  };
  /** Shares of a core while they talked. */
  readonly soundCpu: number;
  readonly mainCpu: number;
  /** Seconds of sound on the tapes, all together. */
  readonly tapedSeconds: number;
}

const PHONES = '127.0.71.90';
/** Below the ports the system gives away. */
const FIRST_PHONE = 22_000;
const FIRST_RTP = 24_000;

export async function runLoad({ calls, seconds, recorded }: Load): Promise<LoadResult> {
  let thread: Worker | null = null;
  let taped = 0;
  let tapes = 0;
  let port = FIRST_PHONE;
  const phones: LoadPhone[] = [];
  const own = (to: LoadPhone['to']): number => {
    const mine = port;
    port += 2;
    phones.push({ port: mine, to });
    return mine;
  };
  const answer = (call: IncomingCall): void => {
    const offer = parseSdp(call.offer ?? '');
    if (offer === null) return call.refuse(488);
    call.ringing();
    call.answer(writeAnswer(offer, { ...soundAt(own(placeIn(call.offer ?? ''))), codecs: [8] }));
  };
  await using stage = await startStage({
    settings: {
      maxCalls: calls,
      rtp: {
        host: RELAY_HOST,
        firstPort: FIRST_RTP,
        lastPort: FIRST_RTP + 6 * calls + 199,
        source: 'signalled',
      },
      timings: { decideMs: 10_000 },
    },
    tuning: {
      sip: { t1: 500 },
      media: {
        startThread: (settings) => {
          thread = startMediaThread(settings);
          return thread;
        },
      },
    },
    carrier: { t1: 500, maxCalls: 4 * calls },
    onRung: answer,
    openTape: async () => {
      tapes += 1;
      return { append: (samples) => void (taped += samples.length), close: async () => undefined };
    },
  });
  await stage.bind({ recorded });
  const answerMs: number[] = [];
  const dialling = Array.from({ length: calls }, async () => {
    const at = performance.now();
    const mine = port;
    port += 2;
    const outcome = await stage.carrier.invite({
      uri: `sip:${X}@${RELAY_HOST}:${stage.relay.port}`,
      via: { protocol: 'udp', address: RELAY_HOST, port: stage.relay.port },
      from: { uri: `sip:${ANN}@127.0.71.1` },
      sdp: writeOffer({ ...soundAt(mine), codecs: [8] }),
    }).outcome;
    if (outcome.type !== 'answered') return null;
    answerMs.push(performance.now() - at);
    phones.push({ port: mine, to: placeIn(outcome.sdp) });
    return outcome.dialog;
  });
  const dialogs = (await Promise.all(dialling)).filter((dialog) => dialog !== null);
  await eventually('every call is connected', () => phones.length === 2 * dialogs.length, {
    withinMs: 60_000,
  });
  if (recorded)
    await eventually('every call is being recorded', () => tapes === dialogs.length, { withinMs: 60_000 });
  const running: Worker | null = thread;
  if (running === null) throw new Error('no sound thread');

  const job: LoadJob = { host: PHONES, phones, seconds };
  const worker = new Worker(new URL('./load-phones.ts', import.meta.url), { workerData: job });
  await once(worker, 'message');
  const before = { sound: await cpuOf(running), main: process.threadCpuUsage(), at: performance.now() };
  const [outcome] = (await once(worker, 'message')) as [LoadOutcome];
  const tookMs = performance.now() - before.at;
  const main = process.threadCpuUsage(before.main);
  const soundCpu = ((await cpuOf(running)) - before.sound) / tookMs;
  await Promise.all(dialogs.map((dialog) => dialog.bye()));
  await eventually('every call has ended', () => stage.relay.figures().calls === 0, { withinMs: 30_000 });
  return {
    ...outcome,
    connected: dialogs.length,
    answerMs,
    relay: { ...stage.relay.figures().counts.packets },
    soundCpu,
    mainCpu: (main.user + main.system) / 1_000 / tookMs,
    tapedSeconds: taped / 16_000,
  };
}

const soundAt = (port: number) => ({
  host: PHONES,
  port,
  telephoneEvent: null,
  direction: 'both' as const,
  session: { id: port, version: 1 },
});

/** Milliseconds of processor time. */
async function cpuOf(thread: Worker): Promise<number> {
  const { user, system } = await thread.cpuUsage();
  return (user + system) / 1_000;
}

export const percentile = (values: readonly number[], part: number): number => {
  const sorted = Float64Array.from(values).toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
};
