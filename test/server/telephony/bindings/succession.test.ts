import { expect, test } from 'vitest';
import { FakeProvider } from './fake-provider.ts';
import { consultation, person } from './fake-visits.ts';
import { bridged, NOW, NUMBERS, number, openBindings } from './opened.ts';

test('[PHB47] on hand-over X stays for the next doctor, and the former one reaches nobody by it', async () => {
  await using opened = await openBindings();
  const { bindings, visits, provider } = opened;
  const { bindingId, x } = await opened.bind();
  const call = bridged(await opened.dial('dora', x));
  expect(call.to).toBe(NUMBERS['pat']);
  await bindings.consultationChanged(visits.set(1, { dan: 'doctor', pat: 'patient' }));
  expect(provider.asked.slice(-2)).toMatchObject([
    { what: 'endCall', id: 'call-1', why: 'visit_ended' },
    { what: 'change', id: bindingId },
  ]);
  expect(provider.held.get(bindingId)).toMatchObject({ a: NUMBERS['dan'], b: NUMBERS['pat'], x });
  await bindings.event({
    eventId: 'e1',
    provider: 'sip',
    callRef: 'call-1',
    bindingId,
    phoneCallId: call.phoneCallId,
    at: NOW,
    what: { type: 'ended', caller: 'a', end: 'unbound', talkMs: 0 },
  });
  expect(await opened.dial('dora', x)).toMatchObject({ prompt: 'expired' });
  expect(bridged(await opened.dial('pat', x)).to).toBe(NUMBERS['dan']);
  expect((await opened.board('dan')).bindings).toMatchObject([{ number: x, people: ['dan', 'pat'] }]);
});

test('[PHB47] a hand-over to nobody, or to somebody without a number, gives the number back', async () => {
  await using opened = await openBindings();
  const { bindings, visits, provider } = opened;
  await opened.bind();
  await bindings.setNumber(person('dan'), null);
  await bindings.consultationChanged(visits.set(1, { dan: 'doctor', pat: 'patient' }));
  expect((await opened.board('pat')).bindings).toMatchObject([
    { state: 'unbound', unboundReason: 'released' },
  ]);
  expect(provider.held.size).toBe(0);
});

test('[PHB47] a hand-over waits for a provider that is down, and for the server after this one', async () => {
  await using opened = await openBindings();
  const { bindings, visits, provider, time } = opened;
  const { bindingId, x } = await opened.bind();
  provider.failing = 'unavailable';
  await bindings.consultationChanged(visits.set(1, { dan: 'doctor', pat: 'patient' }));
  expect((await bindings.figures()).pending.changing).toBe(1);
  expect(await opened.dial('dora', x)).toMatchObject({ prompt: 'expired' });
  provider.failing = null;
  time.now += 60_000;
  await bindings.tick();
  expect(provider.held.get(bindingId)?.a).toBe(NUMBERS['dan']);
  expect((await bindings.figures()).pending.changing).toBe(0);
});

test('[PHB48] a person’s new number takes the place of the former one; one that is withdrawn ends what it was for', async () => {
  await using opened = await openBindings();
  const { bindings, provider } = opened;
  const { bindingId, x } = await opened.bind();
  await bindings.setNumber(person('pat'), '13700000009');
  expect(provider.held.get(bindingId)).toMatchObject({ b: number('13700000009'), x });
  expect(await opened.dial('pat', x)).toMatchObject({ prompt: 'expired' });
  expect(bridged(await opened.dial('13700000009', x)).to).toBe(NUMBERS['dora']);
  await bindings.setNumber(person('pat'), null);
  expect((await opened.board()).bindings).toMatchObject([{ state: 'unbound', unboundReason: 'released' }]);
  expect((await opened.board()).reachable).toEqual(['dora']);
});

test('[PHB47] a provider that cannot change who is behind a number is told anew, and X stays', async () => {
  const provider = new FakeProvider('sip', { changes: new Set() });
  await using opened = await openBindings({ provider });
  const { bindings, visits } = opened;
  const { bindingId, x } = await opened.bind();
  await bindings.consultationChanged(visits.set(1, { dan: 'doctor', pat: 'patient' }));
  expect(provider.asked.map(({ what }) => what)).toEqual(['bind', 'unbind', 'bind']);
  expect(provider.held.get(bindingId)).toMatchObject({ a: NUMBERS['dan'], b: NUMBERS['pat'], x });
  expect((await opened.board('dan')).bindings).toMatchObject([{ state: 'bound', number: x }]);
});

test('[PHB47] a hand-over to somebody who does not want to be phoned ends the number', async () => {
  await using opened = await openBindings();
  const { bindings, visits, provider } = opened;
  visits.set(1, { dora: 'doctor', pat: 'patient', dan: 'doctor' });
  const { x } = await opened.bind();
  await bindings.setRefused(consultation(1), person('dan'), true);
  expect((await opened.board()).bindings).toMatchObject([{ state: 'bound', number: x }]);
  await bindings.consultationChanged(visits.set(1, { dan: 'doctor', pat: 'patient' }));
  expect((await opened.board('dan')).bindings).toMatchObject([
    { state: 'unbound', unboundReason: 'refused' },
  ]);
  expect(provider.count('change')).toBe(0);
});
