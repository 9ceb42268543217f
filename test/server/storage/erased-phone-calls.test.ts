import { SqlitePhone } from '@teleconsult/server/storage/sqlite/sqlite-phone';
import { expect, test } from 'vitest';
import {
  bind,
  bindingId,
  endedNews,
  NOW,
  newBinding,
  newCall,
  phoneCallId,
  relay,
  release,
} from '../../contract/phone-store.fixtures.ts';
import { openDataFolder } from '../vault/stored-vault.fixtures.ts';

test('[PHB102] of an erased consultation what a provider still had goes as soon as it is over', async () => {
  await using data = await openDataFolder();
  const { store } = data;
  const { phone } = store;
  expect(phone).toBeInstanceOf(SqlitePhone);
  const erased = await data.addConsultation('first');
  const kept = await data.addConsultation('second');
  await phone.numbers.setRelays('sip', [relay('x1'), relay('x2')]);
  for (const [number, { id: consultationId }] of [
    [1, erased],
    [2, kept],
  ] as const) {
    const people = [`ann-${number}`, `dan-${number}`] as const;
    await phone.bindings.createBinding(newBinding(number, ...people, { consultationId }));
    await bind(phone, number);
    expect(await phone.calls.beginCall(newCall(number, number))).toBe('begun');
  }
  await store.erasure.eraseConsultation(erased.id);
  const sweep = () => phone.sweep({ calls: 0, bindings: 0, uses: 0 });
  await sweep();
  // Its provider is still to be told.
  expect(await phone.bindings.binding(bindingId(1))).toMatchObject({ state: 'bound' });
  expect(await phone.calls.countRunning()).toBe(2);
  for (const number of [1, 2]) {
    const ended = { at: NOW, end: 'completed', talkMs: 1, news: endedNews(number, 1) } as const;
    await phone.calls.endCall(phoneCallId(number), ended);
    await release(phone, number);
  }
  await sweep();
  expect(await phone.bindings.binding(bindingId(1))).toBeNull();
  expect(await phone.calls.call(phoneCallId(1))).toBeNull();
  expect(await phone.bindings.binding(bindingId(2))).toMatchObject({ state: 'unbound' });
  expect(await phone.calls.call(phoneCallId(2))).toMatchObject({ state: 'ended' });
  // Who had which relay number stays for the cool-down.
  expect(await phone.bindings.hadPlace('x1', 'hash-ann-1')).toBe(true);
});
