import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { startMedia, startPhoneCall } from './phone-call.ts';
import { type Arrived, FRAME, levelOf, soundOf, Telephone } from './telephone.ts';

const FRAMES = 40;

test('[RTP1] a tone of each telephone is heard by the other at its level, and none of its own', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  await Promise.all([
    call.a.tone(call.to.a, { frequency: 440, frames: FRAMES }),
    call.b.tone(call.to.b, { frequency: 1_000, frames: FRAMES }),
  ]);
  await eventually(
    'all packets have come',
    () => call.a.arrived.length === FRAMES && call.b.arrived.length === FRAMES,
    { lastSeen: () => [call.a.arrived.length, call.b.arrived.length] },
  );
  expect(levelOf(440, soundOf(call.b.arrived))).toBeCloseTo(1, 1);
  expect(levelOf(1_000, soundOf(call.a.arrived))).toBeCloseTo(1, 1);
  expect(levelOf(440, soundOf(call.a.arrived))).toBeLessThan(0.01);
  const { a, b } = await call.session.statistics();
  for (const leg of [a, b])
    expect(leg).toEqual({ packetsIn: FRAMES, packetsOut: FRAMES, dropped: 0, lost: 0 });
  expect(call.events.filter(({ type }) => type === 'firstPacket')).toHaveLength(2);
});

test('[RTP2] PCMA and PCMU telephones hear each other at the same level', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media, { b: { codec: 0 } });
  await call.a.tone(call.to.a, { frequency: 440, frames: FRAMES });
  await call.b.tone(call.to.b, { frequency: 1_000, frames: FRAMES, law: 0 });
  await eventually(
    'all packets have come',
    () => call.a.arrived.length + call.b.arrived.length === 2 * FRAMES,
  );
  expect(new Set(call.b.arrived.map(({ packet }) => packet.payloadType))).toEqual(new Set([0]));
  expect(new Set(call.a.arrived.map(({ packet }) => packet.payloadType))).toEqual(new Set([8]));
  expect(levelOf(440, soundOf(call.b.arrived), 0)).toBeCloseTo(1, 1);
  expect(levelOf(1_000, soundOf(call.a.arrived), 8)).toBeCloseTo(1, 1);
});

test('[RTP3] nothing that leaves a leg holds the other’s SSRC, numbers, extensions, padding, control packets or address', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  const canary = '13800001111@phone.of.a';
  const cname = Buffer.from(canary);
  // A source description with the number in it, to the control port and in between the sound (RFC 5761).
  const description = Buffer.concat([
    Buffer.from([0x81, 202, 0, 2 + Math.ceil((cname.length + 3) / 4)]),
    ssrcBytes(call.a.ssrc),
    Buffer.from([1, cname.length]),
    cname,
    Buffer.alloc(4),
  ]);
  for (let frame = 0; frame < FRAMES; frame += 1) {
    call.a.frame(call.to.a, { payload: call.a.toneFrame(440, 8), trimmings: cname });
    call.a.sendRaw(description, call.to.a.port, call.to.a.host);
    call.a.sendRaw(description, call.to.a.port + 1, call.to.a.host);
  }
  const { sequence, timestamp } = call.a.numbers;
  const press = Buffer.concat([Buffer.from([5, 0x8a, 0, 160]), cname]);
  call.a.frame(call.to.a, { payloadType: 101, payload: press });
  await eventually('all that may has come', () => call.b.arrived.length === FRAMES + 1, {
    lastSeen: () => call.b.arrived.length,
  });
  expect(call.b.datagrams).toHaveLength(FRAMES + 1);
  const secrets = [
    cname,
    Buffer.from(cname.toString('hex')),
    ssrcBytes(call.a.ssrc),
    Buffer.from('CSRC'),
    Buffer.from([127, 0, 61, 1]),
    Buffer.from(call.a.host),
    Buffer.from([call.a.port >> 8, call.a.port & 0xff, ...ssrcBytes(call.a.ssrc)]),
  ];
  for (const datagram of call.b.datagrams) {
    for (const secret of secrets) expect(datagram.includes(secret)).toBe(false);
    expect(datagram.readUInt32BE(8)).toBe(call.session.ssrc.b);
    expect(datagram[0]).toBe(0x80);
  }
  const [first] = call.b.arrived;
  const last = call.b.arrived.at(-1);
  expect(first?.datagram).toHaveLength(12 + FRAME);
  expect(last?.datagram).toHaveLength(16);
  // One in 65,536 runs this would be so by chance, twice.
  expect([last?.packet.sequence, last?.packet.timestamp]).not.toEqual([sequence, timestamp]);
  expect(call.a.datagrams).toHaveLength(0);
  // Control packets are expected, and end here: they are no trouble to count.
  expect((await call.session.statistics()).a.dropped).toBe(0);
});

