import type { ConsultationId } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startCall, startVisit } from '../../helpers/visit.ts';

/** How a person's seat stands, as a fresh snapshot says. */
async function seatOf(client: RawClient, consultationId: ConsultationId, person: string) {
  const { call } = await client.request('consultation.watch', { consultationId });
  return call?.seats.find(({ personId }) => personId === person)?.state;
}

/** Waits until the server has noticed who is gone. */
const connected = (origin: string, count: number): Promise<unknown> =>
  eventually(`${count} connections`, async () =>
    (await (await fetch(`${origin}/metrics`)).text()).includes(`teleconsult_connections ${count}\n`),
  );

test('[SEAT19] a page that closes takes no seat from a device that is still connected by another token', async () => {
  await using app = await startTestApp();
  await using visit = await startVisit(app);
  const { id, doctor, patient, view } = visit;
  await startCall(visit);
  const person = peopleOf(view).patient;
  const { deviceId } = patient;
  // The same browser opens a link that is good for this consultation alone, and closes it again.
  const openLink = () => RawClient.connect(app.origin, personToken(person, id), { deviceId });
  (await openLink()).socket.disconnect();
  await connected(app.origin, 2);
  expect(await seatOf(doctor, id, person)).toBe('present');
  // The other way round.
  await using link = await openLink();
  patient.socket.disconnect();
  await connected(app.origin, 2);
  expect(await seatOf(doctor, id, person)).toBe('present');
  link.socket.disconnect();
  await eventually('the seat to wait for its device', async () => {
    return (await seatOf(doctor, id, person)) === 'reconnecting';
  });
});
