import { readConfig } from '@teleconsult/server/config';
import { DEFAULT_PHONE_SETTINGS } from '@teleconsult/server/telephony/bindings/settings';
import { expect, test } from 'vitest';

const named = (settings: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [`TELECONSULT_${name}`, value]));
const read = (settings: Readonly<Record<string, string>>) => readConfig(named(settings)).phone;
const refusalOf = (settings: Readonly<Record<string, string>>): string => {
  try {
    read(settings);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'accepted';
};

const EMBEDDED = {
  PHONE_PROVIDER: 'embedded',
  PHONE_NUMBERS: '+8617000003333, +8617000004444',
  SIP_TRUNK_HOST: 'trunk.example.org',
  SIP_TRUNK_SOURCES: '203.0.113.0/24,198.51.100.7',
};
const TWILIO = {
  PHONE_PROVIDER: 'twilio',
  PHONE_NUMBERS: '+14155550100',
  PHONE_DESTINATIONS: '+1,+86',
  PHONE_PUBLIC_URL: 'https://clinic.example.org',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'canary-of-a-token-0123456789',
};
const ALIBABA = {
  PHONE_PROVIDER: 'alibaba',
  ALIBABA_KEY_ID: 'canary-key-id',
  ALIBABA_KEY_SECRET: 'canary-key-secret',
  ALIBABA_POOL_KEY: 'FC100000000000000',
  ALIBABA_REPORT_SECRET: 'canary_0123456789_0123456789_012345',
  ALIBABA_REPORT_SOURCES: '203.0.113.0/24',
};

test('[PHN50] with nothing set there are no masked calls', () => {
  expect(read({})).toBeNull();
  expect(read({ PHONE_LABEL: 'Clinic' })).toBeNull();
});

test('[PHN51] the embedded relay is set with its numbers, its trunk and whom it listens to', () => {
  const phone = read({
    ...EMBEDDED,
    SIP_USER: 'user',
    SIP_PASSWORD: 'password',
    PHONE_AUTO_BIND: 'doctor_calls',
    PHONE_RECORD: 'always',
    PHONE_PERSON_MINUTES: '7',
  });
  expect(phone).toMatchObject({
    recording: 'always',
    settings: {
      relays: { embedded: ['+8617000003333', '+8617000004444'] },
      defaultRegion: 'CN',
      rule: { direction: 'doctor_calls', recorded: true },
      limits: {
        ...DEFAULT_PHONE_SETTINGS.limits,
        person: { calls: DEFAULT_PHONE_SETTINGS.limits.person.calls, talkMs: 7 * 60_000 },
      },
    },
    provider: {
      name: 'embedded',
      trunk: {
        listen: { host: '127.0.0.1', port: 5060 },
        trunk: { host: 'trunk.example.org', port: 5060, transport: 'udp' },
        sources: ['203.0.113.0/24', '198.51.100.7'],
        credentials: { user: 'user', password: 'password' },
      },
    },
  });
});

test('[PHN51] with nothing but what is required the limits and times are the documented ones', () => {
  expect(read(EMBEDDED)?.settings).toEqual({
    ...DEFAULT_PHONE_SETTINGS,
    relays: { embedded: ['+8617000003333', '+8617000004444'] },
  });
  expect(read(TWILIO)).toMatchObject({ recording: 'off', provider: { name: 'twilio' } });
  expect(read(TWILIO)).toMatchObject({ provider: { twilio: { prompts: { kind: 'say' } } } });
  const base = 'https://clinic.example.org/prompts';
  expect(read({ ...TWILIO, TWILIO_PROMPTS: base })).toMatchObject({
    provider: { twilio: { prompts: { kind: 'play', base } } },
  });
  expect(read(ALIBABA)).toMatchObject({ provider: { name: 'alibaba', alibaba: { chooses: 'provider' } } });
});

test.each([
  ...Object.keys(EMBEDDED).map((name) => [EMBEDDED, name] as const),
  ...Object.keys(TWILIO)
    .filter((name) => name !== 'PHONE_DESTINATIONS')
    .map((name) => [TWILIO, name] as const),
  ...Object.keys(ALIBABA).map((name) => [ALIBABA, name] as const),
])('[PHN52] %o without %s does not start', (settings, name) => {
  const { [name]: _left, ...rest } = settings as Record<string, string>;
  if (name === 'PHONE_PROVIDER') return expect(read(rest)).toBeNull();
  expect(refusalOf(rest)).toContain(`TELECONSULT_${name} is required`);
  return expect(refusalOf(rest)).not.toContain('canary');
});

test.each([
  ['PHONE_PROVIDER', 'vonage'],
  ['PHONE_REGION', 'XX'],
  ['PHONE_NUMBERS', '17000003333'],
  ['PHONE_NUMBERS', '+86canary'],
  ['PHONE_LANGUAGE', 'de'],
  ['PHONE_AUTO_BIND', 'true'],
  ['PHONE_RECORD', 'secretly'],
  ['PHONE_DESTINATIONS', '86'],
  ['PHONE_DESTINATIONS', '+'],
  ['PHONE_PERSON_CALLS', '0'],
  ['PHONE_RING_MS', '-1'],
  ['PHONE_LABEL', 'x'.repeat(81)],
  ['SIP_TRUNK_SOURCES', 'trunk.example.org'],
  ['SIP_TRUNK_SOURCES', '203.0.113.0/33'],
  ['SIP_LISTEN_PORT', '0'],
  ['SIP_TRUNK_TRANSPORT', 'carrier pigeon'],
  ['RTP_FIRST_PORT', '65536'],
  ['SIP_USER', ' '],
])('[PHN53] %s=%s is refused by name, never by value', (name, value) => {
  const refusal = refusalOf({ ...EMBEDDED, [name]: value });
  expect(refusal).toMatch(new RegExp(`^Configuration: TELECONSULT_${name} `));
  expect(refusal).not.toContain('canary');
});

test('[PHN54] what only half is there, or cannot be, does not start', () => {
  expect(refusalOf({ ...EMBEDDED, SIP_USER: 'user' })).toContain('TELECONSULT_SIP_PASSWORD is required');
  expect(refusalOf({ ...EMBEDDED, RTP_FIRST_PORT: '40000', RTP_LAST_PORT: '40002' })).toContain(
    'RTP_LAST_PORT',
  );
  expect(refusalOf({ ...TWILIO, TWILIO_KEY_SID: 'SK1' })).toContain(
    'TELECONSULT_TWILIO_KEY_SECRET is required',
  );
  expect(refusalOf({ ...TWILIO, TWILIO_ACCOUNT_SID: 'canary' })).toMatch(/^Configuration: .*account SID/);
  expect(refusalOf({ ...ALIBABA, ALIBABA_REPORT_SECRET: 'canary' })).toMatch(/^Configuration: .*secret/);
  for (const wrong of [
    { ...TWILIO, PHONE_PUBLIC_URL: 'http://clinic.example.org' },
    { ...ALIBABA, ALIBABA_ENDPOINT: 'http://canary.example.org' },
  ])
    expect(refusalOf(wrong)).toMatch(/^Configuration: .*https/);
  expect(refusalOf({ ...TWILIO, TWILIO_ACCOUNT_SID: 'canary' })).not.toContain('canary');
});

test('[PHD43] a call that may last less than a minute is begun for less than a minute', () => {
  const shortest = (text: string) => read({ ...EMBEDDED, PHONE_MAX_TALK_MS: text })?.settings.limits;
  expect(shortest('30000')).toMatchObject({ shortestTalkMs: 30_000 });
  expect(shortest('90000')).toMatchObject({ shortestTalkMs: 60_000 });
});

test('[PHD44] where all calls are to be recorded and the provider can tell nobody so, it does not start', () => {
  const always = { ...ALIBABA, PHONE_RECORD: 'always' };
  expect(refusalOf(always)).toContain('ALIBABA_RING_CONFIG is required with PHONE_RECORD=always');
  expect(refusalOf({ ...always, ALIBABA_RING_CONFIG: 'ring' })).toBe('accepted');
  expect(refusalOf({ ...ALIBABA, PHONE_RECORD: 'ask' })).toBe('accepted');
});
