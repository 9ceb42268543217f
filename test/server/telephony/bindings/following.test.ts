/** What happens in between: bindings are right also when whoever changed something was cut off, late, or came at once with it. */
import { AppError, type ConsultationView } from '@teleconsult/protocol';
import { PhoneBindings } from '@teleconsult/server/telephony/bindings/phone-bindings';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { FakeProvider } from './fake-provider.ts';
import { consultation, person } from './fake-visits.ts';
import { bridged, NOW, NUMBERS, number, type Opened, openBindings } from './opened.ts';

const HANDED_OVER = { dan: 'doctor', pat: 'patient' } as const;

/** The server after one that was killed. */
async function nextServer({ parts, bindings }: Opened): Promise<PhoneBindings> {
  await bindings.close();
  const next = await PhoneBindings.open(parts);
  await next.start();
  await next.tick();
  return next;
}

/** Fails once, as a store does that is cut off. */
function failOnce<Name extends string>(
  of: Record<Name, (...asked: never[]) => Promise<unknown>>,
  name: Name,
) {
  const was = of[name];
  of[name] = () => {
    of[name] = was;
    return Promise.reject(new AppError('STORAGE_UNAVAILABLE'));
  };
}

test('[PHB90] that somebody may be phoned again is answered once the visit has heard of it', async () => {
  await using opened = await openBindings();
  const { bindings, visits, time } = opened;
  await bindings.setRefused(consultation(1), person('pat'), true);
  expect(visits.told.at(-1)?.fact).toMatchObject({ type: 'phone.refused', refused: true });
  const gate = Promise.withResolvers<void>();
  const tell = visits.tell.bind(visits);
  visits.tell = async (...news) => {
    await gate.promise;
    return tell(...news);
  };
  let isAnswered = false;
  const answer = bindings.setRefused(consultation(1), person('pat'), false).finally(() => {
    isAnswered = true;
  });
  await eventually(
    'it is in the store',
    async () => (await opened.store.bindings.refusals(consultation(1))).length === 0,
  );
  expect(isAnswered).toBe(false);
  gate.resolve();
  expect((await answer).refused).toEqual([]);
  expect(visits.told.at(-1)?.fact).toMatchObject({ type: 'phone.refused', refused: false });

  await bindings.setRefused(consultation(1), person('pat'), true);
  visits.failing = true;
  const untold = bindings.setRefused(consultation(1), person('pat'), false);
  await expect(untold).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  visits.failing = false;
  time.now += 600_000;
  expect((await bindings.setRefused(consultation(1), person('pat'), false)).refused).toEqual([]);
  expect(visits.facts(1)).toEqual(['refused', 'refused', 'refused', 'refused']);
});

test('[PHB91] a refusal that a killed server wrote and no more is carried out by the next one', async () => {
  await using opened = await openBindings();
  const { provider, store } = opened;
  const { x } = await opened.bind();
  await store.bindings.setRefused(consultation(1), { personId: person('pat'), since: NOW }, true);
  const next = await nextServer(opened);
  expect((await next.board(consultation(1), person('dora'))).bindings).toMatchObject([
    { state: 'unbound', unboundReason: 'refused' },
  ]);
  expect(provider.held.size).toBe(0);
  expect(await opened.dial('dora', x)).not.toMatchObject({ do: 'bridge' });
  await next.close();
});

test('[PHB91] a new number that a killed server wrote and no more is behind the relay number at the next one', async () => {
  await using opened = await openBindings();
  const { provider, store, bindings } = opened;
  const { bindingId, x } = await opened.bind();
  failOnce(store.bindings, 'openBindingsOf');
  await expect(bindings.setNumber(person('pat'), '13700000009')).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
  const next = await nextServer(opened);
  expect(provider.held.get(bindingId)).toMatchObject({ b: number('13700000009'), x });
  expect(await opened.dial('pat', x)).toMatchObject({ prompt: 'expired' });
  await next.close();
});

test('[PHB92] what fails halfway is looked at again by the same server, and again when that fails', async () => {
  await using opened = await openBindings();
  const { provider, store, bindings, visits, time } = opened;
  await opened.bind();
  await bindings.tick();
  failOnce(store.bindings, 'openBinding');
  const refused = bindings.setRefused(consultation(1), person('pat'), true);
  await expect(refused).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect(provider.held.size).toBe(1);
  failOnce(visits, 'view');
  await bindings.tick();
  expect(provider.held.size).toBe(1);
  await bindings.tick();
  time.now += 60_000;
  await bindings.tick();
  expect(provider.held.size).toBe(0);
});

