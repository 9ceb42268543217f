/**
 * What a receiver costs in each view of its seat, as ratios of one run: bytes that the media server sends it, and
 * processor time of the receiver's browser. Two Chromium, one that sends its camera in the SDK's three sizes and one that
 * shows it, through the real server; the views are measured in turns (A B C D A B C D …). The sound of the call, the
 * receiver's own microphone and the browser itself cost the same in each view, so the processor time of the pictures
 * alone is told as well: what is left when that of `audio_only` in the same round is taken away.
 * At last, what the sender would save if it did not send sizes that nobody shows.
 * Prints a table and writes nothing. Run: node bench/floating.ts [rounds] [seconds]
 */
import type { SeatViewMode } from '@teleconsult/protocol';
import type { Browser } from 'playwright-core';
import { eventually } from '../test/helpers/eventually.ts';
import {
  type CallStage,
  LARGEST_WIDTH,
  openCallStage,
  SMALLEST_WIDTH,
  type Tile,
} from '../test/server/media/call-stage.ts';

const ROUNDS = Number(process.argv[2] ?? 5);
const SECONDS = Number(process.argv[3] ?? 8);
/** Measurements during which the picture did not hold, because the machine did other things, are taken again this often. */
const RETRIES = 5;
/** Of the fake camera; the SDK asks for 30, which two busy cores cannot encode in three sizes. */
const FPS = 20;

interface Case {
  readonly view: SeatViewMode;
  readonly tile: Tile | null;
  /** What must arrive before a measurement and during it: the width of the picture, and the least share of all pictures. */
  readonly awaited: { readonly width: number; readonly share: number } | null;
}

const FULL: Case = {
  view: 'full',
  tile: { width: 1280, height: 720 },
  awaited: { width: LARGEST_WIDTH, share: 0.85 },
};
const FLOATING: Case = {
  view: 'floating',
  tile: { width: 240, height: 135 },
  awaited: { width: SMALLEST_WIDTH, share: 0.4 },
};
const BACKGROUND: Case = { view: 'background', tile: null, awaited: null };
const AUDIO_ONLY: Case = { view: 'audio_only', tile: null, awaited: null };
const CASES: readonly Case[] = [FULL, FLOATING, BACKGROUND, AUDIO_ONLY];

interface Cost {
  /** kbit/s that arrived: the picture, the sound, and all that the server sent. */
  readonly video: number;
  readonly audio: number;
  readonly path: number;
  readonly fps: number;
  /** Milliseconds of processor a second of call: renderers and GPU process of the receiver, and all its processes. */
  readonly cpu: number;
  readonly allCpu: number;
  /** All processes of the sender. */
  readonly senderCpu: number;
}

/** Seconds of processor that a browser has used (CDP `SystemInfo.getProcessInfo`). */
async function processorSeconds(browser: Browser): Promise<{ shown: number; all: number }> {
  const session = await browser.newBrowserCDPSession();
  try {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const sum = { shown: 0, all: 0 };
    for (const { type, cpuTime } of processInfo) {
      sum.all += cpuTime;
      if (type === 'renderer' || type === 'GPU') sum.shown += cpuTime;
    }
    return sum;
  } finally {
    await session.detach();
  }
}

/** Waits until one second of sound brings the awaited pictures, or none. */
async function settle(stage: CallStage, { awaited }: Case): Promise<void> {
  let seen: unknown;
  const isSettled = async (): Promise<boolean> => {
    const before = await stage.receiver.received();
    const now = await eventually('a second of sound', async () => {
      const later = await stage.receiver.received();
      return later.soundMs > before.soundMs + 1_000 && later;
    });
    const frames = now.framesDecoded - before.framesDecoded;
    seen = { frames, width: now.frameWidth };
    if (awaited === null) return frames === 0;
    return frames >= awaited.share * FPS && now.frameWidth === awaited.width;
  };
  await eventually('the view to take effect', isSettled, { withinMs: 60_000, lastSeen: () => seen });
}

