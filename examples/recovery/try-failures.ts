import type { SimulatedFailure, TeleconsultClient } from '@teleconsult/client-sdk';

/** What has to leave a visit as it was, without anybody's help. */
export const SURVIVED: readonly SimulatedFailure[] = [
  'signal-loss',
  'media-loss',
  'media-rebuild',
  'network-loss',
  'server-restart',
  'node-move',
  'reload',
  'interruption',
];

/**
 * For an app's own tests, in a running call with the microphone on: breaks everything that may break, one after the other,
 * and says what did not come back.
 */
export async function tryFailures(client: TeleconsultClient): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const failure of SURVIVED) {
    const before = client.activeCall;
    await client.simulate(failure, { signal: AbortSignal.timeout(60_000) });
    const after = client.activeCall;
    if (after?.id !== before?.id) problems.push(`${failure}: another call, or none`);
    else if (after?.path !== 'connected') problems.push(`${failure}: no media`);
    else if (after.microphoneOn !== before?.microphoneOn) problems.push(`${failure}: another microphone`);
  }
  return problems;
}
