import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { endpoint } from './helpers/endpoints.ts';
import { answer, rawPeer } from './helpers/raw-peer.ts';

const seqOf = (text: string): string => /^CSeq: (.*)\r$/m.exec(text)?.[1] ?? '';

test('[SIP48] a trunk is up while it answers anything but 408 and 503, and down when it does not; each is told once', async () => {
  await using us = await endpoint({ t1: 5 });
  await using trunk = await rawPeer();
  const states: string[] = [];
  const watch = us.sip.keepAlive({
    via: { protocol: 'udp', address: trunk.address, port: trunk.port },
    uri: `sip:${trunk.address}`,
    from: 'sip:clinic@clinic.example',
    intervalMs: 50,
    onState: (state) => states.push(state),
  });
  expect(watch.state).toBe('unknown');
  const seen = new Set<string>();
  const next = async (): Promise<string> => {
    const text = await eventually('an OPTIONS', () =>
      trunk.received.find((each) => each.startsWith('OPTIONS') && !seen.has(seqOf(each))),
    );
    seen.add(seqOf(text));
    return text;
  };
  for (const status of ['404 Who', '200 OK', '503 Busy', '200 OK'])
    trunk.send(answer(trunk, await next(), status, { tag: 't' }), us.sip);
  await eventually('it is up again', () => states.length === 3);
  expect(states).toEqual(['up', 'down', 'up']);
  await next();
  await eventually('silence is down', () => states.length === 4);
  expect(watch.state).toBe('down');
  watch.close();
  watch.close();
  await eventually('nothing is asked any more', () => us.sip.held.transactions === 0);
});

test('[SIP49] a registration answers the challenge, is renewed in time, takes a longer interval, and is taken back', async () => {
  await using us = await endpoint({ t1: 5 });
  await using trunk = await rawPeer();
  const states: string[] = [];
  const registration = us.sip.register({
    via: { protocol: 'udp', address: trunk.address, port: trunk.port },
    registrar: 'sip:carrier.example',
    address: 'sip:clinic@carrier.example',
    auth: { username: 'clinic', password: 's3cret' },
    expiresSeconds: 20,
    onState: (state) => states.push(state),
  });
  const seen = new Set<string>();
  const next = async (): Promise<string> => {
    const text = await eventually('a REGISTER', () =>
      trunk.received.find((each) => each.startsWith('REGISTER') && !seen.has(seqOf(each))),
    );
    seen.add(seqOf(text));
    return text;
  };
  const say = (to: string, status: string, headers: readonly string[] = []): void =>
    trunk.send(answer(trunk, to, status, { tag: 't', headers }).replace(/^Contact:.*\r\n/m, ''), us.sip);
  const first = await next();
  expect(first).toMatch(/^REGISTER sip:carrier\.example SIP\/2\.0\r\n/);
  say(first, '401 Who', [
    'WWW-Authenticate: Digest realm="carrier", nonce="n", algorithm=SHA-256, qop="auth"',
  ]);
  const second = await next();
  expect(second).toMatch(
    /^Authorization: Digest username="clinic", realm="carrier", nonce="n", uri="sip:carrier\.example".*SHA-256/m,
  );
  say(second, '423 Brief', ['Min-Expires: 40']);
  const third = await next();
  expect(third).toMatch(/^Expires: 40\r$/m);
  const from = performance.now();
  // The registrar grants less than was asked for: 20 s are 0.2 s here, renewed after 0.16 s.
  say(third, '200 OK', [
    `Contact: <sip:other@10.0.0.1>;expires=9, <sip:${us.sip.address}:${us.sip.port}>;expires=20`,
  ]);
  await eventually('it is registered', () => registration.state === 'up');
  const renewed = await next();
  expect(performance.now() - from).toBeGreaterThan(120);
  const callId = (text: string) => /^Call-ID: (.*)$/m.exec(text)?.[1];
  expect(callId(renewed)).toBe(callId(first));
  say(renewed, '200 OK', ['Expires: 4000']);
  await eventually('it is answered', () => us.sip.held.transactions === 0);
  const closed = registration.close();
  const last = await next();
  expect(last).toMatch(/^Expires: 0\r$/m);
  say(last, '200 OK');
  await closed;
  await registration.close();
  expect(states).toEqual(['up']);
});

test('[SIP49] a registration that is refused is down, and tried again later', async () => {
  await using us = await endpoint({ t1: 5 });
  await using trunk = await rawPeer();
  const registration = us.sip.register({
    via: { protocol: 'udp', address: trunk.address, port: trunk.port },
    registrar: 'sip:carrier.example',
    address: 'sip:clinic@carrier.example',
  });
  const first = await trunk.next(/^REGISTER/);
  trunk.send(answer(trunk, first, '403 No', { tag: 't' }), us.sip);
  await eventually('it is down', () => registration.state === 'down');
  const again = await eventually('the next try', () =>
    trunk.received.find((text) => seqOf(text) !== seqOf(first)),
  );
  trunk.send(answer(trunk, again, '200 OK', { tag: 't' }), us.sip);
  await eventually('it is up', () => registration.state === 'up');
});
