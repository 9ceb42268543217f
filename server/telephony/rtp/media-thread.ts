/** The thread that carries the sound of phone calls: it alone holds their sockets, and nothing the server does is heard. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FromMedia, LegPlace, MediaSettings, ToMedia } from './media-protocol.ts';
import { MediaSession } from './media-session.ts';
import type { LegName } from './ports.ts';

/** Each session's turn comes every fifth of a second; turns are spread so that not all tapes are read at once. */
const TURN_MS = 20;
const TURNS = 10;
/** A turn that comes later than this lets the packets that waited in first, or they would be late for the tape. */
const STOOD_STILL_MS = 30;

const port = parentPort;
if (port === null) throw new Error('This file runs as a worker thread.');
const settings: MediaSettings = workerData;
const tell = (message: FromMedia): void =>
  // Sound is given away, not copied.
  port.postMessage(message, message.type === 'sound' ? [message.samples.buffer] : []);
const clock = (): number => performance.now();
const sessions = new Map<number, MediaSession>();
let turn = 0;
let turnAt = 0;
let turning: NodeJS.Timeout | null = null;

port.on('message', (message: ToMedia) => {
  switch (message.type) {
    case 'open':
      void open(message.id, message.legs);
      return;
    case 'ping':
      tell({ type: 'pong' });
      return;
    case 'end':
      for (const id of sessions.keys()) close(id);
      port.close();
      return;
    case 'close':
      close(message.id);
      return;
    default:
      guarded(message.id, () => command(message));
  }
});
tell({ type: 'ready' });

function command(message: Exclude<ToMedia, { type: 'open' | 'ping' | 'end' | 'close' }>): void {
  const session = sessions.get(message.id);
  switch (message.type) {
    case 'remote':
      session?.setRemote(message.leg, message.remote);
      return;
    case 'bridge':
      session?.bridge(message.on);
      return;
    case 'say':
      // What comes after the end is said to nobody, and whoever waits for it goes on.
      if (session === undefined) tell({ type: 'said', id: message.id, sayId: message.sayId });
      else session.say(message.leg, message.sayId, message.sound);
      return;
    case 'stopSaying':
      session?.stopSaying(message.leg, message.sayId);
      return;
    case 'record':
      session?.record(message.tapeId);
      return;
    case 'taken':
      session?.taken(message.tapeId, message.bytes);
      return;
    case 'ask':
      if (session !== undefined)
        tell({ type: 'told', id: message.id, askId: message.askId, statistics: session.statistics });
      return;
    default: {
      const unreachable: never = message;
      return unreachable;
    }
  }
}

async function open(id: number, legs: Readonly<Record<LegName, LegPlace>>): Promise<void> {
  try {
    const onBroken = (): void => fail(id);
    sessions.set(id, await MediaSession.open(id, legs, { settings, clock, tell, onBroken }));
    turnAt = clock();
    turning ??= setInterval(takeTurn, TURN_MS);
    tell({ type: 'opened', id });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    tell({ type: 'refused', id, reason: code === 'EADDRINUSE' ? 'taken' : 'failed', code });
  }
}

function close(id: number): void {
  const session = sessions.get(id);
  if (session === undefined) return;
  sessions.delete(id);
  if (sessions.size === 0 && turning !== null) {
    clearInterval(turning);
    turning = null;
  }
  session.close();
  tell({ type: 'closed', id, statistics: session.statistics });
}

function fail(id: number): void {
  if (!sessions.has(id)) return;
  tell({ type: 'event', id, event: { type: 'failed' } });
  close(id);
}

function guarded(id: number, action: () => void): void {
  try {
    action();
  } catch {
    fail(id);
  }
}

function takeTurn(): void {
  const now = clock();
  const stoodStill = now - turnAt > TURN_MS + STOOD_STILL_MS;
  turnAt = now;
  if (stoodStill) setImmediate(tickAll);
  else tickSome();
}

function tickSome(): void {
  turn = (turn + 1) % TURNS;
  const now = clock();
  for (const [id, session] of sessions) if (id % TURNS === turn) guarded(id, () => session.tick(now));
}

function tickAll(): void {
  const now = clock();
  for (const [id, session] of sessions) guarded(id, () => session.tick(now));
}
