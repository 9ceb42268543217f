/** A call in the daemon: two legs, and the commands that change it. Nothing here knows why. */
import type { G711, LegName } from '../rtp/ports.ts';
import { type BencodedDictionary, textAt } from './bencode.ts';
import { OWN_KEY } from './digit-listener.ts';
import { type LegCount, readCounts } from './leg-counts.ts';
import { type LegPlace, NOWHERE_PORT, readPlace, writeLegSdp } from './leg-sdp.ts';
import { type NgClient, NgError } from './ng-client.ts';
import type { OneAtATime } from './one-at-a-time.ts';
import { wavOf } from './wav.ts';

/** A piece of an announcement that fits into one datagram together with the rest of the command: eight seconds. */
export const PIECE_SAMPLES = 64_000;
const A_LAW: G711 = 8;

/** Of both legs alike; see the README of rtpengine, "ng control protocol". */
const SIGNALLED = {
  flags: [
    'trust-address',
    // Sound is believed from the signalled address and port alone: nothing is learned from what arrives.
    'strict-source',
    // Ports that a telephone was told of are not to move.
    'port-latching',
    'generate-RTCP',
    'no-rtcp-attribute',
    // Sends all sound through the decoder and encoder, the same law too: SSRC and headers that leave are the daemon's own.
    'inject-DTMF',
  ],
  'endpoint-learning': ['off'],
  ICE: 'remove',
  'rtcp-mux': ['reject'],
  replace: ['origin', 'session-connection', 'zero-address'],
  'transport-protocol': 'RTP/AVP',
} as const;

export type Places = Readonly<Record<LegName, LegPlace | null>>;

export interface DaemonCallParts {
  readonly ng: NgClient;
  /** Own, opaque; holds nothing of the call. */
  readonly callId: string;
  readonly address: Readonly<Record<LegName, string>>;
  /** Announcements are large datagrams: many at once would be too much for the daemon's socket. */
  readonly announcing: OneAtATime;
}

export class DaemonCall {
  readonly callId: string;
  readonly #parts: DaemonCallParts;
  #ports: Readonly<Record<LegName, number>> = { a: 0, b: 0 };
  #isGivenUp = false;

  constructor(parts: DaemonCallParts) {
    this.#parts = parts;
    this.callId = parts.callId;
  }

  get ports(): Readonly<Record<LegName, number>> {
    return this.#ports;
  }

  /** Opens the ports of both legs, before anybody has said where they listen; nothing passes. @throws NgError, Error */
  async open(): Promise<void> {
    this.#ports = await this.#signal({ a: null, b: null });
    await Promise.all([
      // Keys are told to us, and passed on by us: what is in those packets beside the key stays here.
      this.#ask('block DTMF', { 'from-tag': 'a' }),
      this.#ask('block DTMF', { 'from-tag': 'b' }),
      this.letThrough('a', false),
      this.letThrough('b', false),
    ]);
  }

  /** Tells where both listen. @throws NgError, Error when the ports have moved */
  async signal(places: Places): Promise<void> {
    const { a, b } = await this.#signal(places);
    if (a !== this.#ports.a || b !== this.#ports.b)
      throw new Error('rtpengine: the ports of a call have moved');
  }

  /** Whether what comes from a leg reaches the other. @throws NgError */
  async letThrough(from: LegName, isOpen: boolean): Promise<void> {
    await this.#ask(isOpen ? 'unblock media' : 'block media', { 'from-tag': from });
  }

  /** Begins to play at most `PIECE_SAMPLES` of A-law to a leg. @throws NgError */
  async play(to: LegName, piece: Uint8Array): Promise<void> {
    const blob = wavOf(piece);
    await this.#parts.announcing.run(() => this.#ask('play media', { 'from-tag': to, blob }));
  }

  /** @throws NgError */
  async stopPlaying(to: LegName): Promise<void> {
    await this.#ask('stop media', { 'from-tag': to });
  }

  /** Presses a key for a leg, for the other to hear. @throws NgError; `refused` when nothing was heard of the leg yet */
  async press(from: LegName, digit: string): Promise<void> {
    await this.#ask('play DTMF', { 'from-tag': from, code: digit, ...OWN_KEY });
  }

  /** @throws NgError; `refused` when the daemon has no such call any more */
  async counts(): Promise<Readonly<Record<LegName, LegCount>>> {
    const counts = readCounts(await this.#ask('query'));
    if (counts === null) throw new NgError('refused', 'query');
    return counts;
  }

  /** Ends it; one that is not there is ended. @throws NgError */
  async end(): Promise<void> {
    // Whatever still waits for its turn is not asked any more.
    this.#isGivenUp = true;
    await this.#parts.ng.ask('delete', { 'call-id': this.callId, 'delete delay': 0 });
  }

  async #signal(places: Places): Promise<Readonly<Record<LegName, number>>> {
    const offered = await this.#ask('offer', {
      ...SIGNALLED,
      'from-tag': 'a',
      ...(this.#ports.a === 0 ? {} : { 'to-tag': 'b' }),
      sdp: this.#sdp('a', places.a),
    });
    const answered = await this.#ask('answer', {
      ...SIGNALLED,
      'from-tag': 'a',
      'to-tag': 'b',
      sdp: this.#sdp('b', places.b),
    });
    // What is answered to a leg is written for the other.
    return { a: this.#portIn(answered, 'a'), b: this.#portIn(offered, 'b') };
  }

  #sdp(leg: LegName, place: LegPlace | null): string {
    const own = this.#parts.address[leg];
    const nowhere: LegPlace = { host: own, port: NOWHERE_PORT, codec: A_LAW, telephoneEvent: null };
    return writeLegSdp(place ?? nowhere, own);
  }

  #portIn(answer: BencodedDictionary, leg: LegName): number {
    const place = readPlace(textAt(answer, 'sdp') ?? '');
    if (place === null) throw new Error('rtpengine: it names no port');
    // Telephones are told our address; sound that is awaited elsewhere would never come.
    if (place.host !== this.#parts.address[leg])
      throw new Error('rtpengine: it listens on another address than the settings say');
    return place.port;
  }

  async #ask(command: string, of: Parameters<NgClient['ask']>[1] = {}): Promise<BencodedDictionary> {
    if (this.#isGivenUp) throw new NgError('away', command);
    return await this.#parts.ng.ask(command, { ...of, 'call-id': this.callId });
  }
}
