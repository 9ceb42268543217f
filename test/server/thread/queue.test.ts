import { join } from 'node:path';
import { PersonId } from '@teleconsult/protocol';
import { requestConsultation } from '@teleconsult/server/consultation/lifecycle';
import { DEFAULT_TIMINGS } from '@teleconsult/server/consultation/state';
import { ConsultationActor } from '@teleconsult/server/host/actor';
import { EntryCodec } from '@teleconsult/server/host/entry-codec';
import { MemoryStore } from '@teleconsult/server/storage/memory/memory-store';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { expect, test } from 'vitest';
import { consultationId, newConsultation } from '../../contract/store.fixtures.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

/** More microtasks than a commit in memory sets off. */
const MOMENTS = 40;

async function openActor(keyFile: string): Promise<ConsultationActor> {
  const id = consultationId(1);
  const store = new MemoryStore();
  await store.create(newConsultation(1));
  const vault = new Vault(await openLocalKeyFile({ path: keyFile, mayCreate: true, now: 0 }));
  const { key } = await vault.createConsultationKey(id);
  const { state } = requestConsultation(
    id,
    {
      participants: [
        { personId: PersonId.parse('ann'), role: 'patient', displayName: 'A' },
        { personId: PersonId.parse('bob'), role: 'doctor', displayName: 'B' },
      ],
    },
    1_000,
  );
  return new ConsultationActor(
    {
      store,
      codec: new EntryCodec(id, key),
      clock: () => 2_000,
      timings: DEFAULT_TIMINGS,
      onChange: () => undefined,
    },
    state,
    1_000,
  );
}

test('[HST8] what is asked at whichever moment while the queue runs empty is answered', async () => {
  await using dir = await tempDir();
  const actor = await openActor(join(dir.path, 'k.json'));
  const enter = { type: 'enter', by: PersonId.parse('ann') } as const;
  await actor.submit(enter);
  for (let moment = 0; moment < MOMENTS; moment += 1) {
    const first = actor.submit(enter);
    for (let passed = 0; passed < moment; passed += 1) await Promise.resolve();
    let answered = 0;
    for (const asked of [first, actor.submit(enter)]) void asked.then(() => (answered += 1));
    // It is all in memory: an answer that takes longer than this never comes.
    for (let turn = 0; turn < 20 && answered < 2; turn += 1)
      await new Promise((resolve) => setImmediate(resolve));
    expect(answered, `asked ${moment} microtasks after the one before`).toBe(2);
  }
});
