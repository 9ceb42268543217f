import type { PhoneMedia, PhoneSession, SessionOptions } from '@teleconsult/server/telephony/rtp/ports';
import { EitherMedia } from '@teleconsult/server/telephony/rtpengine/either-media';
import { writeLegSdp } from '@teleconsult/server/telephony/rtpengine/leg-sdp';
import { NgClient } from '@teleconsult/server/telephony/rtpengine/ng-client';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { toneOf } from '../rtp/telephone.ts';
import { QUICK, startAnchor, startAnchored, startAnchoredCall } from './anchored.ts';
import { type Daemon, rtpengineIsThere, SKIPPED, startDaemon } from './daemon.ts';
import { startNgProxy } from './ng-proxy.ts';

const HOST = '127.0.82.60';
const OPTIONS: SessionOptions = {
  address: { a: HOST, b: HOST },
  source: { a: 'signalled', b: 'signalled' },
  onEvent: () => undefined,
};

const callsIn = async ({ ng }: Pick<Daemon, 'ng'>): Promise<string[]> => {
  const client = await NgClient.connect(ng);
  try {
    const calls = (await client.ask('list', { limit: 100 })).get('calls');
    return Array.isArray(calls) ? calls.map(String) : [];
  } finally {
    client.close();
  }
};