test('[RTP4] sequence and time stamps of what a telephone hears go on over another SSRC, other numbers and a re-INVITE', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  const send = (): Promise<void> => call.a.tone(call.to.a, { frequency: 440, frames: 10, everyMs: 2 });
  const came = (count: number) =>
    eventually('packets have come', () => call.b.arrived.length === count, {
      lastSeen: () => call.b.arrived.length,
    });
  await send();
  await came(10);
  call.a.renumber(17, 123_456, 0xcafe);
  await send();
  await came(20);
  // The same source with other time stamps, as some telephones do after a hold.
  call.a.renumber(27, 3_000_000_000);
  await send();
  await came(30);
  call.session.setRemote('b', call.b.remote({ codec: 0, telephoneEvent: 96 }));
  await call.session.statistics();
  await send();
  await came(40);
  continuous(call.b.arrived);
  expect(call.b.arrived.filter(({ packet }) => packet.marker)).toHaveLength(3);
  expect(new Set(call.b.arrived.map(({ packet }) => packet.ssrc)).size).toBe(1);
});

test('[RTP5] who holds is sent nothing, and what is said to a holder does not wait for it', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  call.session.setRemote('b', call.b.remote({ direction: 'receive' }));
  await call.session.statistics();
  await call.a.tone(call.to.a, { frequency: 440, frames: 10 });
  await call.b.tone(call.to.b, { frequency: 1_000, frames: 10 });
  await call.taken({ a: 10, b: 10 });
  // Music of the one who holds is heard.
  await eventually('the music has come', () => call.a.arrived.length === 10);
  expect(call.b.datagrams).toHaveLength(0);
  call.session.setRemote('b', call.b.remote({ direction: 'send' }));
  await call.session.statistics();
  await call.b.tone(call.to.b, { frequency: 1_000, frames: 5 });
  await call.a.tone(call.to.a, { frequency: 440, frames: 7 });
  await call.taken({ a: 17, b: 15 });
  await eventually('it hears again', () => call.b.arrived.length === 7);
  expect(call.a.arrived).toHaveLength(10);
  expect((await call.session.statistics()).b.dropped).toBe(5);
});

test('[RTP6] a call that is not bridged lets nothing through', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  call.session.bridge(false);
  await call.session.statistics();
  await call.a.tone(call.to.a, { frequency: 440, frames: 10 });
  await call.taken({ a: 10 });
  expect(call.b.datagrams).toHaveLength(0);
});

test('[RTP7] comfort noise is left out and unknown payload types are dropped', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  await call.a.tone(call.to.a, { frequency: 440, frames: 3 });
  call.a.frame(call.to.a, { payloadType: 13, payload: Buffer.from([0x40]) });
  call.a.frame(call.to.a, { payloadType: 111, payload: Buffer.from('opus, perhaps') });
  call.a.frame(call.to.a, { payloadType: 8, payload: Buffer.alloc(961) });
  await call.a.tone(call.to.a, { frequency: 440, frames: 3 });
  await call.taken({ a: 9 });
  await eventually('the sound has come', () => call.b.arrived.length === 6);
  expect(call.b.datagrams).toHaveLength(6);
  expect((await call.session.statistics()).a.dropped).toBe(2);
  const sequences = call.b.arrived.map(({ packet }) => packet.sequence);
  expect(sequences.at(3)).toBe((Number(sequences[2]) + 1) & 0xffff);
  expect(call.b.arrived[3]?.packet.marker).toBe(true);
});

