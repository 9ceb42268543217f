/** What reaches a real browser in each view of its seat, through the SDK and the real server. */
import type { SeatViewMode } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { browserMissing, type CallStage, openCallStage, SMALLEST_WIDTH, type Tile } from './call-stage.ts';

const LARGE: Tile = { width: 1280, height: 720 };
const SMALL: Tile = { width: 240, height: 135 };
/** How much sound is waited for, in milliseconds: what must not come would come with it. */
const LOOK_MS = 700;
const WATCHED_MS = 2_000;
/** The smallest layer's 150 kbit/s (client-sdk/media-session.ts), and a third more for headers and bursts. */
const SMALLEST_KBPS = 200;

interface Watched {
  readonly kbps: number;
  readonly videoBytes: number;
  /** Pictures that arrived, as a share of those that the sender made. */
  readonly share: number;
  readonly widest: number;
}

/** Looks on while so much sound arrives. */
async function watch({ receiver, sender }: CallStage, soundMs = WATCHED_MS): Promise<Watched> {
  // A size that the sender gave up for a while, because its line or processor was busy, makes none.
  const made = async (): Promise<number> =>
    Math.max(0, ...(await sender.sent()).map(({ framesEncoded }) => framesEncoded));
  const before = await receiver.received();
  const madeBefore = await made();
  let widest = 0;
  const after = await eventually(
    `${soundMs} ms of sound`,
    async () => {
      const now = await receiver.received();
      if (now.framesDecoded > before.framesDecoded) widest = Math.max(widest, now.frameWidth);
      return now.soundMs > before.soundMs + soundMs && now;
    },
    { withinMs: 20_000 },
  );
  const videoBytes = after.videoBytes - before.videoBytes;
  return {
    videoBytes,
    kbps: (videoBytes * 8) / (after.soundMs - before.soundMs),
    share: (after.framesDecoded - before.framesDecoded) / Math.max(1, (await made()) - madeBefore),
    widest,
  };
}

function becomes(stage: CallStage, what: string, isSo: (seen: Watched) => boolean): Promise<Watched> {
  let seen: Watched | undefined;
  return eventually(
    what,
    async () => {
      seen = await watch(stage, LOOK_MS);
      return isSo(seen) && seen;
    },
    { withinMs: 40_000, lastSeen: () => seen },
  );
}

const isLarge = ({ widest }: Watched): boolean => widest > SMALLEST_WIDTH;

test.skipIf(browserMissing !== null)(
  '[BEN1] a floating window receives the smallest size alone, and a hidden call or one without video no picture at all',
  async () => {
    await using stage = await openCallStage();
    await stage.show('full', LARGE);
    await becomes(stage, 'a large picture', isLarge);

    // However large the tile of a floating window says it is.
    for (const tile of [SMALL, LARGE]) {
      await stage.show('floating', tile);
      await becomes(stage, 'the smallest size alone', ({ widest }) => widest === SMALLEST_WIDTH);
      const seen = await watch(stage);
      expect(seen.widest).toBe(SMALLEST_WIDTH);
      expect(seen.videoBytes).toBeGreaterThan(0);
      expect(seen.kbps).toBeLessThan(SMALLEST_KBPS);
    }

    const hidden: readonly SeatViewMode[] = ['background', 'audio_only'];
    for (const view of hidden) {
      // The tile stays, so that nothing but the view can hold the picture back.
      await stage.show(view, LARGE);
      await becomes(stage, `no picture in ${view}`, ({ videoBytes }) => videoBytes === 0);
      expect(await watch(stage)).toMatchObject({ videoBytes: 0, share: 0 });
      await stage.show('full', LARGE);
      await becomes(stage, 'a large picture again', isLarge);
    }

    // A tile that is not there is paused by the device itself, whatever the view.
    await stage.show('full', null);
    await becomes(stage, 'no picture without a tile', ({ videoBytes }) => videoBytes === 0);
    await stage.show('full', LARGE);
    await becomes(stage, 'a large picture in a tile', isLarge);

    await stage.setAudioOnly(true);
    await becomes(stage, 'no picture by choice', ({ videoBytes }) => videoBytes === 0);
    await stage.setAudioOnly(false);
    await becomes(stage, 'a large picture by choice', isLarge);
  },
  180_000,
);

test.skipIf(browserMissing !== null)(
  '[SFU41] the smallest size comes with half of its pictures, the next with all of them',
  async () => {
    await using stage = await openCallStage();
    await stage.show('full', { width: 600, height: 338 });
    await becomes(stage, 'the middle size', ({ widest, share }) => widest === 640 && share > 0.9);
    await stage.show('full', SMALL);
    await becomes(stage, 'the smallest size', ({ widest }) => widest === SMALLEST_WIDTH);
    const half = await watch(stage);
    expect(half.share).toBeGreaterThan(0.35);
    expect(half.share).toBeLessThan(0.65);
  },
  120_000,
);
