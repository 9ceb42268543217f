import { beijingTime, momentOfReport } from '@teleconsult/server/telephony/alibaba/beijing-time';
import { domesticNumber, numberOfReport } from '@teleconsult/server/telephony/alibaba/domestic-number';
import { reasonOf, shownCode } from '@teleconsult/server/telephony/alibaba/error-codes';
import { eventOf, Report, recordingOf, recordingRefOf } from '@teleconsult/server/telephony/alibaba/reports';
import {
  canonicalQuery,
  percentEncoded,
  rpcSignature,
} from '@teleconsult/server/telephony/alibaba/rpc-signature';
import { checkAlibabaSettings } from '@teleconsult/server/telephony/alibaba/settings';
import { describe, expect, test } from 'vitest';
import { alibabaSettings } from '../../../contract/relay.alibaba.fixture.ts';
import { number } from '../../../contract/relay.under-test.ts';
import { beijing } from './alibaba-stand-in.ts';

describe('the signature of a request', () => {
  /** The example of Alibaba's documentation of RPC signatures: ECS DescribeRegions, secret `testsecret`. */
  test('[ALI1] is the one of the documentation for its example', () => {
    const parameters = {
      Timestamp: '2016-02-23T12:46:24Z',
      Format: 'XML',
      AccessKeyId: 'testid',
      Action: 'DescribeRegions',
      SignatureMethod: 'HMAC-SHA1',
      SignatureNonce: '3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf',
      Version: '2014-05-26',
      SignatureVersion: '1.0',
    };
    expect(rpcSignature('GET', parameters, 'testsecret')).toBe('OLeaidS1JvxuMvnyHOwuJ+uX5qY=');
    expect(rpcSignature('POST', parameters, 'testsecret')).not.toBe('OLeaidS1JvxuMvnyHOwuJ+uX5qY=');
  });

  test('[ALI2] encodes all but letters, digits and -_.~', () => {
    expect(percentEncoded("aZ09-_.~ *+!'()/:&=%中")).toBe(
      'aZ09-_.~%20%2A%2B%21%27%28%29%2F%3A%26%3D%25%E4%B8%AD',
    );
    expect(canonicalQuery({ b: '2 ', B: '1', a: '' })).toBe('B=1&a=&b=2%20');
  });
});

describe('moments and numbers', () => {
  test.each([
    0,
    1,
    951_782_399_000,
    Date.UTC(2026, 11, 31, 15, 59, 59),
    Date.UTC(2026, 11, 31, 16),
    Date.UTC(2028, 1, 29),
  ])('[ALI3] %i is written and read in Beijing time', (at) => {
    const second = Math.floor(at / 1_000) * 1_000;
    if (second > Date.UTC(1992, 0)) expect(beijingTime(at)).toBe(beijing(second));
    expect(momentOfReport(beijingTime(at))).toBe(second);
  });

  test('[ALI3] milliseconds are moments, too, and other things are none', () => {
    expect([momentOfReport(1_629_893_489_000), momentOfReport('1629893489000')]).toEqual([
      1_629_893_489_000, 1_629_893_489_000,
    ]);
    for (const odd of [null, undefined, '', '2026-13-01 00:00:00', '2026-01-01', 'tomorrow', Number.NaN, 12])
      expect(momentOfReport(odd)).toBeNull();
  });

  test('[ALI4] numbers are written as within the country, and numbers of elsewhere are none of this service', () => {
    expect(domesticNumber(number('+8613800001111'))).toBe('13800001111');
    expect(domesticNumber(number('+8657188992688'))).toBe('057188992688');
    expect(domesticNumber(number('+861088992688'))).toBe('01088992688');
    for (const elsewhere of ['+14158675309', '+85298765432', '+861380000111122'])
      expect(domesticNumber(number(elsewhere))).toBeNull();
    for (const text of ['13800001111', '8613800001111', '+8613800001111', '008613800001111'])
      expect(numberOfReport(text)).toBe('+8613800001111');
    expect(numberOfReport('057188992688')).toBe('+8657188992688');
    for (const odd of ['', '138****1111', '10086', 'x', '1380000111', '95588'])
      expect(numberOfReport(odd)).toBeNull();
  });
});