describe.skipIf(!rtpengineIsThere)(`trouble with rtpengine${SKIPPED}`, () => {
  test('[RTE11] a daemon that dies ends its calls as failed, and when it is back calls go through it again', async () => {
    await using anchored = await startAnchored({ host: HOST });
    const { daemon, media, told } = anchored;
    await using one = await startAnchoredCall(media, HOST);
    const said = one.session.say('a', toneOf(700, 30_000));
    await daemon.kill();
    await eventually('it has failed', () => one.events.some(({ type }) => type === 'failed'));
    await said;
    await eventually('it is known to be away', () => !media.isUp, { withinMs: 20_000 });
    expect(media.sessions).toBe(0);
    await expect(media.open(OPTIONS)).rejects.toMatchObject({ reason: 'away' });
    await daemon.restart();
    await eventually('it is known to be back', () => media.isUp, { withinMs: 20_000 });
    await using two = await startAnchoredCall(media, HOST);
    await two.a.tone(two.to.a, { frequency: 440, frames: 5, everyMs: 5 });
    await eventually('they hear each other', () => two.b.arrived.length === 5);
    expect(one.events.filter(({ type }) => type === 'failed')).toHaveLength(1);
    await eventually('it was told', () => told.join() === 'true,false,true', { lastSeen: () => told });
  });

  test('[RTE12] a daemon that was started anew between two questions has forgotten the call, which has failed', async () => {
    await using anchored = await startAnchored({
      host: HOST,
      tuning: { ...QUICK, askAgainAfterMs: [500, 500, 1_000, 2_000, 4_000] },
    });
    const { daemon, media, told } = anchored;
    await using one = await startAnchoredCall(media, HOST);
    await daemon.kill();
    await daemon.restart();
    await eventually('it has failed', () => one.events.some(({ type }) => type === 'failed'), {
      withinMs: 20_000,
    });
    expect(told).toEqual([true]);
    expect(media.isUp).toBe(true);
  });

  test('[RTE12] a call in which nobody speaks is not forgotten by a daemon that closes such calls', async () => {
    await using daemon = await startDaemon(HOST, 2);
    const remindAfterMs = 500;
    const media = await startAnchor(daemon, { tuning: { ...QUICK, remindAfterMs } });
    try {
      await using one = await startAnchoredCall(media, HOST);
      await using held = await startAnchoredCall(media, HOST, { a: { direction: 'none' } });
      const { ports } = one.session;
      const startedAt = performance.now();
      await eventually('twice that time has passed', () => performance.now() - startedAt > 4_500);
      for (const each of [one, held]) expect(each.events.filter(({ type }) => type === 'failed')).toEqual([]);
      expect(one.session.ports).toEqual(ports);
      await one.a.tone(one.to.a, { frequency: 440, frames: 5, everyMs: 5 });
      await eventually('they hear each other', () => one.b.arrived.length === 5);
    } finally {
      await media.close();
    }
  });

  test('[RTE13] what an earlier process left in the daemon is ended at the next start, and calls of others are not', async () => {
    await using daemon = await startDaemon(HOST);
    const { digits, ng } = daemon;
    // A process that is killed says nothing more: its questions are lost from here on.
    await using proxy = await startNgProxy(HOST, ng);
    const killed = await startAnchor({ ng: { host: HOST, port: proxy.port }, digits }, { prefix: 'mine-' });
    for (const _ of [1, 2, 3]) await killed.open(OPTIONS);
    const theirs = await NgClient.connect(ng);
    const sdp = writeLegSdp({ host: HOST, port: 4_000, codec: 8, telephoneEvent: null }, HOST);
    await theirs.ask('offer', { 'call-id': 'of-somebody-else', 'from-tag': 'x', sdp });
    theirs.close();
    proxy.trouble = { question: () => false };
    await killed.close();
    expect(await callsIn(daemon)).toHaveLength(4);
    const media = await startAnchor(daemon, { prefix: 'mine-' });
    expect(media.isUp).toBe(true);
    expect(await callsIn(daemon)).toEqual(['of-somebody-else']);
    await media.open(OPTIONS);
    await media.close();
    expect(await callsIn(daemon)).toEqual(['of-somebody-else']);
  });

  test('[RTE14] questions and answers that are lost, doubled, late or forged change nothing of a call', async () => {
    await using daemon = await startDaemon(HOST);
    await using proxy = await startNgProxy(HOST, daemon.ng);
    const late: Buffer[] = [];
    proxy.trouble = {
      question: (index) => index % 3 !== 1,
      answer: (index) => index % 4 !== 2,
      also: (answer) => {
        late.push(answer);
        const cookie = answer.subarray(0, answer.indexOf(0x20) + 1);
        const forged = Buffer.from('nobody_1 d6:result5:errore');
        return [forged, Buffer.concat([cookie, Buffer.from('d6:res')]), ...late.slice(-4, -1)];
      },
    };
    // So often that chance does not lose all of them.
    const tuning = { ...QUICK, askAgainAfterMs: [100, 100, 100, 200, 200, 200, 400, 400, 400] };
    const media = await startAnchor({ ...daemon, ng: { host: HOST, port: proxy.port } }, { tuning });
    try {
      await using one = await startAnchoredCall(media, HOST);
      await one.session.say('a', toneOf(700, 200));
      one.session.bridge(false);
      one.session.bridge(true);
      await one.session.statistics();
      await one.b.tone(one.to.b, { frequency: 1_000, frames: 5, everyMs: 5 });
      await eventually('they hear each other', () => one.a.arrived.length === 15, {
        lastSeen: () => one.a.arrived.length,
      });
      expect(one.events.filter(({ type }) => type === 'failed')).toEqual([]);
      // Asked twice is done once: the daemon has one call, and the announcement was heard once.
      expect(await callsIn(daemon)).toHaveLength(1);
      one.session.close();
      await one.session.statistics();
      expect(await callsIn(daemon)).toEqual([]);
    } finally {
      await media.close();
    }
  });

  test('[RTE14] nothing that the daemon is told names anybody: no number, and no word of a telephone', async () => {
    await using daemon = await startDaemon(HOST);
    await using proxy = await startNgProxy(HOST, daemon.ng);
    const media = await startAnchor({ ...daemon, ng: { host: HOST, port: proxy.port } });
    try {
      await using one = await startAnchoredCall(media, HOST);
      await one.session.statistics();
      const told = proxy.questions.map((question) => question.toString('latin1'));
      expect(told.length).toBeGreaterThan(6);
      // Own ids are hexadecimal and may hold digits in a row; what else is written holds no eleven of them.
      const rest = told.map((text) => text.replaceAll(/call-of-a-test-[0-9a-f]{24}|^[0-9a-f]{12}_\d+/g, ''));
      expect(rest.filter((text) => /\d{11}/.test(text))).toEqual([]);
    } finally {
      await media.close();
    }
  });

  test('[RTE14] a daemon that does not answer for a call ends it within seconds', async () => {
    await using daemon = await startDaemon(HOST);
    await using proxy = await startNgProxy(HOST, daemon.ng);
    const media = await startAnchor({ ...daemon, ng: { host: HOST, port: proxy.port } });
    try {
      await using one = await startAnchoredCall(media, HOST);
      proxy.trouble = { question: (_, datagram) => datagram.includes('4:ping') };
      one.session.setRemote('a', one.a.remote({ codec: 0 }));
      await eventually('it has failed', () => one.events.some(({ type }) => type === 'failed'), {
        withinMs: 20_000,
      });
      proxy.trouble = {};
      expect(media.isUp).toBe(true);
    } finally {
      await media.close();
    }
  });

  test('[RTE19] a daemon that listens on another address than the telephones are told is not used', async () => {
    await using anchored = await startAnchored({ host: HOST });
    const elsewhere = { ...OPTIONS, address: { a: '127.0.82.61', b: '127.0.82.61' } };
    await expect(anchored.media.open(elsewhere)).rejects.toThrow('another address');
    await expect(anchored.media.open({ ...OPTIONS, source: { a: 'first', b: 'signalled' } })).rejects.toThrow(
      'signalled',
    );
    expect(anchored.media.sessions).toBe(0);
    await eventually(
      'nothing is left in the daemon',
      async () => (await callsIn(anchored.daemon)).length === 0,
    );
  });
});

