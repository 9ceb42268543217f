import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { answerTo, parseChallenge } from '../../../../server/telephony/sip/digest.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { endpoint, sdp } from './helpers/endpoints.ts';
import { answer, rawPeer } from './helpers/raw-peer.ts';

describe('[SIP14] digest answers', () => {
  // RFC 7616 §3.9.1.
  const example = {
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    credentials: { username: 'Mufasa', password: 'Circle of Life' },
  };
  test.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('[SIP14] the example of RFC 7616 with %s', (algorithm, response) => {
    const challenge = parseChallenge(
      `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="${example.nonce}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
    );
    if (challenge === null) throw new Error('no challenge');
    const value = answerTo(challenge, example.credentials, {
      method: 'GET',
      uri: '/dir/index.html',
      uses: 1,
      cnonce: example.cnonce,
    });
    expect(value).toContain(`response="${response}"`);
    expect(value).toContain('qop=auth, nc=00000001, ');
    expect(value).toContain('opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"');
    expect(value).not.toContain('Circle');
  });

  test('[SIP14] without qop it is the older sum (RFC 2069)', () => {
    const challenge = parseChallenge('Digest realm="r", nonce="n"');
    if (challenge === null) throw new Error('no challenge');
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    const value = answerTo(
      challenge,
      { username: 'u', password: 'p' },
      { method: 'INVITE', uri: 'sip:x', uses: 1 },
    );
    expect(value).toContain(`response="${md5(`${md5('u:r:p')}:n:${md5('INVITE:sip:x')}`)}"`);
    expect(value).not.toContain('qop');
  });

  test.each([
    'Basic realm="x"',
    'Digest realm="x"',
    'Digest realm="x", nonce="n", algorithm=SHA-512-256',
    'Digest realm="x", nonce="n", qop="auth-int"',
    'Digest realm="x',
  ])('[SIP14] %s is not answered', (value) => {
    expect(parseChallenge(value)).toBeNull();
  });
});

const auth = { username: 'clinic', password: 's3cret' };
const proxy = (nonce: string, more = '') =>
  `Proxy-Authenticate: Digest realm="trunk", nonce="${nonce}", qop="auth"${more}`;

test('[SIP15] a wrong password is tried once, a stale nonce is replaced, and the ACK carries what the INVITE did', async () => {
  await using us = await endpoint({ t1: 50 });
  await using trunk = await rawPeer();
  const via = { protocol: 'udp', address: trunk.address, port: trunk.port } as const;
  const options = {
    uri: `sip:1@${trunk.address}:${trunk.port}`,
    via,
    from: { uri: 'sip:x@clinic.example' },
    sdp: sdp(),
    auth,
  };

  const invites = () => trunk.received.filter((text) => text.startsWith('INVITE'));
  const distinct = () => [
    ...new Map(invites().map((text) => [/^CSeq: (.*)$/m.exec(text)?.[1], text])).values(),
  ];
  const wrong = us.sip.invite(options);
  trunk.send(
    answer(trunk, await trunk.next(/^INVITE/), '407 Who', { tag: 't', headers: [proxy('one')] }),
    us.sip,
  );
  const second = await eventually('the second INVITE', () => distinct()[1]);
  expect(second).toMatch(
    /^Proxy-Authorization: Digest username="clinic", realm="trunk", nonce="one".*nc=00000001/m,
  );
  trunk.send(answer(trunk, second, '407 Who', { tag: 't', headers: [proxy('two')] }), us.sip);
  expect(await wrong.outcome).toMatchObject({ type: 'refused', status: 407 });
  expect(distinct()).toHaveLength(2);

  trunk.received.length = 0;
  const stale = us.sip.invite(options);
  trunk.send(
    answer(trunk, await trunk.next(/^INVITE/), '407 Who', { tag: 't', headers: [proxy('three')] }),
    us.sip,
  );
  const again = await eventually('the second INVITE', () => distinct()[1]);
  trunk.send(answer(trunk, again, '407 Who', { tag: 't', headers: [proxy('four', ', stale=TRUE')] }), us.sip);
  const third = await eventually('the third INVITE', () => distinct()[2]);
  expect(third).toContain('nonce="four"');
  trunk.send(answer(trunk, third, '200 OK', { tag: 't2', body: sdp() }), us.sip);
  const outcome = await stale.outcome;
  if (outcome.type !== 'answered') throw new Error(outcome.type);
  const ack = await eventually('its ACK', () =>
    trunk.received.find((text) => /^ACK[\s\S]*tag=t2/.test(text)),
  );
  const authorization = (text: string) => /^Proxy-Authorization: (.*)$/m.exec(text)?.[1];
  expect(authorization(ack)).toBe(authorization(third));

  const over = outcome.dialog.bye();
  const bye = await trunk.next(/^BYE/);
  // What was learnt is used again, and counted.
  expect(authorization(bye)).toMatch(/nonce="four".*nc=00000002/);
  trunk.send(answer(trunk, bye, '407 Who', { headers: [proxy('five')] }), us.sip);
  const byeAgain = await eventually('the BYE again', () =>
    trunk.received.find((text) => /^BYE[\s\S]*nonce="five"/.test(text)),
  );
  trunk.send(answer(trunk, byeAgain, '200 OK'), us.sip);
  await over;
  expect(us.errors).toEqual([]);
});

test('[SIP15] a realm that is not ours gets nothing', async () => {
  await using us = await endpoint({ t1: 50 });
  await using trunk = await rawPeer();
  const via = { protocol: 'udp', address: trunk.address, port: trunk.port } as const;
  const call = us.sip.invite({
    uri: `sip:1@${trunk.address}`,
    via,
    from: { uri: 'sip:x@clinic.example' },
    sdp: sdp(),
    auth: { ...auth, realm: 'ours' },
  });
  trunk.send(
    answer(trunk, await trunk.next(/^INVITE/), '407 Who', { tag: 't', headers: [proxy('one')] }),
    us.sip,
  );
  expect(await call.outcome).toMatchObject({ type: 'refused', status: 407 });
  expect(trunk.received.some((text) => text.includes('Authorization'))).toBe(false);
});
