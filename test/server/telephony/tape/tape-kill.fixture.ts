/**
 * A server that records a phone call in the folder it is given: 50 packets a second, each with a moment of the clock in its
 * first bytes, until it is killed.
 */
import { argv } from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { PersonId, PhoneBindingId, PhoneCallId } from '@teleconsult/protocol';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { PhoneTapes } from '@teleconsult/server/telephony/tape/phone-tapes';
import { peopleOf, startTestApp } from '../../../helpers/test-app.ts';

const [, , dataDir = ''] = argv;
const PACKET_BYTES = 320;
const PACKET_MS = 20;

const app = await startTestApp({ dataDir });
const view = await app.createConsultation();
const { patient, doctor } = peopleOf(view);
const { consultationId } = view;
const nothing = (): void => undefined;
const tapes = new PhoneTapes({
  store: app.store.recordings,
  files: app.trackFiles,
  audit: app.store.audit,
  ids: randomIds,
  clock: Date.now,
  log: { info: nothing, warn: nothing, error: nothing },
  host: app.app.host,
  publisher: { toWatchers: nothing },
  measuring: nothing,
  callOf: async () => ({
    consultationId,
    caller: PersonId.parse(patient),
    callee: PersonId.parse(doctor),
  }),
});
const tape = await tapes.open({
  phoneCallId: PhoneCallId.parse(`pcl_${'K'.repeat(22)}`),
  bindingId: PhoneBindingId.parse(`pbd_${'K'.repeat(22)}`),
  startedAt: Date.now(),
});
if (tape === null) throw new Error('The tape did not open.');
process.send?.({ consultationId, patient, doctor });
const began = performance.now();
for (let packet = 0; ; packet += 1) {
  const samples = Buffer.alloc(PACKET_BYTES, 0xd5);
  samples.writeDoubleBE(Date.now());
  tape.append(samples);
  await wait(Math.max(0, began + (packet + 1) * PACKET_MS - performance.now()));
}
