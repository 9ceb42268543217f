import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ConsultationId, PhoneCallId } from '@teleconsult/protocol';
import { recordingIdOf } from '@teleconsult/server/recordings/purposes';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { RawClient } from '../../../helpers/raw-client.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { startTestApp } from '../../../helpers/test-app.ts';
import { personToken } from '../../../helpers/test-tokens.ts';

const PROGRAM = fileURLToPath(new URL('tape-kill.fixture.ts', import.meta.url));
const PACKET_BYTES = 320;
/** Milliseconds of a tape before the kill: before its first sync, and after it. */
const KILLS_MS = [700, 2_300];
const MOST_LOST_MS = 1_000;
const recordingId = recordingIdOf(PhoneCallId.parse(`pcl_${'K'.repeat(22)}`));
const Told = z.object({ consultationId: ConsultationId, patient: z.string(), doctor: z.string() });

test('[TAP30] a server that is killed while it records a phone call loses at most its last second, and the rest plays, marked', async () => {
  const lost: number[] = [];
  for (const killMs of KILLS_MS) {
    await using dir = await tempDir();
    const child = fork(PROGRAM, [dir.path]);
    const exited = once(child, 'exit');
    const { consultationId, doctor } = Told.parse((await once(child, 'message'))[0]);
    const openedAt = Date.now();
    await wait(killMs);
    child.kill('SIGKILL');
    const killedAt = Date.now();
    await exited;
    await using app = await startTestApp({ dataDir: dir.path });
    await using client = await RawClient.connect(app.origin, personToken(doctor));
    const { recordings } = await client.request('recording.list', { consultationId });
    const [file] = recordings[0]?.files ?? [];
    if (file === undefined) throw new Error('The tape is gone.');
    expect(recordings).toMatchObject([
      {
        recordingId,
        state: 'ready',
        files: [{ state: 'truncated', truncated: { reason: 'server_stopped' } }],
      },
    ]);
    // Ended with its last sound, not when the server came back.
    expect(recordings[0]?.endedAt).toBeLessThanOrEqual(killedAt);
    const { key } = await app.app.host.sealing(consultationId, null);
    const stored = await app.store.recordings.loadFile(file.fileId);
    if (stored === null) throw new Error('The file is gone.');
    const place = { consultationId, recordingId, fileId: file.fileId, key };
    await using opened = await app.trackFiles.open(place, stored);
    const bytes = await buffer(Readable.from(opened.read()));
    expect(file.durationMs).toBe(Math.round(bytes.byteLength / 16));
    const whole = Math.floor(bytes.byteLength / PACKET_BYTES);
    const last = whole === 0 ? openedAt : bytes.readDoubleBE((whole - 1) * PACKET_BYTES);
    lost.push(killedAt - last);
    const wish = { consultationId, recordingId, fileId: file.fileId, right: 'play' } as const;
    const { url } = await client.request('recording.link', wish);
    const served = Buffer.from(await (await fetch(app.origin + url)).arrayBuffer());
    expect(served.readUInt32LE(4)).toBe(served.byteLength - 8);
    expect(served.subarray(58).equals(bytes.subarray(0, served.byteLength - 58))).toBe(true);
  }
  console.log(`lost by kills, in ms: ${lost.map(Math.round).join(' ')}`);
  expect(Math.max(...lost)).toBeLessThan(MOST_LOST_MS);
}, 180_000);
