import { AppError, ConsultationId, DeviceId, type ErrorCode, PersonId } from '@teleconsult/protocol';
import { requestConsultation } from '@teleconsult/server/consultation/lifecycle';
import { viewConsultation } from '@teleconsult/server/consultation/view';
import { consultationHandlers } from '@teleconsult/server/signalling/handlers/consultations';
import type { Session } from '@teleconsult/server/signalling/session';
import { expect, test } from 'vitest';

const consultationId = ConsultationId.parse(`cns_${'1'.repeat(22)}`);
const view = viewConsultation(requestConsultation(consultationId, { participants: [] }, 0).state);

/** Watches a consultation whose snapshot is refused, and says whether the device follows it afterwards. */
async function followsAfter(code: ErrorCode): Promise<boolean> {
  let follows = false;
  const session: Session = {
    personId: PersonId.parse('relative-1'),
    deviceId: DeviceId.parse('device-0001'),
    onlyConsultation: null,
    displayName: null,
    isDoctor: false,
    watch: () => {
      follows = true;
    },
    unwatch: () => {
      follows = false;
    },
  };
  const unused = (): Promise<never> => Promise.reject(new Error('not asked for here'));
  const handlers = consultationHandlers({
    host: {
      view: async () => view,
      snapshot: () => Promise.reject(new AppError(code)),
      list: unused,
      command: unused,
    },
    waiting: { placesOf: async () => [] },
    presence: { onlineIn: () => [] },
  });
  const watching = handlers['consultation.watch']({ consultationId, limit: 50 }, session);
  await expect(watching).rejects.toMatchObject({ code });
  return follows;
}

test('[INV8] whoever begins to watch in the very moment they are taken out follows nothing', async () => {
  expect(await followsAfter('NOT_FOUND')).toBe(false);
});

test('[GATE6] a store that cannot be read for a moment does not end what a device follows', async () => {
  expect(await followsAfter('STORAGE_UNAVAILABLE')).toBe(true);
});
