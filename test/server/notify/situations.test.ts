import { Entry } from '@teleconsult/protocol';
import type { Next } from '@teleconsult/server/consultation/outcome';
import type { ConsultationState } from '@teleconsult/server/consultation/state';
import { viewConsultation } from '@teleconsult/server/consultation/view';
import { noticesOf } from '@teleconsult/server/notify/notices';
import { Situations } from '@teleconsult/server/notify/situations';
import { expect, test } from 'vitest';
import {
  active,
  addRelative,
  after,
  callId,
  desk,
  doctor,
  liveThree,
  must,
  patient,
  relative,
  start,
  timings,
  tv,
} from '../consultation/domain-fixtures.ts';

/** Who is told, and whether they missed it, of the end of the call that this outcome brings. */
async function toldOfTheEnd(before: ConsultationState, outcome: Next): Promise<[string, boolean][]> {
  const unused = (): Promise<never> => Promise.reject(new Error('not asked for here'));
  const view = viewConsultation(outcome.state);
  const situations = new Situations({
    host: { view: async () => view, thread: unused, snapshot: unused, followUps: { board: unused } },
    store: { marks: unused },
    clock: () => 10_000,
  });
  const ended = outcome.facts.find(({ fact }) => fact.kind === 'call.ended');
  situations.handleChange({ before, after: outcome.state, entries: [], effects: outcome.effects });
  const entry = Entry.parse({
    ...ended?.fact,
    by: ended?.by,
    consultationId: outcome.state.id,
    sequence: outcome.state.sequence,
    at: 10_000,
  });
  return noticesOf(entry, await situations.of(entry)).map(({ personId, payload }) => [
    personId,
    payload.kind === 'call.over' && payload.missed,
  ]);
}

test('[PUSH6] the end of a call is told to who was rung until then, and not again to who had declined before', async () => {
  const ringing = after(active(), addRelative, start());
  const third = { by: relative, deviceId: tv, callId };
  const { state } = must(ringing, { type: 'call.decline', ...third }, 2_000);
  const ended = must(state, { type: 'tick' }, 1_000 + timings.ringMs);
  expect(await toldOfTheEnd(state, ended)).toEqual([[patient, true]]);
});

test('[PUSH6] who was taken out of the consultation hears nothing of the end of its call', async () => {
  const live = liveThree();
  const { state } = must(live, { type: 'participant.remove', by: doctor, personId: relative }, 5_000);
  const ended = must(state, { type: 'call.hangUp', by: doctor, deviceId: desk, callId }, 6_000);
  expect(await toldOfTheEnd(state, ended)).toEqual([]);
});
