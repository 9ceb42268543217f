import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { found, needlesOf } from '../embedded/needles.ts';
import { FRAME, levelOf, rtp, soundOf, Telephone, toneOf } from '../rtp/telephone.ts';
import { type Anchored, startAnchored, startAnchoredCall } from './anchored.ts';
import { rtpengineIsThere, SKIPPED } from './daemon.ts';

const HOST = '127.0.82.50';
const FRAMES = 40;

describe.skipIf(!rtpengineIsThere)(`sound through rtpengine${SKIPPED}`, () => {
  let anchored: Anchored;
  beforeAll(async () => {
    anchored = await startAnchored({ host: HOST });
  });
  afterAll(async () => {
    await anchored?.[Symbol.asyncDispose]();
  });
  const call = (options: Parameters<typeof startAnchoredCall>[2] = {}) =>
    startAnchoredCall(anchored.media, HOST, options);
  const talk = async (one: Awaited<ReturnType<typeof call>>, frames = FRAMES) => {
    await Promise.all([
      one.a.tone(one.to.a, { frequency: 440, frames, everyMs: 5 }),
      one.b.tone(one.to.b, { frequency: 1_000, frames, everyMs: 5 }),
    ]);
  };

  test('[RTE4] a tone of each telephone is heard by the other, sample by sample, and none of its own', async () => {
    await using one = await call();
    await talk(one);
    const heard = () => [one.a.arrived.length, one.b.arrived.length];
    await eventually('all packets have come', () => heard().every((count) => count === FRAMES), {
      lastSeen: heard,
    });
    expect(levelOf(440, soundOf(one.b.arrived))).toBeCloseTo(1, 1);
    expect(levelOf(1_000, soundOf(one.a.arrived))).toBeCloseTo(1, 1);
    expect(levelOf(440, soundOf(one.a.arrived))).toBeLessThan(0.01);
    const { a, b } = await one.session.statistics();
    for (const leg of [a, b])
      expect(leg).toMatchObject({ packetsIn: FRAMES, packetsOut: FRAMES, dropped: 0 });
    expect(one.events.filter(({ type }) => type === 'firstPacket')).toHaveLength(2);
  });

  test('[RTE4] PCMA and PCMU telephones hear each other', async () => {
    await using one = await call({ b: { codec: 0 } });
    await Promise.all([
      one.a.tone(one.to.a, { frequency: 440, frames: FRAMES, everyMs: 5 }),
      one.b.tone(one.to.b, { frequency: 1_000, frames: FRAMES, law: 0, everyMs: 5 }),
    ]);
    await eventually(
      'all packets have come',
      () => one.a.arrived.length + one.b.arrived.length === 2 * FRAMES,
    );
    expect(new Set(one.b.arrived.map(({ packet }) => packet.payloadType))).toEqual(new Set([0]));
    expect(new Set(one.a.arrived.map(({ packet }) => packet.payloadType))).toEqual(new Set([8]));
    expect(levelOf(440, soundOf(one.b.arrived), 0)).toBeCloseTo(1, 1);
    expect(levelOf(1_000, soundOf(one.a.arrived), 8)).toBeCloseTo(1, 1);
  });

  test('[RTE5] nothing that leaves holds the other’s number, name or address: extension, padding, unknown types, keys, RTCP', async () => {
    await using one = await call();
    const secrets = {
      a: { digits: '13800001111', host: '127.0.61.1', word: 'canary-of-ann' },
      b: { digits: '13900002222', host: '127.0.61.2', word: 'canary-of-bob' },
    };
    const wayOf = { a: one.to.a, b: one.to.b };
    for (const name of ['a', 'b'] as const) {
      const { digits, host, word } = secrets[name];
      const canary = Buffer.from(`${digits} ${word}@${host}`);
      const phone = one[name];
      const to = wayOf[name];
      const description = sourceDescription(phone.ssrc, canary);
      for (let frame = 0; frame < FRAMES; frame += 1) {
        phone.frame(to, { payload: phone.toneFrame(440, 8), trimmings: canary });
        // Types that nobody negotiated, whose payload is the canary: also as long as a frame of the codec they are taken for.
        for (const length of [canary.length, 33, 66, 160])
          phone.frame(to, {
            payload: Buffer.alloc(length, canary),
            payloadType: [0, 3, 13, 18, 72, 96, 111, 127][frame % 8] ?? 111,
          });
        phone.frame(to, {
          payload: Buffer.concat([Buffer.from([3, 0x8a, 0, 160]), canary]),
          payloadType: 101,
        });
        phone.sendRaw(description, to.port, to.host);
        phone.sendRaw(description, to.port + 1, to.host);
        phone.sendRaw(description.subarray(8), to.port + 1, to.host);
        phone.sendRaw(canary, to.port + 1, to.host);
      }
    }
    await talk(one);
    await eventually(
      'both hear the other',
      () => one.a.arrived.length > FRAMES && one.b.arrived.length > FRAMES,
      { lastSeen: () => [one.a.arrived.length, one.b.arrived.length] },
    );
    expect(found(one.b.datagrams, needlesOf(secrets.a))).toEqual([]);
    expect(found(one.a.datagrams, needlesOf(secrets.b))).toEqual([]);
    for (const [phone, other] of [
      [one.a, one.b],
      [one.b, one.a],
    ] as const) {
      expect(phone.arrived.filter(({ packet }) => packet.ssrc === other.ssrc)).toEqual([]);
      expect(new Set(phone.arrived.map(({ datagram }) => datagram[0]))).toEqual(new Set([0x80]));
    }
    // What the daemon was told, and what it writes down, names nobody.
    expect(
      found(
        [Buffer.from(anchored.daemon.log())],
        [
          { name: 'a', bytes: Buffer.from(secrets.a.digits) },
          { name: 'b', bytes: Buffer.from(secrets.b.digits) },
        ],
      ),
    ).toEqual([]);
  });

  test('[RTE5] control packets of a telephone reach nobody, well-formed or not, and it is sent none', async () => {
    await using a = await controlAt('127.0.82.1');
    await using b = await controlAt('127.0.82.2');
    const session = await anchored.media.open({
      address: { a: HOST, b: HOST },
      source: { a: 'signalled', b: 'signalled' },
      onEvent: () => undefined,
    });
    try {
      const remote = { codec: 8, telephoneEvent: 101, direction: 'both' } as const;
      session.setRemote('a', { ...remote, host: a.host, port: a.port });
      session.setRemote('b', { ...remote, host: b.host, port: b.port });
      session.bridge(true);
      await session.statistics();
      const canary = Buffer.from('13800001111 canary-of-ann');
      const description = sourceDescription(1, canary);
      for (const [socket, port] of [
        [a.control, session.ports.a + 1],
        [b.control, session.ports.b + 1],
      ] as const)
        for (const datagram of [description, description.subarray(8), description.subarray(0, 20), canary])
          socket.send(datagram, port, HOST);
      let frame = 0;
      // One after the other: of a burst a daemon that waited for the processor loses some.
      await eventually('sound has come', () => {
        const sound = { sequence: frame, timestamp: frame * FRAME, payload: new Uint8Array(FRAME) };
        frame += 1;
        a.sound.send(rtp({ ...sound, ssrc: 1 }), session.ports.a, HOST);
        b.sound.send(rtp({ ...sound, ssrc: 2 }), session.ports.b, HOST);
        return a.heard.length >= 10 && b.heard.length >= 10;
      });
      expect([...a.told, ...b.told]).toEqual([]);
      expect([...a.heard, ...b.heard].some((datagram) => datagram.includes('13800001111'))).toBe(false);
    } finally {
      session.close();
    }
  });

  test('[RTE6] sound from elsewhere than the signalled address and port is not heard', async () => {
    await using one = await call();
    await using stranger = await Telephone.at('127.0.61.3');
    await using neighbour = await Telephone.at('127.0.61.1');
    await stranger.tone(one.to.a, { frequency: 700, frames: 20 });
    await neighbour.tone(one.to.a, { frequency: 700, frames: 20 });
    await talk(one);
    await eventually('the right ones are heard', () => one.b.arrived.length >= FRAMES);
    expect(one.b.arrived).toHaveLength(FRAMES);
    expect((await one.session.statistics()).a).toMatchObject({ packetsIn: FRAMES, dropped: 40 });
  });

  test('[RTE6] an address that is not one telephone, or is a call of ours, is refused', async () => {
    await using one = await call();
    await using two = await call();
    for (const wrong of [
      { host: '239.0.0.1' },
      { host: 'phone.example' },
      { port: 0 },
      { host: HOST, port: two.session.ports.a },
    ])
      expect(() => one.session.setRemote('a', one.a.remote(wrong))).toThrow(RangeError);
    await talk(one, 5);
    await eventually('it goes on as it was', () => one.b.arrived.length === 5);
  });

  test('[RTE7] an announcement is heard whole by its ear alone, and what the other says meanwhile is not', async () => {
    await using one = await call({ a: { codec: 0 } });
    const startedAt = performance.now();
    const said = one.session.say('a', toneOf(700, 600));
    await eventually('it is being said', () => one.a.arrived.length > 0);
    await one.b.tone(one.to.b, { frequency: 1_000, frames: 10, everyMs: 5 });
    await said;
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(600);
    await eventually('it was heard to its end', () => one.a.arrived.length === 30, {
      lastSeen: () => one.a.arrived.length,
    });
    expect(levelOf(700, soundOf(one.a.arrived), 0)).toBeCloseTo(1, 1);
    expect(one.b.arrived).toEqual([]);
    await one.session.statistics();
    await talk(one, 5);
    await eventually('the talk goes on', () => one.a.arrived.length === 35 && one.b.arrived.length === 5);
  });

  test('[RTE7] a stopped announcement ends at once, the next is said after it, and one of nearly eight seconds is taken whole', async () => {
    await using one = await call();
    const stopping = new AbortController();
    const first = one.session.say('a', toneOf(700, 7_900), stopping.signal);
    const unheard = one.session.say('a', toneOf(800, 7_900), stopping.signal);
    const second = one.session.say('a', toneOf(900, 200));
    await eventually('the first is heard', () => one.a.arrived.length > 2);
    stopping.abort();
    await Promise.all([first, unheard, second]);
    await one.session.say('a', toneOf(950, 100), AbortSignal.abort());
    await expect(one.session.say('a', new Uint8Array(480_001))).rejects.toThrow(RangeError);
    await eventually('the second was heard', () => levelOf(900, soundOf(one.a.arrived.slice(-8))) > 0.9);
    expect(levelOf(800, soundOf(one.a.arrived))).toBeLessThan(0.01);
    expect(one.a.arrived.length).toBeLessThan(200);
  });

  test('[RTE8] before the bridge, after it, and to or from one that holds, nothing passes; nor keys', async () => {
    await using one = await call();
    // Where numbers wrap, the daemon holds what follows a gap for ten packets.
    one.a.renumber(100, 5_000);
    one.b.renumber(200, 9_000);
    const heardBy = { a: new Set<number>(), b: new Set<number>() };
    const said = { a: new Set<number>(), b: new Set<number>() };
    let round = 0;
    // Each round has sounds of its own, so that what comes late is known by the round it was sent in.
    const speak = async (passes: { toA: boolean; toB: boolean }): Promise<void> => {
      round += 1;
      const sound = { a: 0x10 + round, b: 0x40 + round };
      const before = await one.session.statistics();
      for (const name of ['a', 'b'] as const)
        for (let frame = 0; frame < 5; frame += 1)
          one[name].frame(one.to[name], { payload: new Uint8Array(160).fill(sound[name]) });
      await eventually('the daemon has had them', async () => {
        const after = await one.session.statistics();
        return (['a', 'b'] as const).every((name) => after[name].packetsIn >= before[name].packetsIn + 5);
      });
      if (passes.toA) said.b.add(sound.b);
      if (passes.toB) said.a.add(sound.a);
      await eventually('those who may hear have heard', () => {
        for (const name of ['a', 'b'] as const)
          for (const { packet } of one[name].arrived)
            if (packet.payloadType === 8) heardBy[name].add(packet.payload[0] ?? 0);
        return (
          [...said.a].every((each) => heardBy.b.has(each)) && [...said.b].every((each) => heardBy.a.has(each))
        );
      });
    };
    await speak({ toA: true, toB: true });
    one.session.bridge(false);
    await speak({ toA: false, toB: false });
    const { timestamp } = one.a.numbers;
    // After sound that was not let through the daemon waits for ten packets before it believes in a gap.
    for (const end of [0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x80, 0x80])
      one.a.frame(one.to.a, { timestamp, payload: Buffer.from([3, end | 10, 2, 0x80]), payloadType: 101 });
    await eventually('the key was told', () => one.events.some(({ type }) => type === 'digit'));
    one.a.renumber(one.a.numbers.sequence, timestamp + 12 * FRAME);
    one.session.bridge(true);
    one.session.setRemote('a', one.a.remote({ direction: 'receive' }));
    await speak({ toA: false, toB: true });
    one.session.setRemote('a', one.a.remote({ direction: 'send' }));
    await speak({ toA: true, toB: false });
    one.session.setRemote('a', one.a.remote({ host: '0.0.0.0' }));
    await speak({ toA: false, toB: false });
    one.session.setRemote('a', one.a.remote());
    await speak({ toA: true, toB: true });
    expect(heardBy).toEqual({ a: said.b, b: said.a });
    expect(one.b.arrived.filter(({ packet }) => packet.payloadType !== 8)).toEqual([]);
    one.session.setRemote('b', one.b.remote({ direction: 'none' }));
    const count = one.b.arrived.length;
    const startedAt = performance.now();
    await one.session.say('b', toneOf(700, 100));
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(99);
    expect(levelOf(700, soundOf(one.b.arrived.slice(count)))).toBeLessThan(0.1);
  });

  test('[RTE8] a telephone that moves in the middle of a call is heard at its new place, and the ports stay', async () => {
    await using one = await call();
    const { ports } = one.session;
    await using moved = await Telephone.at('127.0.61.4');
    one.session.setRemote('b', moved.remote());
    await one.session.statistics();
    expect(one.session.ports).toEqual(ports);
    await one.a.tone(one.to.a, { frequency: 440, frames: 10, everyMs: 5 });
    await moved.tone(one.to.b, { frequency: 1_000, frames: 10, everyMs: 5 });
    await eventually('both hear', () => moved.arrived.length === 10 && one.a.arrived.length === 10);
    expect(one.b.arrived).toEqual([]);
  });

  test('[RTE9] a key is told once and pressed anew for the other, in its own type or as a tone', async () => {
    await using one = await call({ b: { telephoneEvent: 96 } });
    await talk(one, 5);
    const { timestamp } = one.a.numbers;
    for (const end of [0, 0, 0, 0x80, 0x80, 0x80])
      one.a.frame(one.to.a, { timestamp, payload: Buffer.from([7, end | 10, 2, 0x80]), payloadType: 101 });
    const digits = () => one.events.filter(({ type }) => type === 'digit');
    await eventually('the key was told', () => digits().length > 0);
    await one.a.tone(one.to.a, { frequency: 440, frames: 25, everyMs: 20 });
    const keys = one.b.arrived.filter(({ packet }) => packet.payloadType === 96);
    expect(new Set(keys.map(({ packet }) => packet.payload[0]))).toEqual(new Set([7]));
    expect(new Set(keys.map(({ packet }) => packet.payload.length))).toEqual(new Set([4]));
    expect(digits()).toEqual([{ type: 'digit', leg: 'a', digit: '7' }]);
    expect(one.a.arrived.every(({ packet }) => packet.payloadType === 8)).toBe(true);
  });

  test('[RTE10] a closed session is gone from the daemon, tells what it last knew, and may be closed again', async () => {
    const before = anchored.media.sessions;
    await using one = await call();
    await talk(one, 5);
    await eventually('they have come', () => one.b.arrived.length === 5);
    const late = one.session.say('a', toneOf(700, 5_000));
    one.session.close();
    await late;
    const { a } = await one.session.statistics();
    expect(a).toMatchObject({ packetsIn: 5 });
    one.session.close();
    one.session.bridge(true);
    one.session.setRemote('a', one.a.remote());
    await one.session.say('a', toneOf(700, 100));
    expect(await one.session.statistics()).toMatchObject({ a: { packetsIn: 5 } });
    expect(anchored.media.sessions).toBe(before);
    await talk(one, 5);
    expect(one.b.arrived).toHaveLength(5);
    expect(one.events.filter(({ type }) => type === 'failed')).toEqual([]);
  });

  test('[RTE10] silence of a telephone is told once, until it is heard again', async () => {
    await using quiet = await startAnchored({
      host: '127.0.82.51',
      tuning: { askEveryMs: 50, lookEveryMs: 50, silentAfterMs: 300 },
    });
    await using one = await startAnchoredCall(quiet.media, '127.0.82.51', { b: { direction: 'none' } });
    const silences = () => one.events.filter(({ type }) => type === 'silent');
    await eventually('it is told', () => silences().length === 1);
    await one.a.tone(one.to.a, { frequency: 440, frames: 3 });
    await eventually('it is told again', () => silences().length === 2);
    expect(silences()).toMatchObject([{ leg: 'a' }, { leg: 'a' }]);
  });

  test('[RTE15] a tape is not taken silently: whoever wants one is told that nothing is recorded', async () => {
    let failures = 0;
    await using one = await call({ onTapeFailed: () => (failures += 1) });
    one.session.record({ append: () => undefined, close: async () => undefined });
    expect(failures).toBe(1);
    one.session.record(null);
    expect(failures).toBe(1);
  });
});

