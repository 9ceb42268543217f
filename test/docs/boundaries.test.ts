import { execFile } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tempDir } from '../helpers/temp-dir.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What the lint rules say of one file, were it at that path. */
async function lint(path: string, source: string): Promise<string> {
  await using dir = await tempDir();
  await copyFile(join(ROOT, '.oxlintrc.json'), join(dir.path, '.oxlintrc.json'));
  await mkdir(dirname(join(dir.path, path)), { recursive: true });
  await writeFile(join(dir.path, path), source);
  return await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, 'node_modules/oxlint/bin/oxlint'), '--config', '.oxlintrc.json', path],
      { cwd: dir.path, env: { PATH: process.env['PATH'], NO_COLOR: '1' } },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );
  });
}

/** Where it must not be, what is there, and what the message says to do. */
const crossings: [path: string, source: string, message: string][] = [
  ['server/consultation/x.ts', "import { readFileSync } from 'node:fs';\nreadFileSync('x');", 'pure domain'],
  ['server/consultation/x.ts', "import { x } from '../host/host.ts';\nx();", 'Let the host do it'],
  ['server/consultation/x.ts', 'export const now = () => Date.now();', 'Time comes in as `now`'],
  ['server/host/x.ts', 'export const home = () => process.cwd();', 'server/main.ts and server/config.ts'],
  ['protocol/x.ts', "import { x } from '@teleconsult/media';\nx();", 'imports nothing of ours'],
  ['media/x.ts', "import { x } from '@teleconsult/protocol';\nx();", 'nothing of consultations'],
  ['client-sdk/x.ts', "import { x } from '@teleconsult/server/app';\nx();", 'only through protocol'],
  ['client-sdk/x.ts', "import { x } from 'node:fs';\nx();", 'runs in browsers'],
  ['web/elements/x.ts', "import { io } from 'socket.io-client';\nio();", 'stand on the SDK alone'],
  ['server/telephony/sip/x.ts', "import { x } from '../ports.ts';\nx();", 'imports nothing of ours'],
  [
    'server/telephony/sip/x.ts',
    "import { x } from '@teleconsult/protocol';\nx();",
    'no visit, person or recording',
  ],
  [
    'examples/x.ts',
    "import { seat } from '@teleconsult/client-sdk/call-seat';\nseat();",
    'use what an app can',
  ],
];

test.each(crossings)('[ARC1] the lint rules refuse in %s: %s', async (path, source, message) => {
  expect(await lint(path, source)).toContain(message);
});

test('[ARC1] what the table of rooms allows passes', async () => {
  const allowed =
    "import { AppError } from '@teleconsult/protocol';\nexport const error = new AppError('INTERNAL');\n";
  for (const path of ['server/consultation/x.ts', 'server/host/x.ts', 'client-sdk/x.ts'])
    expect(await lint(path, allowed)).toContain('Found 0 warnings and 0 errors');
});
