import { PhoneBindings } from '@teleconsult/server/telephony/bindings/phone-bindings';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { FakeProvider } from './fake-provider.ts';
import { consultation, person } from './fake-visits.ts';
import { bridged, NOW, NUMBERS, number, openBindings, RELAYS } from './opened.ts';

const HOUR = 3_600_000;

test('[PHB40] doctor and patient get one relay number between them, however often and by whom it is asked for', async () => {
  await using opened = await openBindings();
  const { bind, provider, visits } = opened;
  const [first, again, other] = await Promise.all([bind('dora'), bind('dora'), bind('pat')]);
  expect(first.view).toMatchObject({
    state: 'bound',
    people: ['dora', 'pat'],
    number: expect.stringMatching(/^\+8617000000/),
    createdBy: expect.stringMatching(/dora|pat/),
    expiresAt: NOW + 24 * HOUR,
    call: null,
  });
  expect([again.bindingId, other.bindingId]).toEqual([first.bindingId, first.bindingId]);
  expect(provider.held.get(first.bindingId)).toMatchObject({
    a: NUMBERS['dora'],
    b: NUMBERS['pat'],
    x: first.x,
  });
  await eventually('the thread to be told', () => visits.told.length > 0);
  expect(visits.facts(1)).toEqual(['bound']);
  const board = await opened.board('pat');
  expect(board).toMatchObject({ available: true, label: 'Clinic', reachable: ['dora', 'pat'], refused: [] });
  expect(JSON.stringify(board)).not.toContain(NUMBERS['dora']?.slice(4));
});

test('[PHB40] the same name with another wish is a conflict; where there is a number it is answered to whoever asks', async () => {
  await using opened = await openBindings();
  await opened.bind('dora');
  await expect(opened.bind('dora', 1, { direction: 'doctor_calls' })).rejects.toMatchObject({
    code: 'CONFLICT',
  });
  await expect(opened.bind('dora', 1, { recorded: true })).rejects.toMatchObject({ code: 'CONFLICT' });
});

