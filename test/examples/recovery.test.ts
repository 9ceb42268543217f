import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { expect, test } from 'vitest';
import { patientWifi } from '../../examples/recovery/policy.ts';
import { SURVIVED } from '../../examples/recovery/try-failures.ts';
import { floatingBecomes, startExample } from './example-page.ts';

const press = (name: string) => ({ name, exact: true }) as const;

/** The example as a script for a page, where it is called `recovery`. */
async function bundled(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      lib: {
        entry: fileURLToPath(new URL('../../examples/recovery/try-failures.ts', import.meta.url)),
        formats: ['iife'],
        name: 'recovery',
      },
    },
  });
  const [output] = Array.isArray(built) ? built : [built];
  const chunk = output !== undefined && 'output' in output ? output.output[0] : undefined;
  if (chunk?.type !== 'chunk') throw new Error('nothing was built');
  return chunk.code;
}

test('[EX5] an app’s own test of every failure, as the example has it, finds nothing that does not come back', async () => {
  const code = await bundled();
  await using visit = await startExample('plain-page');
  const { doctor, patient } = visit;
  await doctor.page.getByRole('button', press('Call')).click();
  await patient.page.getByRole('button', press('Answer')).click();
  await Promise.all([doctor.seesAndHears(), patient.seesAndHears()]);
  const { callId } = await floatingBecomes(doctor, 'in the call', (seen) => seen.callId !== null);
  await doctor.page.getByRole('link', press('Notes')).click();

  // From a string, as the content security policy of the page forbids scripts that are not its own.
  const problems: unknown = await doctor.page.evaluate(
    `${code};recovery.tryFailures(document.querySelector('teleconsult-floating-call').client)`,
  );
  expect(problems).toEqual([]);
  await Promise.all([doctor.seesAndHears(), patient.seesAndHears()]);
  await floatingBecomes(
    patient,
    'the doctor is there',
    (seen) => seen.callId === callId && seen.others[0]?.state === 'present' && seen.others[0].microphoneOn,
  );
}, 240_000);

test('[EX5] the policy of the example keeps to what its comments say', () => {
  const { connectionDelayMs, iceRestartDelayMs, rebuildDelayMs } = patientWifi;
  const at = (attempt: number, elapsedMs: number) => ({ attempt, elapsedMs, error: null });
  for (const elapsedMs of [0, 119_999]) {
    const delayMs = connectionDelayMs?.(at(7, elapsedMs)) ?? 0;
    expect(delayMs).toBeGreaterThanOrEqual(500);
    expect(delayMs).toBeLessThan(1_000);
  }
  expect([1, 2, 3, 4, 5, 6].map((attempt) => iceRestartDelayMs?.(at(attempt, 0)))).toEqual([
    500,
    1_000,
    1_500,
    2_000,
    2_500,
    null,
  ]);
  expect(rebuildDelayMs?.(at(40, 300_000))).toBe(10_000);
  expect(rebuildDelayMs?.(at(41, 300_001))).toBeNull();
  expect(SURVIVED).not.toContain('gesture-needed');
});
