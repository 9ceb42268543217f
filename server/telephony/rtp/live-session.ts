/** A call's sound as the server's thread sees it: every command is a message, and no answer is waited for that cannot come. */
import { isIP } from 'node:net';
import type { PhoneCallTape } from '../ports.ts';
import { A_LAW_SILENCE, SAMPLE_RATE } from './g711.ts';
import type { BothStatistics, FromMedia, ToMedia } from './media-protocol.ts';
import type { LegName, LegRemote, PhoneSession, SessionOptions } from './ports.ts';
import { plainHost } from './source-gate.ts';

/** No announcement lasts a minute. */
const MOST_PROMPT_BYTES = 60 * SAMPLE_RATE;
const NOTHING = { packetsIn: 0, packetsOut: 0, dropped: 0, lost: 0 };
/** Silence is put on the tape in pieces of a second. */
const SILENCE = new Uint8Array(2 * SAMPLE_RATE).fill(A_LAW_SILENCE);

export interface LiveSessionParts {
  readonly id: number;
  readonly ports: Readonly<Record<LegName, number>>;
  readonly ssrc: Readonly<Record<LegName, number>>;
  readonly options: SessionOptions;
  /** Whether a port is one that sound of our own calls runs on. */
  readonly isOurs: (port: number) => boolean;
  /** To the thread; nothing happens when it is gone. */
  readonly post: (message: ToMedia) => void;
}

export class LiveSession implements PhoneSession {
  readonly ports: Readonly<Record<LegName, number>>;
  readonly ssrc: Readonly<Record<LegName, number>>;
  readonly #parts: LiveSessionParts;
  #state: 'open' | 'closing' | 'over' = 'open';
  #statistics: BothStatistics = { a: NOTHING, b: NOTHING };
  #lastId = 0;
  readonly #asked = new Map<number, PromiseWithResolvers<BothStatistics>>();
  readonly #saying = new Map<number, () => void>();
  /** The one that runs, and the one before it, whose last sound may still be under way. */
  #tapes: { readonly id: number; readonly tape: PhoneCallTape }[] = [];

  constructor(parts: LiveSessionParts) {
    this.#parts = parts;
    this.ports = parts.ports;
    this.ssrc = parts.ssrc;
  }

  setRemote(leg: LegName, remote: LegRemote): void {
    const { address } = this.#parts.options;
    const checked = checkRemote(remote, address[leg]);
    const isOurHost = [address.a, address.b].some((own) => plainHost(own) === plainHost(remote.host));
    // Whoever writes it would have one call of ours talk into another.
    if (isOurHost && this.#parts.isOurs(remote.port))
      throw new RangeError('telephone sound: the other side is a call of ours');
    this.#post({ type: 'remote', id: this.#parts.id, leg, remote: checked });
  }

  bridge(on: boolean): void {
    this.#post({ type: 'bridge', id: this.#parts.id, on });
  }

  async say(leg: LegName, prompt: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (prompt.length > MOST_PROMPT_BYTES)
      throw new RangeError('telephone sound: an announcement is too long');
    if (this.#state !== 'open' || signal?.aborted === true || prompt.length === 0) return;
    const sayId = this.#nextId();
    const said = Promise.withResolvers<void>();
    const stop = (): void => this.#post({ type: 'stopSaying', id: this.#parts.id, sayId, leg });
    this.#saying.set(sayId, said.resolve);
    signal?.addEventListener('abort', stop, { once: true });
    // A buffer from a pool would be sent with all that lies around it.
    this.#post({ type: 'say', id: this.#parts.id, sayId, leg, sound: Uint8Array.from(prompt) });
    await said.promise;
    signal?.removeEventListener('abort', stop);
  }

  record(tape: PhoneCallTape | null): void {
    if (this.#state !== 'open') return;
    const tapeId = tape === null ? null : this.#nextId();
    if (tape !== null && tapeId !== null) this.#tapes = [...this.#tapes.slice(-1), { id: tapeId, tape }];
    this.#post({ type: 'record', id: this.#parts.id, tapeId });
  }

  async statistics(): Promise<BothStatistics> {
    if (this.#state === 'over') return this.#statistics;
    const askId = this.#nextId();
    const answer = Promise.withResolvers<BothStatistics>();
    this.#asked.set(askId, answer);
    this.#parts.post({ type: 'ask', id: this.#parts.id, askId });
    return await answer.promise;
  }

  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#parts.post({ type: 'close', id: this.#parts.id });
  }

  /** What the thread tells of it. */
  handle(message: Extract<FromMedia, { id: number }>): void {
    switch (message.type) {
      case 'event':
        if (this.#state === 'open') this.#parts.options.onEvent(message.event);
        return;
      case 'said':
        this.#saying.get(message.sayId)?.();
        this.#saying.delete(message.sayId);
        return;
      case 'sound':
        this.#append(message.tapeId, message.samples, message.missing);
        return;
      case 'told':
        this.#statistics = message.statistics;
        this.#asked.get(message.askId)?.resolve(message.statistics);
        this.#asked.delete(message.askId);
        return;
      case 'closed':
        this.#statistics = message.statistics;
        this.#settle();
        return;
      case 'opened':
      case 'refused':
        return;
      default: {
        const unreachable: never = message;
        return unreachable;
      }
    }
  }

  /** The thread is gone. */
  fail(): void {
    const wasOpen = this.#state === 'open';
    this.#settle();
    if (wasOpen) this.#parts.options.onEvent({ type: 'failed' });
  }

  #append(tapeId: number, samples: Uint8Array, missing: number): void {
    const running = this.#tapes.find(({ id }) => id === tapeId);
    if (running === undefined) return;
    try {
      for (let left = 2 * missing; left > 0; left -= SILENCE.length)
        running.tape.append(SILENCE.subarray(0, Math.min(left, SILENCE.length)));
      if (samples.length > 0) running.tape.append(samples);
    } catch {
      this.#tapes = this.#tapes.filter((other) => other !== running);
      this.#post({ type: 'record', id: this.#parts.id, tapeId: null });
      this.#parts.options.onTapeFailed?.();
      return;
    }
    this.#post({ type: 'taken', id: this.#parts.id, tapeId, bytes: samples.length });
  }

  #settle(): void {
    this.#state = 'over';
    this.#tapes = [];
    for (const said of this.#saying.values()) said();
    this.#saying.clear();
    for (const { resolve } of this.#asked.values()) resolve(this.#statistics);
    this.#asked.clear();
  }

  #post(message: ToMedia): void {
    if (this.#state === 'open') this.#parts.post(message);
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}

/** Sound goes to one telephone: not to a group of them, not to everybody, and never by a name. @throws RangeError */
export function checkRemote(remote: LegRemote, ownAddress: string): LegRemote {
  const { host, port } = remote;
  if (!Number.isInteger(port) || port < 1 || port > 0xffff)
    throw new RangeError('telephone sound: a port is a whole number from 1 to 65535');
  const family = isIP(host);
  if (family === 0 || family !== isIP(ownAddress))
    throw new RangeError('telephone sound: the other side has no address of this family');
  if (/^(?:0\.0\.0\.0|::)$/.test(host)) return { ...remote, direction: 'none' };
  if (/^(?:22[4-9]|2[345]\d)\./.test(host) || /^ff/i.test(host))
    throw new RangeError('telephone sound: the other side is not one telephone');
  return remote;
}
