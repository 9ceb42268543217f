/** Keys pressed on a telephone, as the daemon tells them (`dtmf-log-dest`): one datagram of JSON a key. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { z } from 'zod';
import type { LegName } from '../rtp/ports.ts';

const MOST_BYTES = 2_000;
const DIGITS = '0123456789*#ABCD';

/**
 * How a key is pressed that we pass on. The daemon tells of it like of any other, and this is what it is known by: telephones
 * send whole packets of 10 or 20 ms.
 */
export const OWN_KEY = { duration: 167, volume: 11 } as const;

const PressedKey = z.object({
  callid: z.string().min(1).max(64),
  source_tag: z.enum(['a', 'b']),
  type: z.literal('DTMF'),
  event: z.int().min(0).max(15),
  duration: z.number(),
  volume: z.number(),
});

export interface PressedDigit {
  readonly callId: string;
  readonly leg: LegName;
  readonly digit: string;
}

/** Null for what is no such report, and for keys of our own. Who sends one has to know the call's id, which is long and random. */
export function readDigit(datagram: Buffer): PressedDigit | null {
  if (datagram.length > MOST_BYTES) return null;
  let told: unknown;
  try {
    told = JSON.parse(datagram.toString('utf8'));
  } catch {
    return null;
  }
  const read = PressedKey.safeParse(told);
  if (!read.success) return null;
  const { callid: callId, source_tag: leg, event, duration, volume } = read.data;
  if (duration === OWN_KEY.duration && volume === OWN_KEY.volume) return null;
  return { callId, leg, digit: DIGITS.charAt(event) };
}

export class DigitListener {
  readonly #socket: Socket;
  #isOpen = true;

  /** @throws the system's error when the port is taken */
  static async open(
    { host, port }: { readonly host: string; readonly port: number },
    onDigit: (pressed: PressedDigit) => void,
  ): Promise<DigitListener> {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    try {
      socket.bind(port, host);
      await once(socket, 'listening');
    } catch (error) {
      socket.close();
      throw error;
    }
    return new DigitListener(socket, onDigit);
  }

  private constructor(socket: Socket, onDigit: (pressed: PressedDigit) => void) {
    this.#socket = socket;
    socket.on('message', (datagram) => {
      const pressed = readDigit(datagram);
      if (pressed !== null) onDigit(pressed);
    });
    socket.on('error', () => undefined);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** May be called twice. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket.close();
  }
}