test('[RTE11] a daemon that is not there at the start is no reason not to start, and takes no call', async () => {
  const nobody = { ng: { host: '127.0.82.62', port: 9 }, digits: { host: '127.0.82.62', port: 0 } };
  const media = await startAnchor(nobody, { tuning: { ...QUICK, askAgainAfterMs: [50, 50] } });
  expect(media.isUp).toBe(false);
  await expect(media.open(OPTIONS)).rejects.toMatchObject({ reason: 'away' });
  await media.close();
  await media.close();
  await expect(media.open(OPTIONS)).rejects.toMatchObject({ reason: 'away' });
});

test('[RTE16] a plain call is carried by the anchor, and any other, or with no anchor, by our own thread', async () => {
  const opened: string[] = [];
  const refused: unknown[] = [];
  const media = (name: string, fails = false): PhoneMedia => ({
    sessions: 1,
    open: async () => {
      opened.push(name);
      if (fails) throw new Error('no port');
      return SESSION;
    },
    close: async () => undefined,
  });
  const either = (isUp: boolean, fails = false): EitherMedia =>
    new EitherMedia({
      anchor: Object.assign(media('anchor', fails), { isUp }),
      own: media('own'),
      onRefused: (error) => refused.push(error),
    });
  await either(true).open({ ...OPTIONS, isPlain: true });
  await either(true).open({ ...OPTIONS, isPlain: false });
  await either(true).open(OPTIONS);
  await either(false).open({ ...OPTIONS, isPlain: true });
  expect(opened).toEqual(['anchor', 'own', 'own', 'own']);
  expect(refused).toEqual([]);
  await either(true, true).open({ ...OPTIONS, isPlain: true });
  expect(opened.slice(4)).toEqual(['anchor', 'own']);
  expect(refused).toHaveLength(1);
  expect(either(true).sessions).toBe(2);
});

const SESSION: PhoneSession = {
  ports: { a: 2, b: 4 },
  ssrc: { a: 1, b: 2 },
  setRemote: () => undefined,
  bridge: () => undefined,
  say: async () => undefined,
  record: () => undefined,
  statistics: async () => ({ a: NOTHING, b: NOTHING }),
  close: () => undefined,
};
const NOTHING = { packetsIn: 0, packetsOut: 0, dropped: 0, lost: 0 };
