import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { peopleOf, startTestApp } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';

const QUICK_START = fileURLToPath(new URL('../../examples/quick-start.ts', import.meta.url));
const README = fileURLToPath(new URL('../../README.md', import.meta.url));

test('[EX1] the quick start of the README is the file in examples/, and it runs', async () => {
  await using app = await startTestApp();
  const view = await app.createConsultation();
  const { stdout } = await promisify(execFile)(process.execPath, [QUICK_START], {
    env: {
      PATH: process.env['PATH'],
      TELECONSULT_URL: app.origin,
      TOKEN: personToken(peopleOf(view).patient),
      CONSULTATION: view.consultationId,
    },
    timeout: 20_000,
  });
  expect(stdout).toContain('connection: connected');
  expect(stdout).toContain('> Good morning, doctor.');
  expect(stdout).toContain('the message has sequence 3');
  const response = await fetch(`${app.origin}/v1/consultations/${view.consultationId}/thread`, {
    headers: { authorization: `Bearer ${hostToken()}` },
  });
  expect(await response.text()).toContain('Good morning, doctor.');
  expect(readFileSync(README, 'utf8')).toContain(readFileSync(QUICK_START, 'utf8').trim());
});
