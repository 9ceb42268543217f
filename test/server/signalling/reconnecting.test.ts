import { randomBytes } from 'node:crypto';
import { PROTOCOL_VERSION } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { RawWebSocket } from '../../security/raw-websocket.ts';

const ROUNDS = 30;

test('[GATE7] a connection that is entered and left again and again leaves nothing behind in the server', async () => {
  const warnings: string[] = [];
  const hear = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', hear);
  await using app = await startTestApp();
  await using connection = await RawWebSocket.open(app.origin);
  const entered = (): number => connection.texts.filter((text) => text.startsWith('40')).length;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const deviceId = `device-${randomBytes(8).toString('hex')}`;
    const auth = { protocol: PROTOCOL_VERSION, token: personToken('patient-1'), deviceId };
    connection.send({ payload: `40${JSON.stringify(auth)}` });
    await eventually('the device to be let in', () => entered() === round);
    connection.send({ payload: '41' });
    // By then the server has taken that in.
    await fetch(`${app.origin}/healthz`);
  }
  // Node warns where more than ten listen to the same thing.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', hear);
  expect(warnings).toEqual([]);
});
