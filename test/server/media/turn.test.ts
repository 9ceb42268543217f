import { PersonId } from '@teleconsult/protocol';
import { TurnCredentials } from '@teleconsult/server/turn/turn-credentials';
import { describe, expect, test } from 'vitest';
import { coturnMissing, shippedConfiguration, startCoturn } from './coturn.ts';
import { type Credentials, TurnClient } from './turn-client.ts';

const SECRET = 'a secret that coturn and the server share';
const URLS = ['turn:turn.example.org:3478?transport=udp', 'turns:turn.example.org:5349?transport=tcp'];
const patient = PersonId.parse('patient-4711');
const doctor = PersonId.parse('doctor-1');

function credentialsAt(now: number, person = patient, secret = SECRET): Credentials {
  const turn = new TurnCredentials({ urls: URLS, secret, lifetimeMs: 3_600_000 }, () => now);
  const [server] = turn.forPerson(person);
  return { username: server?.username ?? '', credential: server?.credential ?? '' };
}

test('[TURN1] credentials are one server with all addresses, good for the set time', () => {
  const turn = new TurnCredentials({ urls: URLS, secret: SECRET, lifetimeMs: 90_000 }, () => 1_000_500);
  const servers = turn.forPerson(patient);
  expect(servers).toEqual([
    {
      urls: URLS,
      username: expect.stringMatching(/^1090:[A-Za-z0-9_-]{16}$/),
      credential: expect.stringMatching(/^[A-Za-z0-9+/]{27}=$/),
    },
  ]);
});

test('[TURN1] without servers there are no credentials, and without a secret no start', () => {
  const none = new TurnCredentials({ urls: [], secret: null, lifetimeMs: 1 }, Date.now);
  expect(none.forPerson(patient)).toEqual([]);
  expect(() => new TurnCredentials({ urls: URLS, secret: null, lifetimeMs: 1 }, Date.now)).toThrow();
});

test('[TURN2] the relay knows a person by a pseudonym: the same each time, another for each person and secret', () => {
  const of = ({ username }: Credentials): string => username.split(':')[1] ?? '';
  const name = of(credentialsAt(0));
  expect(of(credentialsAt(5_000_000))).toBe(name);
  expect(of(credentialsAt(0, doctor))).not.toBe(name);
  expect(of(credentialsAt(0, patient, 'another secret'))).not.toBe(name);
  for (const { username, credential } of [credentialsAt(0), credentialsAt(0, doctor)])
    expect(`${username} ${credential}`).not.toMatch(/patient|doctor|4711/);
});

test('[TURN5] the shipped configuration opens nothing by itself', async () => {
  const lines = (await shippedConfiguration()).split('\n').map((line) => line.trim());
  const set = new Set(lines.filter((line) => line !== '' && !line.startsWith('#')));
  for (const line of ['use-auth-secret', 'fingerprint', 'no-cli', 'no-multicast-peers', 'no-tcp-relay'])
    expect(set).toContain(line);
  // No user, no secret that everybody could read here, no address of somebody else's network, no loopback.
  const opening =
    /^(user=|lt-cred-mech|no-auth|static-auth-secret|allowed-peer-ip|allow-loopback|verbose|web-admin)/;
  expect([...set].filter((line) => opening.test(line))).toEqual([]);
});