test('[RTP8] lost packets are counted and keep their gap; one that comes twice is heard once', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  await call.a.tone(call.to.a, { frequency: 440, frames: 5 });
  const { sequence, timestamp } = call.a.numbers;
  call.a.renumber(sequence + 3, timestamp + 3 * FRAME);
  await call.a.tone(call.to.a, { frequency: 440, frames: 5 });
  // Late, and twice.
  call.a.renumber(sequence + 1, timestamp + FRAME);
  await call.a.tone(call.to.a, { frequency: 440, frames: 1 });
  call.a.renumber(sequence + 1, timestamp + FRAME);
  await call.a.tone(call.to.a, { frequency: 440, frames: 1 });
  await call.taken({ a: 12 });
  expect((await call.session.statistics()).a).toMatchObject({ packetsIn: 11, lost: 2, dropped: 1 });
  await eventually('all have come', () => call.b.arrived.length === 11);
  const first = call.b.arrived[0]?.packet.sequence ?? 0;
  expect(call.b.arrived.map(({ packet }) => (packet.sequence - first) & 0xffff)).toEqual([
    0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 6,
  ]);
});

test('[RTP9] nobody but the signalled host is heard, and its port is held to the end', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  await using stranger = await Telephone.at('127.0.61.66');
  await using neighbour = await Telephone.at('127.0.61.1');
  await stranger.tone(call.to.a, { frequency: 700, frames: 5 });
  await call.taken({ a: 5 });
  await call.a.tone(call.to.a, { frequency: 440, frames: 5 });
  await call.taken({ a: 10 });
  await neighbour.tone(call.to.a, { frequency: 800, frames: 5 });
  await call.taken({ a: 15 });
  await eventually('the sound has come', () => call.b.arrived.length === 5);
  expect((await call.session.statistics()).a).toMatchObject({ packetsIn: 5, dropped: 10 });
  expect(levelOf(440, soundOf(call.b.arrived))).toBeCloseTo(1, 1);
});

test('[RTP10] a telephone behind NAT is heard and answered where its first packet comes from, and a late stranger is not', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media, {
    source: { a: 'first', b: 'signalled' },
    // The address inside its network, where nobody answers.
    a: { host: '127.0.61.200', port: 9 },
  });
  await call.a.tone(call.to.a, { frequency: 440, frames: 5 });
  await call.taken({ a: 5 });
  await call.b.tone(call.to.b, { frequency: 1_000, frames: 5 });
  await eventually('it is answered', () => call.a.arrived.length === 5);
  await using stranger = await Telephone.at('127.0.61.66');
  await stranger.tone(call.to.a, { frequency: 700, frames: 5 });
  await call.taken({ a: 10 });
  await call.b.tone(call.to.b, { frequency: 1_000, frames: 5 });
  await eventually('it is still answered', () => call.a.arrived.length === 10);
  expect(stranger.datagrams).toHaveLength(0);
});

test('[RTP11] a packet of ours that comes back is not sent on again', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  for (const leg of ['a', 'b'] as const) {
    call.a.renumber(1, 1, call.session.ssrc[leg]);
    await call.a.tone(call.to.a, { frequency: 440, frames: 3 });
  }
  await call.taken({ a: 6 });
  expect(call.b.datagrams).toHaveLength(0);
});

test('[RTP12] sound goes to one address of the leg’s family, never to a name, a group or port 0', async () => {
  await using running = await startMedia();
  await using call = await startPhoneCall(running.media);
  for (const host of ['phone.example', '239.1.2.3', '255.255.255.255', '::1', ''])
    expect(() => call.session.setRemote('a', call.a.remote({ host }))).toThrow(RangeError);
  for (const port of [0, 70_000, 1.5])
    expect(() => call.session.setRemote('a', call.a.remote({ port }))).toThrow(RangeError);
  call.session.setRemote('b', call.b.remote({ host: '0.0.0.0' }));
  await call.session.statistics();
  await call.a.tone(call.to.a, { frequency: 440, frames: 3 });
  await call.taken({ a: 3 });
  expect((await call.session.statistics()).b.packetsOut).toBe(0);
});

function continuous(arrived: readonly Arrived[]): void {
  for (const [index, { packet, at }] of arrived.entries()) {
    const before = arrived[index - 1];
    if (before === undefined) continue;
    expect((packet.sequence - before.packet.sequence) & 0xffff).toBe(1);
    const moved = (packet.timestamp - before.packet.timestamp) | 0;
    expect(moved).toBeGreaterThanOrEqual(FRAME);
    // No further than the clock went, give or take what waiting in the kernel adds.
    expect(moved).toBeLessThanOrEqual(FRAME + (at - before.at + 200) * 8);
  }
}

function ssrcBytes(ssrc: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(ssrc);
  return bytes;
}
