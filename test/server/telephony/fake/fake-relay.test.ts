import { FakeRelayProvider } from '@teleconsult/server/telephony/fake/fake-relay';
import { expect, test } from 'vitest';
import { fakeUnderTest } from '../../../contract/relay.fake.fixture.ts';
import { ANN, BOB, bind, STRANGER, X } from '../../../contract/relay.under-test.ts';

test('[REL21] what the fake is told to do next it does once, in order', async () => {
  await using under = await fakeUnderTest('server');
  const fake = under.provider;
  if (!(fake instanceof FakeRelayProvider)) throw new Error('no fake');
  await bind(under);
  fake.next('busy');
  fake.next('declined');
  fake.next('answers');
  const states = [];
  for (let count = 0; count < 4; count += 1) {
    const { state, heard } = await fake.call({ from: ANN, x: X });
    states.push([state.is, 'end' in state ? state.end : null, heard]);
  }
  expect(states).toEqual([
    ['over', 'busy', 'busy'],
    ['over', 'declined', null],
    ['talking', null, null],
    ['ringing', null, null],
  ]);
});

test('[REL21] requests fail as often as they were told to', async () => {
  await using under = await fakeUnderTest('server');
  const fake = under.provider;
  if (!(fake instanceof FakeRelayProvider)) throw new Error('no fake');
  fake.fails('unavailable', 3);
  const outcomes = [];
  for (let count = 0; count < 4; count += 1)
    outcomes.push(
      await fake.check().then(
        () => 'done',
        (error: { reason: string }) => error.reason,
      ),
    );
  expect(outcomes).toEqual(['unavailable', 'unavailable', 'unavailable', 'done']);
});

test('[REL21] a caller who is turned away hears why, and the one who answers is who the core said', async () => {
  await using under = await fakeUnderTest('server');
  const fake = under.provider;
  if (!(fake instanceof FakeRelayProvider)) throw new Error('no fake');
  await bind(under);
  expect(await fake.call({ from: STRANGER, x: X })).toMatchObject({
    heard: 'stranger',
    state: { is: 'turned_away', why: 'stranger' },
  });
  const call = await fake.call({ from: BOB, x: X });
  expect(call.state).toMatchObject({ is: 'ringing', bridge: { to: ANN, showAs: X, caller: 'b' } });
  // The same call asks no second time.
  expect(await fake.call({ from: BOB, x: X, callRef: call.callRef })).toBe(call);
});