test('[PHB92] a visit that cannot be read as the server starts is followed once it can', async () => {
  await using opened = await openBindings();
  const { provider, visits, time } = opened;
  await opened.bind();
  visits.end(1);
  await opened.bindings.close();
  const next = await PhoneBindings.open(opened.parts);
  failOnce(visits, 'view');
  await next.tick();
  expect(provider.held.size).toBe(1);
  time.now += 60_000;
  await next.tick();
  expect(provider.held.size).toBe(0);
  await next.close();
});

test('[PHB92] a visit whose number by rule could not be made as it began has it once it can', async () => {
  const rule = { direction: 'both', recorded: false } as const;
  await using opened = await openBindings({ settings: { rule } });
  const { bindings, store, visits } = opened;
  await bindings.tick();
  failOnce(store.bindings, 'createBinding');
  const begun = bindings.consultationChanged(visits.set(1, { dora: 'doctor', pat: 'patient' }));
  await expect(begun).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  await bindings.tick();
  expect((await opened.board()).bindings).toMatchObject([{ state: 'bound', createdBy: null }]);
});

test('[PHB93] a number that changes, and a doctor who follows, while a relay number is made are behind it', async () => {
  await using opened = await openBindings();
  const { provider, store, bindings, visits } = opened;
  const create = store.bindings.createBinding.bind(store.bindings);
  store.bindings.createBinding = async (binding) => {
    await bindings.setNumber(person('pat'), '13700000009');
    await bindings.consultationChanged(visits.set(1, HANDED_OVER));
    return create(binding);
  };
  const { bindingId, x } = await opened.bind();
  expect(provider.held.get(bindingId)).toMatchObject({ a: NUMBERS['dan'], b: number('13700000009') });
  expect(await opened.dial('dora', x)).not.toMatchObject({ do: 'bridge' });
  expect(await opened.dial('pat', x)).not.toMatchObject({ do: 'bridge' });
});

test('[PHB94] a change that is told late, after the next one, gives nobody a number back', async () => {
  await using opened = await openBindings();
  const { bindings, provider, visits } = opened;
  const { bindingId, x } = await opened.bind();
  const before = visits.views.get(consultation(1));
  if (before === undefined) throw new Error('no visit');
  await bindings.consultationChanged(visits.set(1, HANDED_OVER));
  await bindings.consultationChanged(before);
  expect(provider.held.get(bindingId)).toMatchObject({ a: NUMBERS['dan'] });
  expect(await opened.dial('dora', x)).toMatchObject({ prompt: 'expired' });
  // That it had ended before a follow-up began is no news of the follow-up.
  const over: ConsultationView = { ...before, phase: 'ended' };
  await bindings.consultationChanged(over);
  expect(bridged(await opened.dial('dan', x)).to).toBe(NUMBERS['pat']);
});

test('[PHB95] a question asked again and answered too late ends nothing that the first answer began', async () => {
  await using opened = await openBindings();
  const { bindings, visits, store } = opened;
  const { bindingId, x } = await opened.bind();
  const call = bridged(await opened.dial('dora', x, { callRef: 'call-1' }));
  const of = { provider: 'sip', callRef: 'call-1', bindingId, phoneCallId: call.phoneCallId, at: NOW };
  await bindings.event({ ...of, eventId: 'e1', what: { type: 'answered', caller: 'a' } });
  const gate = Promise.withResolvers<void>();
  const sealing = visits.sealing.bind(visits);
  visits.sealing = async (id) => {
    await gate.promise;
    return sealing(id);
  };
  expect(await opened.dial('dora', x, { callRef: 'call-1' })).toEqual({ do: 'reject', why: 'unavailable' });
  gate.resolve();
  // What was decided late has had its turn once another question is answered.
  expect(await opened.dial('dan', x)).toMatchObject({ why: 'stranger' });
  await bindings.tick();
  expect(await store.calls.call(call.phoneCallId)).toMatchObject({ state: 'talking', end: null });
});

