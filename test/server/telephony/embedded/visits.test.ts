/** The relay with the bindings themselves: what happens to the visit happens to the call. */

import { join } from 'node:path';
import { MemoryPhone } from '@teleconsult/server/storage/memory/memory-phone';
import { PhoneBindings } from '@teleconsult/server/telephony/bindings/phone-bindings';
import { randomPhoneIds } from '@teleconsult/server/telephony/bindings/random-phone-ids';
import { DEFAULT_PHONE_SETTINGS } from '@teleconsult/server/telephony/bindings/settings';
import type { RelayCore } from '@teleconsult/server/telephony/ports';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { consultation, FakeVisits, person } from '../bindings/fake-visits.ts';
import { ANN, BOB, CARA, hears, talkBothWays, X } from './people.ts';
import { pickUp, startStage } from './stage.ts';

const NUMBERS = { dora: BOB, pat: ANN, dan: CARA } as const;

async function startVisits() {
  await using stack = new AsyncDisposableStack();
  let bindings: PhoneBindings | null = null;
  const opened = (): PhoneBindings => {
    if (bindings === null) throw new Error('not open yet');
    return bindings;
  };
  const core: RelayCore = {
    decide: async (call) => opened().decide(call),
    event: async (event) => opened().event(event),
  };
  const dir = stack.use(await tempDir());
  const keys = await openLocalKeyFile({ path: join(dir.path, 'keys.json'), mayCreate: true, now: 0 });
  const visits = new FakeVisits();
  visits.set(1, { dora: 'doctor', pat: 'patient' }, { phaseSince: Date.now() });
  const stage = stack.use(await startStage({ asSeen: () => core }));
  const { relay, log } = stage;
  bindings = await PhoneBindings.open({
    vault: new Vault(keys),
    store: new MemoryPhone(),
    host: visits,
    providers: [relay],
    recordings: null,
    settings: { ...DEFAULT_PHONE_SETTINGS, relays: { [relay.name]: [X] } },
    ids: randomPhoneIds,
    clock: Date.now,
    log,
  });
  for (const [name, number] of Object.entries(NUMBERS)) await bindings.setNumber(person(name), number);
  await bindings.start();
  stack.defer(() => opened().close());
  const wish = { clientBindingId: 'client-of-dora', direction: 'both', recorded: false } as const;
  const { bindingId } = await bindings.bind(consultation(1), person('dora'), wish);
  const owned = stack.move();
  return {
    stage,
    visits,
    bindings,
    bindingId,
    board: () => opened().board(consultation(1), person('dora')),
    async talking() {
      const caller = await stage.dial(ANN, X);
      const callee = await pickUp(await stage.rings());
      const talk = await caller.talk();
      await talkBothWays(talk, callee);
      return {
        pat: talk,
        dora: callee,
        async [Symbol.asyncDispose]() {
          await callee[Symbol.asyncDispose]();
          await caller[Symbol.asyncDispose]();
        },
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('[RLY35] when the visit ends its call ends with the reason spoken, and X leads nowhere', async () => {
  await using town = await startVisits();
  await using call = await town.talking();
  expect((await town.board()).bindings[0]?.call).toMatchObject({ state: 'talking', caller: 'pat' });
  const ending = town.bindings.consultationChanged(town.visits.end(1));
  await Promise.all([hears(call.pat.phone, 'visit_ended'), hears(call.dora.phone, 'visit_ended')]);
  await ending;
  expect(await call.pat.ended).toMatchObject({ by: 'them' });
  expect(await call.dora.ended).toMatchObject({ by: 'them' });
  await eventually('the thread knows all of it', () => town.visits.facts(1).includes('callEnded'), {
    lastSeen: () => town.visits.facts(1),
  });
  const facts = town.visits.told.map(({ fact }) => fact);
  expect(facts.find(({ type }) => type === 'phone.callEnded')).toMatchObject({ reason: 'unbound' });
  await using again = await town.stage.dial(ANN, X);
  await hears((await again.talk()).phone, 'expired', { frames: 50 });
  expect(town.stage.rung).toHaveLength(1);
}, 60_000);

test('[RLY36] who does not want to be phoned any more is hung up at once, and not rung again', async () => {
  await using town = await startVisits();
  await using call = await town.talking();
  const refusing = town.bindings.setRefused(consultation(1), person('pat'), true);
  await Promise.all([hears(call.pat.phone, 'refused'), hears(call.dora.phone, 'refused')]);
  await refusing;
  await Promise.all([call.pat.ended, call.dora.ended]);
  await using again = await town.stage.dial(BOB, X);
  await again.talk();
  expect(town.stage.rung).toHaveLength(1);
}, 60_000);

test('[RLY37] a hand-over ends the call of who handed over, and X reaches who took over', async () => {
  await using town = await startVisits();
  await using call = await town.talking();
  const after = town.visits.set(1, { dan: 'doctor', pat: 'patient' });
  const handing = town.bindings.consultationChanged(after);
  await Promise.all([call.pat.ended, call.dora.ended]);
  await handing;
  await eventually('dan has the number', async () => {
    const { bindings } = await town.board().catch(() => town.bindings.board(consultation(1), person('pat')));
    return bindings.some(({ people, state }) => state === 'bound' && people.includes(person('dan')));
  });
  await using next = await town.stage.dial(ANN, X);
  const ringing = await town.stage.rings(1);
  expect(ringing.requestUri.user).toBe(CARA);
  next.call.cancel();
  await using former = await town.stage.dial(BOB, X);
  await former.talk();
  expect(town.stage.rung).toHaveLength(2);
}, 60_000);