async function measure(stage: CallStage): Promise<Cost> {
  const { receiver, sender } = stage;
  const take = async () => ({
    at: performance.now(),
    receiver: await processorSeconds(receiver.browser),
    sender: await processorSeconds(sender.browser),
    ...(await receiver.received()),
  });
  const before = await take();
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000));
  const after = await take();
  const seconds = (after.at - before.at) / 1_000;
  const kbps = (key: 'videoBytes' | 'audioBytes' | 'pathBytes'): number =>
    ((after[key] - before[key]) * 8) / 1_000 / seconds;
  const ms = (now: number, then: number): number => ((now - then) * 1_000) / seconds;
  return {
    video: kbps('videoBytes'),
    audio: kbps('audioBytes'),
    path: kbps('pathBytes'),
    fps: (after.framesDecoded - before.framesDecoded) / seconds,
    cpu: ms(after.receiver.shown, before.receiver.shown),
    allCpu: ms(after.receiver.all, before.receiver.all),
    senderCpu: ms(after.sender.all, before.sender.all),
  };
}

/** Shows the case, and measures it while it holds. */
async function measureShown(stage: CallStage, one: Case): Promise<Cost> {
  const { awaited } = one;
  for (let attempt = 0; attempt <= RETRIES; attempt += 1) {
    await settle(stage, one);
    const cost = await measure(stage);
    const { frameWidth } = await stage.receiver.received();
    const held =
      awaited === null ? cost.fps === 0 : cost.fps >= awaited.share * FPS && frameWidth === awaited.width;
    if (held) return cost;
    console.log(`   ${one.view}: void, ${cost.fps.toFixed(0)} pictures/s of ${frameWidth}`);
  }
  throw new Error('the machine is too busy');
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const spread = (values: readonly number[], digits = 0): string =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;

await using stage = await openCallStage({ apart: true, cameraFps: FPS });
const costs = new Map<SeatViewMode, Cost[]>(CASES.map(({ view }) => [view, []]));
for (let round = 1; round <= ROUNDS; round += 1)
  for (const one of CASES) {
    await stage.show(one.view, one.tile);
    const cost = await measureShown(stage, one);
    costs.get(one.view)?.push(cost);
    const number = (value: number, width = 4): string => value.toFixed(0).padStart(width);
    console.log(
      `${round}  ${one.view.padEnd(11)} kbit/s: video${number(cost.video)} audio${number(cost.audio, 3)} all${number(cost.path)}` +
        `   pictures/s${number(cost.fps, 3)}` +
        `   processor ms/s: renderer and GPU${number(cost.cpu)} all${number(cost.allCpu)} sender${number(cost.senderCpu)}`,
    );
  }
const of = (view: SeatViewMode): readonly Cost[] => costs.get(view) ?? [];
const inRound = (view: SeatViewMode, round: number, key: keyof Cost): number =>
  of(view)[round]?.[key] ?? Number.NaN;
console.log('\nmedians (smallest–largest); ratios are to the full view of the same round');
for (const { view } of CASES) {
  const own = of(view);
  const ratio = (key: keyof Cost): string =>
    spread(
      own.map((cost, round) => cost[key] / inRound('full', round, key)),
      2,
    );
  const pictures = own.map((cost, round) => {
    const floor = inRound('audio_only', round, 'cpu');
    return (cost.cpu - floor) / (inRound('full', round, 'cpu') - floor);
  });
  console.log(
    `${view.padEnd(11)} ${spread(own.map(({ path }) => path))} kbit/s, ratio ${ratio('path')};` +
      ` renderer and GPU ${spread(own.map(({ cpu }) => cpu))} ms/s, ratio ${ratio('cpu')},` +
      ` of the pictures alone ${spread(pictures, 2)}; all processes ${ratio('allCpu')}`,
  );
}

await stage.show(FLOATING.view, FLOATING.tile);
const senders: { readonly all: number; readonly one: number }[] = [];
for (let round = 1; round <= ROUNDS; round += 1) {
  const take = async (layers: number): Promise<number> => {
    await stage.keepLayers(layers);
    return (await measureShown(stage, FLOATING)).senderCpu;
  };
  senders.push({ all: await take(3), one: await take(1) });
}
console.log(
  `\nsender, all processes: three sizes ${spread(senders.map(({ all }) => all))} ms/s,` +
    ` the smallest alone ${spread(senders.map(({ one }) => one))} ms/s,` +
    ` ratio ${spread(
      senders.map(({ all, one }) => one / all),
      2,
    )}`,
);
