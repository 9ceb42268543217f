import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PublishedClip } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { freePort, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { clipRequest } from '../server/channel/channel-stage.ts';
import { startEndpoint } from '../server/notify/endpoint.ts';
import { SECRET } from '../server/notify/started-notifier.ts';
import { launchBrowser, Person, PHONE } from './browser.ts';
import { CHEN, linkTo, WEB_DIR } from './pages.ts';

const ffprobe = (process.env['FFMPEG_PATH'] ?? 'ffmpeg').replace(/ffmpeg$/, 'ffprobe');

/** What ffprobe finds in a file: its codec, how many packets, and where the last one begins in seconds. */
async function probed(path: string): Promise<{ codec: string; packets: number; lastAt: number }> {
  const shown = ['-show_entries', 'stream=codec_name:packet=pts_time', '-of', 'json'];
  const { stdout } = await promisify(execFile)(ffprobe, ['-v', 'error', ...shown, path]);
  const { streams, packets } = JSON.parse(stdout) as {
    streams: { codec_name: string }[];
    packets: { pts_time: string }[];
  };
  const lastAt = Math.max(...packets.map(({ pts_time }) => Number(pts_time)));
  return { codec: streams.map(({ codec_name }) => codec_name).join(), packets: packets.length, lastAt };
}

test('[HCH34] a doctor records a clip on a phone, over a killed server, publishes it, and the host application hears of it, fetches playable Opus and takes it back', async () => {
  await using dir = await tempDir();
  await using receiver = await startEndpoint();
  const port = await freePort();
  const env = {
    TELECONSULT_WEB_DIR: WEB_DIR,
    TELECONSULT_WEBHOOK_URL: `${receiver.origin}/hook`,
    TELECONSULT_WEBHOOK_SECRET: SECRET,
  };
  await using servers = new AsyncDisposableStack();
  let server = await startServerProcess({ dataDir: dir.path, port, env });
  servers.defer(() => server.kill());
  await using browser = await launchBrowser();
  await using doctor = await Person.open(
    browser,
    linkTo(server.origin, { page: 'doctor', person: CHEN }),
    PHONE,
  );
  const { page } = doctor;
  await doctor.byId('open-channel').click();
  await doctor.byId('dictate').click();
  const dictation = page.locator('[data-testid="dictation"][data-state="recording"]');
  const reaches = (seconds: number) => async () => {
    const [, minutes = '0', rest = '0'] =
      /(\d+):(\d\d)/.exec(await doctor.byId('dictation-time').innerText()) ?? [];
    return Number(minutes) * 60 + Number(rest) >= seconds;
  };
  await dictation.waitFor();
  await eventually('two seconds', reaches(2), { withinMs: 20_000 });
  await server.kill();
  await eventually('two more without a server', reaches(4), { withinMs: 20_000 });
  server = await startServerProcess({ dataDir: dir.path, port, env });
  await eventually('two more with one', reaches(6), { withinMs: 20_000 });
  await doctor.screenshot('health-channel-recording');
  await doctor.byId('dictation-finish').click();
  await doctor.byId('note-text').waitFor({ timeout: 30_000 });
  await doctor.byId('note-text').fill('洗手二十秒\n为什么、什么时候、怎么洗。');
  await doctor.screenshot('health-channel-draft');
  await doctor.byId('note-sign').click();
  await doctor.byId('note-sign-confirm').click();
  const clip = doctor.byId('clip');
  await clip.waitFor();
  expect(await clip.locator('h3').innerText()).toBe('洗手二十秒');
  await doctor.screenshot('health-channel-published');

  // The host application learns of it, by ids alone.
  const told = await eventually('the webhook of it', () =>
    receiver.received
      .map(
        ({ body }) =>
          JSON.parse(body.toString('utf8')) as { type: string; data: { noteId: never } } & Record<
            string,
            never
          >,
      )
      .find(({ type }) => type === 'note.signed'),
  );
  expect(told).toMatchObject({ by: CHEN.personId, data: { purpose: 'health_channel' }, notify: [] });
  expect(JSON.stringify(told)).not.toContain('洗手');
  const at = { id: told['consultationId'] as never, noteId: told.data.noteId };
  const published = (await (await clipRequest(server.origin, at)).json()) as PublishedClip;
  expect(published).toMatchObject({ state: 'published', text: expect.stringMatching(/^洗手二十秒/) });
  const [file] = published.files;
  expect(file?.durationMs).toBeGreaterThan(5_000);
  const fetched = await clipRequest(server.origin, { ...at, path: '/files/0' });
  expect([fetched.status, fetched.headers.get('content-type')]).toEqual([200, file?.contentType]);
  const path = join(dir.path, 'fetched.webm');
  await writeFile(path, Buffer.from(await fetched.arrayBuffer()));
  const { codec, packets, lastAt } = await probed(path);
  expect(codec).toBe('opus');
  expect(lastAt).toBeGreaterThan(5);
  // Twenty or sixty milliseconds each: nothing is missing in the middle.
  expect(packets).toBeGreaterThan(lastAt * 15);

  // It is taken back: the page says so without being asked.
  expect((await clipRequest(server.origin, at, { method: 'DELETE' })).status).toBe(200);
  await page.locator('[data-testid="clip"][data-state="withdrawn"]').waitFor();
  expect((await clipRequest(server.origin, { ...at, path: '/files/0' })).status).toBe(410);
  await doctor.byId('dialog-close').click();
  // The channel is in no list.
  expect(await page.locator('tele-consultation-list [data-testid="consultation-item"]').count()).toBe(0);
}, 120_000);