test.each([
  ['isv.NO_AVAILABLE_NUMBER', 'no_number'],
  ['isv.BIND_CONFLICT', 'no_number'],
  ['isv.FLOW_LIMIT', 'unavailable'],
  ['isp.SYSTEM_ERROR', 'unavailable'],
  ['Throttling.User', 'unavailable'],
  ['ServiceUnavailable', 'unavailable'],
  ['isv.SUBS_NOT_EXIST', 'not_found'],
  ['isv.ACCOUNT_NOT_EXISTS', 'refused'],
  ['isv.PARTNER_NOT_EXIST', 'refused'],
  ['SignatureDoesNotMatch', 'refused'],
  ['isv.MOBILE_NUMBER_ILLEGAL', 'refused'],
  ['isv.SOMETHING_NEW', 'refused'],
])('[ALI5] the code %s is %s', (code, reason) => {
  expect(reasonOf(code)).toBe(reason);
});

test('[ALI5] a code that could be anything is not shown', () => {
  expect(shownCode('isv.BIND_CONFLICT')).toBe('isv.BIND_CONFLICT');
  expect(shownCode('13800001111')).toBe('an unknown code');
});

describe('reports', () => {
  const report = (change: object) =>
    Report.parse({
      call_id: 'call-000001',
      call_time: '2026-11-22 16:00:00',
      start_time: '2026-11-22 16:00:20',
      release_time: '2026-11-22 16:00:20',
      ...change,
    });
  const at = { caller: 'a', now: 1 } as const;

  test.each([
    [{ release_cause: 17 }, 'busy'],
    [{ release_cause: 18 }, 'no_answer'],
    [{ release_cause: 19 }, 'no_answer'],
    [{ release_cause: 20 }, 'no_answer'],
    [{ release_cause: 21 }, 'declined'],
    [{ release_cause: 16, release_dir: 1 }, 'cancelled'],
    [{ release_cause: 31, release_dir: 2 }, 'declined'],
    [{ release_cause: 31, release_dir: 0 }, 'failed'],
    [{ release_cause: 127, release_dir: 1 }, 'cancelled'],
    [{ release_cause: 1 }, 'failed'],
    [{}, 'failed'],
    [{ release_cause: 17, release_time: '2026-11-22 16:01:20' }, 'completed'],
  ])('[ALI6] a call that ended with %j has %s', (change, end) => {
    const told = eventOf('end', report(change), at);
    expect(told?.what).toEqual({ type: 'ended', caller: 'a', end, talkMs: end === 'completed' ? 60_000 : 0 });
    expect(told?.at).toBe(Date.UTC(2026, 10, 22, 8, end === 'completed' ? 1 : 0, 20));
  });

  test.each([
    [{ unconnected_cause: 1 }, 'refused'],
    [{ unconnected_cause: 2 }, 'stranger'],
    [{ unconnected_cause: '3' }, 'direction'],
    [{ call_type: 4, unconnected_cause: 4 }, 'unavailable'],
  ])('[ALI6] a call that was not put through, with %j, was blocked: %s', (change, why) => {
    for (const kind of ['start', 'end'] as const)
      expect(eventOf(kind, report(change), at)?.what).toEqual({ type: 'blocked', why });
  });

  test('[ALI7] the name of a recording holds what asking for it needs, and nothing else is one', () => {
    const ref = recordingRefOf('43612633712c', 1_629_893_489_000);
    expect(recordingOf(ref)).toEqual({ callId: '43612633712c', callAt: 1_629_893_489_000 });
    for (const odd of ['', '1.x', '43612633712c', `${ref}/..`, `${ref}&x=1`])
      expect(recordingOf(odd)).toBeNull();
  });

  test('[ALI8] a report whose call is named by a number of somebody is none', () => {
    const odd = { call_id: 'x-13800001111-x', phone_no: '13800001111' };
    expect(Report.safeParse(odd).success).toBe(false);
    expect(Report.safeParse({ ...odd, call_id: 'x-opaque-x' }).success).toBe(true);
  });
});

test.each([
  [{ accessKeyId: '' }, /access key/],
  [{ poolKey: 'FC 1' }, /pool key/],
  [{ endpoint: 'http://dyplsapi.aliyuncs.com' }, /endpoint/],
  [{ reportSecret: 'guessable' }, /secret of the Alibaba reports/],
  [{ reportSources: [] }, /Nowhere/],
  [{ reportSources: ['example.com'] }, /Neither an address/],
  [{ recordingHosts: ['https://x'] }, /host of Alibaba recordings/],
])('[ALI9] a setting that cannot be right is named at the start: %j', (change, message) => {
  expect(() =>
    checkAlibabaSettings({ ...alibabaSettings('https://dyplsapi.aliyuncs.com'), ...change }),
  ).toThrow(message);
});