describe.skipIf(coturnMissing !== null)(`with coturn${coturnMissing ? ` (${coturnMissing})` : ''}`, () => {
  test('[TURN3] coturn takes what was made for a person, and neither what expired nor what was forged', async () => {
    await using coturn = await startCoturn({ secret: SECRET });
    const server = { address: '127.0.0.1', port: coturn.port };
    const now = Date.now();
    const good = credentialsAt(now);
    const outcomes: Record<string, number> = {};
    const cases: Record<string, Credentials> = {
      good,
      expired: credentialsAt(now - 3_700_000),
      otherSecret: credentialsAt(now, patient, 'guessed'),
      // The expiry of the name is moved, the credential is of the former one.
      prolonged: { ...good, username: good.username.replace(/^\d+/, (at) => String(Number(at) + 60)) },
      otherPerson: { ...good, username: `${good.username.split(':')[0]}:AAAAAAAAAAAAAAAA` },
      empty: { username: '', credential: '' },
    };
    for (const [name, credentials] of Object.entries(cases)) {
      await using client = await TurnClient.open(server, credentials);
      outcomes[name] = await client.allocate();
    }
    expect(outcomes).toEqual({
      good: 0,
      expired: 401,
      otherSecret: 401,
      prolonged: 401,
      otherPerson: 401,
      empty: 401,
    });
  });

  test('[TURN4] the shipped relay talks to nobody but the media server', async () => {
    // coturn never relays to loopback unless it is told to; it is, so that its other rules are what is tested.
    await using coturn = await startCoturn({
      secret: SECRET,
      more: ['allow-loopback-peers', 'allowed-peer-ip=127.0.0.9'],
    });
    expect(await permitted(coturn.port, [...PRIVATE, ...PUBLIC, SFU])).toEqual([SFU]);
  });

  test('[TURN4] networks that are never the Internet stay closed to a relay that is shared', async () => {
    await using coturn = await startCoturn({
      secret: SECRET,
      more: ['allow-loopback-peers', 'allowed-peer-ip=127.0.0.9'],
      change: (shipped) => {
        const shared = shipped.replace(/^denied-peer-ip=(0\.0\.0\.0-255|::-ffff:ffff:).*$/gm, '');
        expect(shared.length).toBeLessThan(shipped.length);
        return shared;
      },
    });
    expect(await permitted(coturn.port, [...PRIVATE, SFU])).toEqual([SFU]);
    expect(await permitted(coturn.port, PUBLIC)).toEqual(PUBLIC);
  });

  test('[TURN4 sabotage] without the denied addresses a private peer is reached', async () => {
    await using coturn = await startCoturn({
      secret: SECRET,
      change: (shipped) => shipped.replace(/^denied-peer-ip=.*$/gm, ''),
    });
    expect(await permitted(coturn.port, ['10.0.0.1', '169.254.169.254'])).toEqual([
      '10.0.0.1',
      '169.254.169.254',
    ]);
  });

  test('[TURN6] one person holds so many transports and no more, whichever credential they use', async () => {
    await using coturn = await startCoturn({ secret: SECRET });
    const server = { address: '127.0.0.1', port: coturn.port };
    const quota = Number(/^user-quota=(\d+)$/m.exec(await shippedConfiguration())?.[1]);
    await using stack = new AsyncDisposableStack();
    const allocate = async (credentials: Credentials): Promise<number> =>
      stack.use(await TurnClient.open(server, credentials)).allocate();
    const now = Date.now();
    for (let held = 0; held < quota; held += 1)
      expect(await allocate(credentialsAt(now + held * 1_000))).toBe(0);
    expect(await allocate(credentialsAt(now + 500_000))).toBe(486);
    expect(await allocate(credentialsAt(now, doctor))).toBe(0);
  });

  test('[TURN9] what is relayed goes on after its credentials have expired, and nothing new begins with them', async () => {
    await using coturn = await startCoturn({ secret: SECRET, more: [`allowed-peer-ip=${FAR_SFU}`] });
    const server = { address: '127.0.0.1', port: coturn.port };
    // Made an hour ago, but for two seconds.
    const short = credentialsAt(Date.now() - 3_598_000);
    await using client = await TurnClient.open(server, short);
    expect(await client.allocate()).toBe(0);
    const again = async (): Promise<number> => {
      await using other = await TurnClient.open(server, short);
      return await other.allocate();
    };
    await expect.poll(again, { timeout: 10_000, interval: 200 }).toBe(401);
    expect(await client.permit(FAR_SFU)).toBe(0);
  });

  test('[TURN7] the relay writes down no address of a person', async () => {
    await using coturn = await startCoturn({ secret: SECRET });
    await using client = await TurnClient.open(
      { address: '127.0.0.1', port: coturn.port },
      credentialsAt(Date.now()),
      '127.0.0.83',
    );
    expect(await client.allocate()).toBe(0);
    expect(await client.permit('10.0.0.1')).toBe(403);
    expect(coturn.output()).not.toContain('127.0.0.83');
    expect(coturn.output()).not.toContain(credentialsAt(0).username.split(':')[1]);
  });
});

const SFU = '127.0.0.9';
/** Nobody is there: the relay is asked for a permission alone. */
const FAR_SFU = '203.0.113.20';
const PRIVATE = [
  '0.0.0.0',
  '0.0.0.1',
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.0.0.10',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.2.1',
  '192.168.1.1',
  '198.18.0.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:10.0.0.1',
  '::ffff:127.0.0.1',
  '64:ff9b::a00:1',
  '100::1',
  '2001:db8::1',
  '2002:a00:1::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'ff02::1',
];
const PUBLIC = ['8.8.8.8', '172.32.0.1', '2606:4700::1'];

/** Which of these peers a person with good credentials may send to. */
async function permitted(port: number, peers: readonly string[]): Promise<readonly string[]> {
  const server = { address: '127.0.0.1', port };
  const open: string[] = [];
  for (const family of ['ipv4', 'ipv6'] as const) {
    await using client = await TurnClient.open(server, credentialsAt(Date.now()));
    expect(await client.allocate(family)).toBe(0);
    for (const peer of peers.filter((one) => one.includes(':') === (family === 'ipv6'))) {
      const code = await client.permit(peer);
      expect([0, 403], peer).toContain(code);
      if (code === 0) open.push(peer);
    }
  }
  return open;
}