test('[PHB41] who is drawn in sees no number and asks for none; who does not take part sees nothing', async () => {
  await using opened = await openBindings();
  const { bind, bindings, visits } = opened;
  visits.set(1, { dora: 'doctor', pat: 'patient', ian: 'interpreter' });
  const { bindingId } = await bind();
  const [seen] = (await opened.board('ian')).bindings;
  expect(seen).toMatchObject({ bindingId, state: 'bound', number: null });
  await expect(bind('ian')).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(bindings.unbind(consultation(1), person('ian'), bindingId)).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
  await expect(opened.board('dan')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  visits.set(2, { dan: 'doctor', pia: 'patient' });
  await expect(bindings.unbind(consultation(2), person('dan'), bindingId)).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

test('[PHB42] without both numbers, with the same number, outside the visit or with no number free there is none', async () => {
  await using opened = await openBindings({ settings: { relays: { sip: RELAYS.slice(0, 1) } } });
  const { bind, bindings, visits, provider } = opened;
  await bindings.setNumber(person('pat'), null);
  await expect(bind()).rejects.toMatchObject({
    code: 'WRONG_STATE',
    detail: expect.stringContaining('not known'),
  });
  await bindings.setNumber(person('pat'), NUMBERS['dora'] ?? '');
  await expect(bind()).rejects.toMatchObject({
    code: 'WRONG_STATE',
    detail: expect.stringContaining('same number'),
  });
  await bindings.setNumber(person('pat'), NUMBERS['pat'] ?? '');
  visits.set(1, { dora: 'doctor', pat: 'patient' }, { phase: 'requested' });
  await expect(bind()).rejects.toMatchObject({ code: 'WRONG_STATE' });
  visits.set(1, { dora: 'doctor', pat: 'patient' }, { phase: 'active' });
  await bind();
  visits.set(2, { dan: 'doctor', pia: 'patient' }, { phaseSince: NOW });
  await expect(bind('dan', 2)).rejects.toMatchObject({ code: 'OVERLOADED' });
  expect(provider.held.size).toBe(1);
});

test('[PHB43] a provider that is down is asked again until it answers, also by the next server', async () => {
  const provider = new FakeProvider();
  provider.failing = 'unavailable';
  await using opened = await openBindings({ provider });
  const { bindings, time, store, visits, parts } = opened;
  const { view } = await opened.bind();
  expect(view).toMatchObject({ state: 'binding', number: null });
  expect((await bindings.figures()).pending).toEqual({ binding: 1, changing: 0, unbinding: 0, news: 0 });
  await bindings.tick();
  expect(provider.count('bind')).toBe(1);
  time.now += 60_000;
  await bindings.tick();
  expect(provider.count('bind')).toBe(2);
  await bindings.close();
  provider.failing = null;
  const next = await PhoneBindings.open({ ...parts, store, host: visits });
  time.now += 600_000;
  await next.tick();
  expect((await opened.board()).bindings).toMatchObject([
    { state: 'bound', number: expect.stringMatching(/^\+8617000000/) },
  ]);
  await next.close();
});

test('[PHB43] what is to be given back is given back however long the provider is down, and connects nobody meanwhile', async () => {
  await using opened = await openBindings();
  const { bindings, provider, time, visits } = opened;
  const { bindingId, x } = await opened.bind();
  provider.failing = 'unavailable';
  await bindings.consultationChanged(visits.end(1));
  expect((await opened.board()).bindings).toMatchObject([{ state: 'unbinding', number: null }]);
  expect(await opened.dial('pat', x)).toMatchObject({ do: 'announce', prompt: 'expired' });
  for (let hour = 0; hour < 5; hour += 1) {
    time.now += HOUR;
    await bindings.tick();
  }
  expect(provider.count('unbind')).toBe(6);
  provider.failing = 'not_found';
  time.now += HOUR;
  await bindings.tick();
  expect((await opened.board()).bindings).toMatchObject([
    { bindingId, state: 'unbound', unboundReason: 'consultation_ended' },
  ]);
  expect((await bindings.figures()).pending).toEqual({ binding: 0, changing: 0, unbinding: 0, news: 0 });
  expect(visits.facts(1)).toEqual(['bound', 'unbound']);
});

test('[PHB43] a provider that refuses for good ends the binding as failed, and its number is free', async () => {
  await using opened = await openBindings({ settings: { relays: { sip: RELAYS.slice(0, 1) } } });
  const { provider } = opened;
  provider.failing = 'refused';
  const { view } = await opened.bind();
  expect(view).toMatchObject({ state: 'unbound', unboundReason: 'failed' });
  provider.failing = null;
  expect((await opened.bind('pat')).x).toBe(RELAYS[0]);
});

test('[PHB44] a relay number ends by its own expiry, and late ones live at least an hour', async () => {
  await using opened = await openBindings();
  const { bindings, time, visits, provider } = opened;
  const { x } = await opened.bind();
  time.now += 24 * HOUR - 1;
  await bindings.tick();
  expect(provider.held.size).toBe(1);
  time.now += 1;
  expect(await opened.dial('pat', x)).toMatchObject({ prompt: 'expired', why: 'expired' });
  await bindings.tick();
  expect(provider.held.size).toBe(0);
  expect((await opened.board()).bindings).toMatchObject([{ state: 'unbound', unboundReason: 'expired' }]);
  expect(provider.asked.at(-1)).toMatchObject({ what: 'unbind', why: 'time_over' });
  const { view } = await opened.bind('pat');
  expect(view).toMatchObject({ number: x, expiresAt: time.now + HOUR });
  await eventually('the thread to be told', () => visits.told.length > 2);
  expect(visits.facts(1)).toEqual(['bound', 'unbound', 'bound']);
});

test('[PHB45] a visit that ended while no server ran loses its number at the next start', async () => {
  await using opened = await openBindings();
  const { bindings, visits, provider } = opened;
  const { x } = await opened.bind();
  visits.end(1);
  // Not told, and not looked yet: nobody is connected all the same.
  expect(await opened.dial('pat', x)).toMatchObject({ do: 'announce', prompt: 'expired' });
  await bindings.tick();
  expect(provider.held.size).toBe(0);
  visits.set(2, { dan: 'doctor', pia: 'patient' }, { phaseSince: NOW });
  await opened.bind('dan', 2);
  visits.views.delete(consultation(2));
  await bindings.consultationChanged(visits.end(1));
});

test('[PHB46] by the rule a visit has a relay number as it begins, once, where both can be phoned', async () => {
  const rule = { direction: 'doctor_calls', recorded: true } as const;
  await using opened = await openBindings({ settings: { rule }, known: false });
  const { bindings, visits } = opened;
  const view = visits.set(1, { dora: 'doctor', pat: 'patient' });
  await bindings.consultationChanged(view);
  expect((await opened.board()).bindings).toEqual([]);
  for (const name of ['dora', 'pat']) await bindings.setNumber(person(name), NUMBERS[name] ?? '');
  await Promise.all([bindings.consultationChanged(view), bindings.consultationChanged(view)]);
  const [made] = (await opened.board()).bindings;
  expect(made).toMatchObject({ createdBy: null, direction: 'doctor_calls', recorded: true, state: 'bound' });
  if (made === undefined) throw new Error('none');
  await bindings.unbind(view.consultationId, person('pat'), made.bindingId);
  await bindings.consultationChanged(view);
  expect((await opened.board()).bindings).toHaveLength(1);
});

test('[PHB49] who does not want to be phoned is obeyed at once: number and call end, none is made, and all see it', async () => {
  await using opened = await openBindings();
  const { bindings, visits, provider } = opened;
  const { x } = await opened.bind();
  bridged(await opened.dial('dora', x));
  provider.failing = 'unavailable';
  const board = await bindings.setRefused(consultation(1), person('pat'), true);
  expect(board).toMatchObject({
    refused: [{ personId: 'pat', since: NOW }],
    bindings: [{ state: 'unbinding' }],
  });
  expect(provider.asked.at(-1)).toMatchObject({ what: 'unbind', why: 'refused' });
  expect(await opened.dial('dora', x)).toMatchObject({ do: 'announce', prompt: 'refused', why: 'refused' });
  await expect(opened.bind('dora', 1, { clientBindingId: 'another-one' })).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
  await bindings.setRefused(consultation(1), person('pat'), true);
  provider.failing = null;
  await bindings.setRefused(consultation(1), person('pat'), false);
  expect((await opened.bind('dora', 1, { clientBindingId: 'another-one' })).view.state).toBe('bound');
  await eventually('the thread to be told', () => visits.told.length >= 6);
  expect(visits.facts(1)).toEqual(['bound', 'callStarted', 'refused', 'unbound', 'refused', 'bound']);
});

test('[PHB50] a provider that chooses the number is asked for it, and one it gives twice is not taken', async () => {
  const provider = new FakeProvider('cloud', {
    routing: 'provider',
    chooses: 'provider',
    changes: new Set(['expiresAt'] as const),
    minLifetimeMs: 48 * HOUR,
  });
  provider.next.push(number('17000000007'), number('17000000007'), number('17000000008'));
  await using opened = await openBindings({ provider });
  const { bindings, visits } = opened;
  const { view } = await opened.bind();
  expect(view).toMatchObject({ state: 'bound', number: '+8617000000007', expiresAt: NOW + 48 * HOUR });
  visits.set(2, { dora: 'doctor', pia: 'patient' }, { phaseSince: NOW });
  expect((await opened.bind('pia', 2)).view).toMatchObject({ state: 'unbound', unboundReason: 'failed' });
  expect((await opened.bind('dora', 2)).view).toMatchObject({ state: 'bound', number: '+8617000000008' });
  // It cannot change who is behind a number, and chooses the number: the binding ends.
  await bindings.consultationChanged(visits.set(1, { dan: 'doctor', pat: 'patient' }));
  expect((await opened.board('pat')).bindings).toMatchObject([{ state: 'unbound', unboundReason: 'failed' }]);
});

test('[PHB51] what the thread could not be told is told later, in order, and said to be told again', async () => {
  await using opened = await openBindings();
  const { bindings, visits, time } = opened;
  visits.failing = true;
  const { bindingId } = await opened.bind();
  await bindings.unbind(consultation(1), person('pat'), bindingId);
  await eventually('telling to fail', () => opened.logged.some(({ step }) => step === 'phone.notTold'));
  visits.failing = false;
  time.now += 60_000;
  await bindings.tick();
  expect(visits.told.map(({ fact, again, by }) => [fact.type, again, by])).toEqual([
    ['phone.bound', true, 'dora'],
    ['phone.unbound', false, 'pat'],
  ]);
  expect((await bindings.figures()).pending.news).toBe(0);
});

test('[PHB45] a visit that ends while a number is asked for keeps none, and its provider is told of none that lasts', async () => {
  await using opened = await openBindings();
  const { bindings, store, visits, provider } = opened;
  const create = store.bindings.createBinding.bind(store.bindings);
  store.bindings.createBinding = async (binding) => {
    await bindings.consultationChanged(visits.end(1));
    return create(binding);
  };
  expect((await opened.bind()).view).toMatchObject({ state: 'unbound', unboundReason: 'consultation_ended' });
  expect(provider.held.size).toBe(0);
});

test('[PHB42] a relay number is nobody’s own, and nothing is recorded where the provider cannot', async () => {
  await using opened = await openBindings({ provider: new FakeProvider('sip', { recording: 'none' }) });
  await expect(opened.bindings.setNumber(person('pat'), RELAYS[0] ?? '')).rejects.toMatchObject({
    code: 'INVALID',
  });
  await expect(opened.bind('dora', 1, { recorded: true })).rejects.toMatchObject({ code: 'NOT_CONFIGURED' });
});

test('[PHB74] closing twice is closing; a provider that never answers holds nobody up for long', async () => {
  await using opened = await openBindings({ settings: { providerMs: 20 } });
  const { provider, bindings } = opened;
  provider.slow = new Promise(() => undefined);
  expect((await opened.bind()).view.state).toBe('binding');
  expect(opened.logged.some(({ step }) => step === 'phone.providerRetry')).toBe(true);
  await bindings.close();
  await bindings.close();
});

test('[PHB75] of an erased consultation everything ends, also where nothing can be opened any more', async () => {
  await using opened = await openBindings();
  const { bindings, visits, provider, store, time } = opened;
  const { bindingId, x } = await opened.bind();
  provider.failing = 'unavailable';
  visits.views.delete(consultation(1));
  visits.keys.clear();
  expect(await opened.dial('pat', x)).toMatchObject({ do: 'reject', why: 'unavailable' });
  await bindings.tick();
  expect(await store.bindings.binding(bindingId)).toMatchObject({ state: 'unbinding' });
  expect(await opened.dial('dora', x)).not.toMatchObject({ do: 'bridge' });
  provider.failing = null;
  time.now += 600_000;
  await bindings.tick();
  expect(await store.bindings.binding(bindingId)).toMatchObject({ state: 'unbound' });
  expect(provider.held.size).toBe(0);
  expect((await bindings.figures()).pending).toEqual({ binding: 0, changing: 0, unbinding: 0, news: 0 });
});

test('[PHB41] a second doctor of the visit is not given the number of the first one', async () => {
  await using opened = await openBindings();
  opened.visits.set(1, { dora: 'doctor', pat: 'patient', dan: 'doctor' });
  const { x } = await opened.bind('pat');
  await expect(opened.bind('dan')).rejects.toMatchObject({ code: 'WRONG_STATE' });
  expect((await opened.board('dan')).bindings).toMatchObject([{ state: 'bound', number: null }]);
  expect(await opened.dial('dan', x)).toMatchObject({ why: 'stranger' });
});

test('[PHB101] the board says before a call whether it would be recorded', async () => {
  const modeOf = async (provider: FakeProvider, recording: 'off' | 'ask' | 'always') => {
    await using opened = await openBindings({ provider });
    const bindings = await PhoneBindings.open({ ...opened.parts, recording });
    const board = await bindings.board(consultation(1), person('pat'));
    await bindings.close();
    return board.recording;
  };
  for (const recording of ['off', 'ask', 'always'] as const) {
    expect(await modeOf(new FakeProvider(), recording)).toBe(recording);
    expect(await modeOf(new FakeProvider('sip', { recording: 'none' }), recording)).toBe('off');
  }
});