/** Sockets of a telephone whose control port is the one after that of its sound, as RFC 3550 has it. */
async function controlAt(host: string) {
  for (let tries = 0; tries < 20; tries += 1) {
    const sound = createSocket('udp4');
    const control = createSocket('udp4');
    sound.bind(0, host);
    await once(sound, 'listening');
    const { port } = sound.address();
    control.bind(port + 1, host);
    const isBound = await once(control, 'listening').then(
      () => true,
      () => false,
    );
    if (isBound) {
      const heard: Buffer[] = [];
      const told: Buffer[] = [];
      sound.on('message', (datagram) => heard.push(datagram));
      control.on('message', (datagram) => told.push(datagram));
      const close = async (): Promise<void> => {
        const closed = Promise.all([once(sound, 'close'), once(control, 'close')]);
        sound.close();
        control.close();
        await closed;
      };
      return { host, port, sound, control, heard, told, [Symbol.asyncDispose]: close };
    }
    sound.close();
    control.close();
  }
  throw new Error('no two ports in a row are free');
}

/** An RR and an SDES with this CNAME, as RFC 3550 wants them. */
function sourceDescription(ssrc: number, cname: Buffer): Buffer {
  const from = Buffer.alloc(4);
  from.writeUInt32BE(ssrc);
  const words = Math.ceil((cname.length + 3) / 4);
  const items = Buffer.alloc(4 * words);
  items[0] = 1;
  items[1] = cname.length;
  cname.copy(items, 2);
  return Buffer.concat([
    Buffer.from([0x80, 201, 0, 1]),
    from,
    Buffer.from([0x81, 202, 0, 1 + words]),
    from,
    items,
  ]);
}
