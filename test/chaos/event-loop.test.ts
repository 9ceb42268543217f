import type { AttachmentStatus } from '@teleconsult/protocol';
import { Metrics } from '@teleconsult/server/metrics';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';
import { uploadText } from '../security/tus-upload.ts';

const FILES = 4;
const FILE_BYTES = 16 * 1024 * 1024;
const RANGES = 100;
const RANGE_BYTES = 256 * 1024;
const LIMIT_S = 0.05;
const LAG = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m;

/** Delay of the server's event loop since the last time it was asked, 99th percentile, in seconds. */
async function loopDelay(origin: string): Promise<number> {
  const text = await (await fetch(`${origin}/metrics`)).text();
  const [, value] = LAG.exec(text) ?? [];
  return Number(value);
}

test('[S9] uploads and playback leave the event loop free: they delay it by less than 50 ms (99th percentile)', async () => {
  await using dir = await tempDir();
  await using server = await startServerProcess({ dataDir: dir.path, port: 0 });
  // A server that does nothing tells what the machine itself delays at the same time.
  await using otherDir = await tempDir();
  await using idle = await startServerProcess({ dataDir: otherDir.path, port: 0 });
  const { origin } = server;
  const delay = async (): Promise<number> => (await loopDelay(origin)) - (await loopDelay(idle.origin));
  const view = await createConsultation(origin, hostToken(), 'loop');
  const { consultationId } = view;
  const { patient, doctor } = peopleOf(view);
  const token = personToken(patient);
  const text = 'The quick brown fox jumps over the lazy dog. 敏捷的棕色狐狸。\n'.repeat(400_000);
  await delay();

  const ids = await Promise.all(
    Array.from({ length: FILES }, (_, index) =>
      uploadText(origin, {
        token,
        consultationId,
        text: text.slice(0, FILE_BYTES / 2),
        fileName: `report-${index}.txt`,
      }),
    ),
  );
  const during = await delay();
  const authorization = `Bearer ${personToken(doctor)}`;
  const path = (id: string): string => `${origin}/v1/consultations/${consultationId}/attachments/${id}`;
  for (const id of ids)
    await eventually('the file to be ready', async () => {
      const response = await fetch(path(id), { headers: { authorization } });
      return ((await response.json()) as AttachmentStatus).status === 'ready';
    });
  for (let round = 0; round < RANGES; round += ids.length)
    await Promise.all(
      ids.map(async (id, index) => {
        const start = ((round + index) * 7_919_111) % (FILE_BYTES / 2 - RANGE_BYTES);
        const range = `bytes=${start}-${start + RANGE_BYTES - 1}`;
        const response = await fetch(`${path(id)}/content`, { headers: { authorization, range } });
        expect((await response.arrayBuffer()).byteLength).toBe(RANGE_BYTES);
      }),
    );
  const playing = await delay();
  expect({ during, playing }).toEqual({
    during: expect.toSatisfy((seconds: number) => seconds < LIMIT_S),
    playing: expect.toSatisfy((seconds: number) => seconds < LIMIT_S),
  });
}, 120_000);

test('[S9 sabotage] a server that does something long at once is noticed', async () => {
  const metrics = new Metrics({ connections: () => 0, calls: () => 0, mediaWorkers: () => 0 });
  const startedAt = performance.now();
  // It looks each 10 ms, and at each asking begins anew.
  await eventually('the watcher to have looked', () => performance.now() > startedAt + 50);
  const until = performance.now() + 5 * LIMIT_S * 1_000;
  while (performance.now() < until);
  // A few turns, so that the watcher's own timer comes to its turn.
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(await lagOf(metrics)).toBeGreaterThan(LIMIT_S);
});

async function lagOf({ registry }: Metrics): Promise<number> {
  const [, value] = LAG.exec(await registry.metrics()) ?? [];
  return Number(value);
}
