import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { childrenOf } from '../../helpers/child-processes.ts';
import { eventually } from '../../helpers/eventually.ts';
import { freePort, startServerProcess } from '../../helpers/server-process.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';

const encode = (text: string): string => Buffer.from(text).toString('base64');
/** Enough of an Ogg file to be handed to ffmpeg. */
const OGG = Buffer.concat([
  Buffer.from('OggS\0\x02'),
  Buffer.alloc(22),
  Buffer.from('OpusHead'),
  Buffer.alloc(64),
]);

test('[HST6] a server that is asked to stop gives up what is being converted and ends in order', async () => {
  await using dir = await tempDir();
  const slow = join(dir.path, 'ffmpeg');
  // Stands for a conversion that takes longer than anybody would wait for a stop.
  await writeFile(slow, '#!/bin/sh\nexec sleep 60\n');
  await chmod(slow, 0o755);
  await using server = await startServerProcess({
    dataDir: join(dir.path, 'data'),
    port: await freePort(),
    env: { FFMPEG_PATH: slow },
  });
  const view = await createConsultation(server.origin, hostToken(), 'stopping');
  const upload = await fetch(`${server.origin}/v1/uploads`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${personToken(peopleOf(view).patient)}`,
      'tus-resumable': '1.0.0',
      'upload-length': String(OGG.byteLength),
      'content-type': 'application/offset+octet-stream',
      'upload-metadata': `consultationId ${encode(view.consultationId)},kind ${encode('voice')}`,
    },
    body: OGG,
  });
  expect(upload.status).toBe(201);
  await eventually('the conversion to run', () => childrenOf(server.pid).length > 0);
  const startedAt = performance.now();
  const ended = once(server.child, 'exit');
  server.child.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
  // The conversion alone would have taken a minute, and a stop is cut off with code 1 after half of one.
  expect(performance.now() - startedAt).toBeLessThan(20_000);
  expect(server.output()).toContain('attachment.deferred');
}, 90_000);
