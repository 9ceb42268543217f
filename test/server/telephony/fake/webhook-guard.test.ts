import {
  AddressList,
  Suspicions,
  sameText,
  TooLate,
  within,
} from '@teleconsult/server/telephony/webhook-guard';
import { expect, test } from 'vitest';
import { WrittenLog } from '../../../contract/relay.under-test.ts';

test('[REL22] an address list knows addresses, networks and IPv4 in IPv6, and nothing that is no address', () => {
  const list = new AddressList(['203.0.113.0/24', '198.51.100.7', '2001:db8::/32']);
  for (const one of ['203.0.113.1', '::ffff:203.0.113.255', '198.51.100.7', '2001:db8::1', '2001:DB8:ffff::'])
    expect(list.has(one)).toBe(true);
  for (const one of [
    '203.0.114.1',
    '198.51.100.8',
    '2001:db9::1',
    '',
    'localhost',
    '203.0.113.1 ',
    '::ffff:x',
  ])
    expect(list.has(one)).toBe(false);
  for (const odd of ['', 'host', '1.2.3.4/33', '1.2.3.4/', '1.2.3.4/8/8', '::1/129', '1.2.3/8'])
    expect(() => new AddressList([odd])).toThrow('Neither');
  expect(new AddressList([]).has('127.0.0.1')).toBe(false);
});

test('[REL23] reports that are not believed are counted one by one, and told of once a window', () => {
  let now = 1_000;
  const log = new WrittenLog();
  const suspicions = new Suspicions({ provider: 'twilio', log, clock: () => now });
  for (let count = 0; count < 1_000; count += 1) suspicions.add('signature');
  expect(log.text.split('\n')).toHaveLength(1);
  now += 60_000;
  suspicions.add('source');
  expect(log.text.split('\n')).toHaveLength(2);
  expect(log.text).toContain('count: 1000');
  expect([suspicions.count('signature'), suspicions.count('source'), suspicions.count('method')]).toEqual([
    1_000, 1, 0,
  ]);
});

test('[REL24] what takes too long is late, and what is in time is what it is', async () => {
  await expect(within(5, new Promise(() => undefined))).rejects.toBeInstanceOf(TooLate);
  expect(await within(1_000, Promise.resolve(7))).toBe(7);
  await expect(within(1_000, Promise.reject(new Error('its own')))).rejects.toThrow('its own');
});

test('[REL25] texts are the same or not, whatever their lengths', () => {
  expect([
    sameText('', ''),
    sameText('a', 'a'),
    sameText('a', 'b'),
    sameText('a', 'aa'),
    sameText('', 'a'),
  ]).toEqual([true, true, false, false, false]);
});
