import { join } from 'node:path';
import { ConsultationId } from '@teleconsult/protocol';
import { loadState } from '@teleconsult/server/host/load';
import { MemoryStore } from '@teleconsult/server/storage/memory/memory-store';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { expect, test } from 'vitest';
import { fact, newConsultation } from '../../contract/store.fixtures.ts';
import { tempDir } from '../../helpers/temp-dir.ts';

/** The state that is read of one which the first version of the server sealed. */
async function loaded(body: object) {
  await using dir = await tempDir();
  const vault = new Vault(
    await openLocalKeyFile({ path: join(dir.path, 'k.json'), mayCreate: true, now: 0 }),
  );
  const id = ConsultationId.parse(`cns_${'0'.repeat(21)}1`);
  const { wrapped, key } = await vault.createConsultationKey(id);
  const store = new MemoryStore();
  await store.create(
    newConsultation(1, {
      wrappedKey: wrapped,
      sealedState: key.seal(JSON.stringify(body), 'state'),
      sealedRequest: null,
      entries: [fact(1)],
    }),
  );
  return (await loadState(id, store, vault)).state;
}

const participants = [
  { personId: 'ann', role: 'patient', displayName: 'A' },
  { personId: 'bob', role: 'doctor', displayName: 'B' },
];

test('[STO33] a state that the first version sealed is a visit without a subject', async () => {
  const phase = { name: 'ended', since: 5, reason: 'completed' };
  expect(await loaded({ participants, phase, call: null, callRevision: 4 })).toEqual({
    id: expect.any(String),
    createdAt: 1_000,
    sequence: 1,
    kind: 'visit',
    requestedBy: null,
    subject: null,
    participants,
    phase: { ...phase, declineReason: null, activeSince: null },
    call: null,
    callRevision: 4,
    followUps: [],
    contactRefusedSince: null,
    phone: { refusedBy: [], told: [] },
  });
});

test('[STO33] a call that ran in the first version has seats with all that seats have now', async () => {
  const base = { since: 3, microphoneOn: true, cameraOn: false };
  const state = await loaded({
    participants,
    phase: { name: 'active', since: 2 },
    callRevision: 4,
    call: {
      callId: 'call',
      media: 'video',
      startedBy: 'bob',
      startedAt: 3,
      phase: { name: 'ringing', until: 45 },
      seats: [
        { ...base, personId: 'bob', state: 'connecting', deviceId: 'device' },
        { ...base, personId: 'ann', state: 'invited' },
        { ...base, personId: 'eve', state: 'left' },
      ],
    },
  });
  const added = { screenOn: false, mutedBy: null, view: 'full', interrupted: false, phone: null };
  expect(state.call).toMatchObject({ recording: null, stoppedRecordingId: null });
  expect(state.call?.seats).toEqual([
    { ...base, ...added, personId: 'bob', state: 'connecting', deviceId: 'device' },
    { ...base, ...added, personId: 'ann', state: 'invited', ringUntil: 45, callWaiting: false },
    { ...base, ...added, personId: 'eve', state: 'left', reason: 'hung_up', deviceId: null, wayBack: null },
  ]);
});

test('[SEAT25] [STO33] a call that ran before there were tickets has seats without, and a window for who was lost', async () => {
  const base = { since: 3, microphoneOn: true, cameraOn: false };
  const added = { screenOn: false, mutedBy: null, view: 'full', interrupted: false, phone: null };
  const held = { deviceId: 'device' };
  const seats = [
    { ...base, ...added, ...held, personId: 'ann', state: 'present' },
    { ...base, ...added, ...held, personId: 'bob', state: 'reconnecting', joined: true },
    { ...base, ...added, ...held, personId: 'eve', state: 'left', reason: 'lost' },
  ];
  const call = { callId: 'call', media: 'video', startedBy: 'bob', startedAt: 3, seats };
  const state = { participants, phase: { name: 'active', since: 2 }, callRevision: 4 };
  const live = await loaded({ ...state, call: { ...call, phase: { name: 'live', answeredAt: 3 } } });
  expect(live.call?.seats).toEqual([
    { ...seats[0], tickets: null },
    { ...seats[1], tickets: null },
    { ...seats[2], wayBack: { until: 900_003, tickets: null } },
  ]);
  const phase = { name: 'connecting', answeredAt: 3, until: 33 };
  const connecting = await loaded({ ...state, call: { ...call, phase } });
  expect(connecting.call?.seats[2]).toMatchObject({ wayBack: null });
});