test('[PHB96] news of somebody who takes part no more is passed over, and what comes after it is told', async () => {
  await using opened = await openBindings();
  const { bindings, visits, time } = opened;
  const tell = visits.tell.bind(visits);
  visits.tell = async (id, news, again) => {
    const { fact } = news;
    const isThere = (personId: string) =>
      visits.views.get(id)?.participants.some((one) => one.personId === personId) === true;
    if (fact.type === 'phone.refused' && !visits.failing && !isThere(fact.personId))
      throw new AppError('NOT_FOUND');
    return tell(id, news, again);
  };
  visits.set(1, { dora: 'doctor', pat: 'patient', dan: 'doctor' });
  visits.failing = true;
  const { bindingId } = await opened.bind();
  await bindings.setRefused(consultation(1), person('dan'), true);
  await bindings.unbind(consultation(1), person('dora'), bindingId);
  visits.set(1, { dora: 'doctor', pat: 'patient' });
  visits.failing = false;
  time.now += 600_000;
  await bindings.tick();
  expect(visits.facts(1)).toEqual(['bound', 'unbound']);
  expect((await bindings.figures()).pending.news).toBe(0);
});

test('[PHB97] after a clock was set back the calls of a relay that died are lost all the same', async () => {
  await using opened = await openBindings();
  const { x } = await opened.bind();
  bridged(await opened.dial('dora', x));
  opened.time.now -= 3_600_000;
  const next = await nextServer(opened);
  expect(await next.runningCalls('sip')).toEqual([]);
  expect(opened.visits.told.at(-1)?.fact).toMatchObject({
    type: 'phone.callEnded',
    reason: 'lost',
    talkMs: 0,
  });
  await next.close();
});

test('[PHB98] a number that is withdrawn while providers hang is answered for all visits of the person in seconds', async () => {
  const provider = new FakeProvider('sip', { endsCalls: false });
  await using opened = await openBindings({ provider });
  const { bindings, visits } = opened;
  visits.set(2, { dora: 'doctor', pia: 'patient' }, { phaseSince: NOW });
  visits.set(3, { dora: 'doctor', dan: 'patient' }, { phaseSince: NOW });
  for (const [by, visit] of [
    ['pat', 1],
    ['pia', 2],
    ['dan', 3],
  ] as const)
    await opened.bind(by, visit);
  provider.slow = new Promise(() => undefined);
  const began = performance.now();
  await bindings.setNumber(person('dora'), null);
  // One after the other they would take ten seconds each.
  expect(performance.now() - began).toBeLessThan(8_000);
  for (const visit of [1, 2, 3])
    expect((await opened.board('dora', visit)).bindings).toMatchObject([{ state: 'unbinding' }]);
});

test('[PHB103] a provider that hangs holds up no expiry and no lost call, and what it is asked is asked once at a time', async () => {
  await using opened = await openBindings();
  const { bindings, provider, store, time, visits } = opened;
  visits.set(2, { dan: 'doctor', pia: 'patient' }, { phaseSince: NOW - 3_600_000 });
  const { x } = await opened.bind();
  await opened.bind('dan', 2);
  bridged(await opened.dial('dora', x));
  await bindings.tick();
  const hangs = Promise.withResolvers<void>();
  provider.slow = hangs.promise;
  time.now += 23 * 3_600_000;
  const first = bindings.tick();
  await eventually('it is asked', () => provider.count('unbind') === 1);
  expect(await store.calls.countRunning()).toBe(0);
  time.now += 3_600_000;
  const second = bindings.tick();
  await eventually(
    'the other one ends',
    async () => (await store.bindings.openBinding(consultation(1))) === null,
  );
  expect(provider.count('unbind')).toBe(1);
  hangs.resolve();
  await Promise.all([first, second]);
  await bindings.tick();
  expect(provider.held.size).toBe(0);
});

test('[PHB106] news that cannot be taken off the list after it was told is told once, and holds up no other visit', async () => {
  await using opened = await openBindings();
  const { bindings, store, visits } = opened;
  visits.set(2, { dan: 'doctor', pia: 'patient' }, { phaseSince: NOW });
  const told = store.news.told.bind(store.news);
  let failures = 3;
  store.news.told = async (newsId) => {
    if (failures-- > 0) throw new AppError('STORAGE_UNAVAILABLE');
    return told(newsId);
  };
  await Promise.all([opened.bind('dora', 1), opened.bind('dan', 2)]);
  for (let tick = 0; tick < 4; tick += 1) await bindings.tick();
  expect([visits.facts(1), visits.facts(2)]).toEqual([['bound'], ['bound']]);
  expect((await bindings.figures()).pending.news).toBe(0);
});
