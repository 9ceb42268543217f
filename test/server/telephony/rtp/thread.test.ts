import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { startMediaThread } from '@teleconsult/server/telephony/rtp/media-link';
import { startPhoneMedia } from '@teleconsult/server/telephony/rtp/phone-media';
import type { SessionEvent } from '@teleconsult/server/telephony/rtp/ports';
import { expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { RELAY, startMedia, startPhoneCall } from './phone-call.ts';
import { levelOf, soundOf, toneOf } from './telephone.ts';

const SIGNALLED = { a: 'signalled', b: 'signalled' } as const;
const onEvent = (): void => undefined;

test('[RTP42] when the thread dies each session is told so once, nobody waits for it, and new sessions work', async () => {
  const threads: Worker[] = [];
  let deaths = 0;
  await using running = await startMedia({
    startThread(settings) {
      const thread = startMediaThread(settings);
      threads.push(thread);
      return thread;
    },
    onThreadDied: () => void (deaths += 1),
  });
  const { media } = running;
  await using lost = await startPhoneCall(media);
  await lost.a.tone(lost.to.a, { frequency: 440, frames: 3 });
  await lost.taken({ a: 3 });
  const said = lost.session.say('a', toneOf(700, 20_000));
  const opening = media.open({ address: RELAY, source: SIGNALLED, onEvent });
  await threads[0]?.terminate();
  await said;
  await eventually('it is told', () => lost.events.some(({ type }) => type === 'failed'));
  expect((await lost.session.statistics()).a.packetsIn).toBe(3);
  await opening.catch((error: unknown) => expect(String(error)).toMatch(/the thread died/));
  await using call = await startPhoneCall(media);
  await call.a.tone(call.to.a, { frequency: 440, frames: 10 });
  await eventually('it works', () => call.b.arrived.length === 10);
  expect(levelOf(440, soundOf(call.b.arrived))).toBeCloseTo(1, 1);
  expect(lost.events.filter(({ type }) => type === 'failed')).toHaveLength(1);
  expect([threads.length, deaths]).toEqual([2, 1]);
  lost.session.close();
  lost.session.close();
});

test('[RTP42] trouble in one session ends that one alone, and it is told so', async () => {
  let thread: Worker | undefined;
  await using running = await startMedia({
    startThread(settings) {
      thread = startMediaThread(settings);
      return thread;
    },
  });
  await using broken = await startPhoneCall(running.media);
  await using call = await startPhoneCall(running.media);
  // Nothing of ours sends this; it stands for a mistake nobody has found yet.
  thread?.postMessage({ type: 'remote', id: 1, leg: 'a', remote: null });
  await eventually('it is told', () => broken.events.some(({ type }) => type === 'failed'));
  await eventually('its ports are given back', () => running.media.sessions === 1);
  await broken.session.say('a', toneOf(700, 1_000));
  await call.a.tone(call.to.a, { frequency: 440, frames: 5 });
  await eventually('the other goes on', () => call.b.arrived.length === 5);
  expect(call.events.filter(({ type }) => type === 'failed')).toHaveLength(0);
});

test('[RTP43] a thread that cannot be started is tried again, and a call does not wait for ever meanwhile', async () => {
  let starts = 0;
  const threads: Worker[] = [];
  await using running = await startMedia({
    startThread(settings) {
      starts += 1;
      const thread =
        starts === 2 ? new Worker('throw new Error("no")', { eval: true }) : startMediaThread(settings);
      threads.push(thread);
      return thread;
    },
  });
  await threads[0]?.terminate();
  const session = await running.media.open({ address: RELAY, source: SIGNALLED, onEvent });
  expect(starts).toBe(3);
  session.close();
  await expect(
    startPhoneMedia({
      ports: { from: 20_000, to: 20_100 },
      startThread: () => new Worker('throw new Error("no")', { eval: true }),
    }),
  ).rejects.toThrow(/did not start/);
});

test('[RTP44] a leg that is not heard is told once until it flows again, and one that holds is not', async () => {
  await using running = await startMedia({ silentAfterMs: 300 });
  await using call = await startPhoneCall(running.media, { b: { direction: 'send' } });
  const silences = (): SessionEvent[] => call.events.filter(({ type }) => type === 'silent');
  await eventually('it is told', () => silences().length === 1);
  await call.a.tone(call.to.a, { frequency: 440, frames: 2 });
  await eventually('it is told again', () => silences().length === 2);
  expect(silences()).toEqual([
    { type: 'silent', leg: 'a', ms: expect.any(Number) },
    { type: 'silent', leg: 'a', ms: expect.any(Number) },
  ]);
  for (const silence of silences())
    if (silence.type === 'silent') expect(silence.ms).toBeGreaterThanOrEqual(300);
});

test('[RTP49] a leg with nothing to hear is sent a moment of silence now and then, one that holds is not, and its numbers go on', async () => {
  await using running = await startMedia({ keepOpenAfterMs: 300 });
  await using call = await startPhoneCall(running.media, { a: { direction: 'receive' }, b: { codec: 0 } });
  call.session.bridge(false);
  await eventually('silence has come', () => call.b.arrived.length >= 2);
  call.session.bridge(true);
  await call.session.statistics();
  const before = call.b.arrived.length;
  await call.a.tone(call.to.a, { frequency: 440, frames: 3 });
  await eventually('the talk has come', () => call.b.arrived.length >= before + 3);
  const [first, second] = call.b.arrived;
  expect(new Set(first?.packet.payload)).toEqual(new Set([0xfe]));
  expect(first?.packet.payload).toHaveLength(160);
  expect(((second?.packet.timestamp ?? 0) - (first?.packet.timestamp ?? 0)) | 0).toBeGreaterThanOrEqual(
    2_400,
  );
  for (const [index, { packet }] of call.b.arrived.entries()) {
    const last = call.b.arrived[index - 1]?.packet;
    if (last !== undefined) expect((packet.sequence - last.sequence) & 0xffff).toBe(1);
  }
  expect(call.a.datagrams).toHaveLength(0);
});

test('[RTP45] ports that others hold are passed over, and when none is left a call is refused and leaves nothing open', async () => {
  const taken = createSocket('udp4');
  // An odd one: the control port of a pair whose even one is free.
  taken.bind(0, RELAY.a);
  await once(taken, 'listening');
  const port = taken.address().port;
  const first = port - (port % 2);
  await using running = await startMedia({ ports: { from: first, to: first + 9 }, portsRestMs: 100 });
  const { media } = running;
  // Two pairs a call of the five, of which one is taken.
  const open = () => media.open({ address: { a: RELAY.a, b: RELAY.a }, source: SIGNALLED, onEvent });
  const session = await eventually('one is opened', () => open());
  expect([session.ports.a, session.ports.b]).not.toContain(first);
  const other = await eventually('the other is opened', () => open().catch(() => null));
  await expect(open()).rejects.toThrow(/no port is free/);
  expect(media.sessions).toBe(2);
  session.close();
  other.close();
  await eventually('both are gone', () => media.sessions === 0);
  taken.close();
  const again = await eventually('its ports have rested', () => open().catch(() => null));
  again.close();
  await expect(
    media.open({ address: { a: '203.0.113.1', b: RELAY.b }, source: SIGNALLED, onEvent }),
  ).rejects.toThrow(/cannot be opened/);
  await expect(
    media.open({ address: { a: 'relay.example', b: RELAY.b }, source: SIGNALLED, onEvent }),
  ).rejects.toThrow(/not a name/);
});

test('[RTP46] closing ends every session and the thread, and may be done twice', async () => {
  const running = await startMedia();
  const session = await running.media.open({ address: RELAY, source: SIGNALLED, onEvent });
  await running.media.close();
  await running.media.close();
  expect(running.media.sessions).toBe(0);
  session.close();
  await session.statistics();
  await expect(running.media.open({ address: RELAY, source: SIGNALLED, onEvent })).rejects.toThrow(/gone/);
});

test('[RTP47] a thread that hangs is ended and replaced', { timeout: 40_000 }, async () => {
  let starts = 0;
  const hanging = `
    const { parentPort } = require('node:worker_threads');
    parentPort.postMessage({ type: 'ready' });
    setTimeout(() => { for (;;); }, 50);
  `;
  await using running = await startMedia({
    startThread(settings) {
      starts += 1;
      return starts === 1 ? new Worker(hanging, { eval: true }) : startMediaThread(settings);
    },
  });
  await eventually('it is replaced', () => starts === 2, { withinMs: 30_000 });
  const session = await running.media.open({ address: RELAY, source: SIGNALLED, onEvent });
  session.close();
});
