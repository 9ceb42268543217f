import { join } from 'node:path';
import { ConsultationId, PersonId } from '@teleconsult/protocol';
import { requestConsultation } from '@teleconsult/server/consultation/lifecycle';
import { DEFAULT_TIMINGS } from '@teleconsult/server/consultation/state';
import { EntryCodec } from '@teleconsult/server/host/entry-codec';
import { HeldConsultations } from '@teleconsult/server/host/held-consultations';
import { MemoryStore } from '@teleconsult/server/storage/memory/memory-store';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { expect, test } from 'vitest';
import { tempDir } from '../../helpers/temp-dir.ts';

const id = (number: number) => ConsultationId.parse(`cns_${String(number).padStart(22, '0')}`);

/** As many consultations as are asked for, all of them alike. */
async function open() {
  await using dir = await tempDir();
  const vault = new Vault(
    await openLocalKeyFile({ path: join(dir.path, 'k.json'), mayCreate: true, now: 0 }),
  );
  const { wrapped, key } = await vault.createConsultationKey(id(0));
  const { state } = requestConsultation(
    id(0),
    {
      participants: [
        { personId: PersonId.parse('patient-1'), role: 'patient', displayName: 'P' },
        { personId: PersonId.parse('doctor-1'), role: 'doctor', displayName: 'D' },
      ],
    },
    0,
  );
  const sealedState = new EntryCodec(id(0), key).sealState(state);
  const store = new MemoryStore();
  store.load = async (consultationId) => ({
    consultationId,
    createdAt: 0,
    wrappedKey: wrapped,
    sealedState,
    sealedRequest: null,
    lastSequence: 1,
    lastAt: 0,
  });
  const at = { now: 1_000_000 };
  const held = new HeldConsultations({
    store,
    keys: {
      createConsultationKey: (one) => vault.createConsultationKey(one),
      openConsultationKey: async () => key,
    },
    clock: () => at.now,
    timings: DEFAULT_TIMINGS,
    onLoaded: () => undefined,
    onChange: () => undefined,
  });
  const use = async (from: number, to: number): Promise<void> => {
    for (let number = from; number < to; number++) await held.hold(id(number));
  };
  const later = (ms: number, isNeeded: (one: ConsultationId) => boolean = () => false): number => {
    at.now += ms;
    held.evict(isNeeded);
    return held.size;
  };
  return { use, later };
}

test('[HST9] a consultation that nobody uses or watches leaves memory after five minutes', async () => {
  const { use, later } = await open();
  await use(0, 10);
  expect(later(299_000)).toBe(10);
  await use(0, 3);
  expect(later(6_000, (one) => one === id(9))).toBe(4);
});

test('[HST9] of very many in memory those that were just read and not used again leave it after half a minute', async () => {
  const { use, later } = await open();
  await use(0, 20_001);
  expect(later(20_000)).toBe(20_001);
  await use(0, 5);
  expect(later(11_000)).toBe(5);
});
