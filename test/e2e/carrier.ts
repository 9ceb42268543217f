/** A carrier on the loopback: people who dial a server's relay numbers, and telephones that it rings. */
import { type Datagrams, openDatagrams } from '@teleconsult/server/telephony/sip/datagrams';
import { SipEndpoint } from '@teleconsult/server/telephony/sip/endpoint';
import type { IncomingCall } from '@teleconsult/server/telephony/sip/incoming-call';
import type { CallOutcome, OutgoingCall } from '@teleconsult/server/telephony/sip/outgoing-call';
import { eventually } from '../helpers/eventually.ts';
import { freePort } from '../helpers/server-process.ts';
import { offerOf, pickUp, placeIn, type Talk } from '../server/telephony/embedded/stage.ts';
import { Telephone } from '../server/telephony/rtp/telephone.ts';

export const RELAY_HOST = '127.0.81.50';
export const CARRIER_HOST = '127.0.81.1';
const CALLER_HOST = '127.0.81.11';
const CALLEE_HOST = '127.0.81.12';

export interface Carrier extends AsyncDisposable {
  /** Settings of a server whose trunk it is. */
  readonly env: Readonly<Record<string, string>>;
  /** Telephones that the server has rung. */
  readonly rung: IncomingCall[];
  /** Every SIP message that the server has sent, with whose call it is of. */
  readonly received: { readonly callId: string; readonly text: string }[];
  /** The n-th telephone that is rung. */
  rings(n?: number): Promise<IncomingCall>;
  /** The n-th telephone is answered. */
  answers(n?: number): Promise<Talk & AsyncDisposable>;
  /** Somebody dials. */
  dial(from: string, x: string): Promise<Dialled>;
}

export interface Dialled extends AsyncDisposable {
  readonly call: OutgoingCall;
  readonly phone: Telephone;
  readonly outcome: Promise<CallOutcome>;
  /** Throws when it was not answered. */
  talk(): Promise<Talk>;
}

export async function startCarrier(relays: readonly string[]): Promise<Carrier> {
  await using stack = new AsyncDisposableStack();
  const rung: IncomingCall[] = [];
  const received: Carrier['received'] = [];
  const sip = await SipEndpoint.listen({
    address: CARRIER_HOST,
    port: 0,
    allow: ['127.0.0.0/8'],
    onInvite: (call) => {
      rung.push(call);
    },
    openDatagrams: (address) => listening(openDatagrams(address), received),
  });
  stack.defer(() => sip.close());
  const sipPort = await freePort();
  // Four ports a call, and two test files at a time at most.
  const firstPort = 21_000 + 200 * (process.pid % 50);
  const relay = { protocol: 'udp', address: RELAY_HOST, port: sipPort } as const;
  const owned = stack.move();
  const carrier: Carrier = {
    env: {
      TELECONSULT_PHONE_PROVIDER: 'embedded',
      TELECONSULT_PHONE_NUMBERS: relays.join(','),
      TELECONSULT_PHONE_LABEL: 'Clinic',
      TELECONSULT_PHONE_LANGUAGE: 'en',
      TELECONSULT_SIP_LISTEN_HOST: RELAY_HOST,
      TELECONSULT_SIP_LISTEN_PORT: String(sipPort),
      TELECONSULT_SIP_TRUNK_HOST: CARRIER_HOST,
      TELECONSULT_SIP_TRUNK_PORT: String(sip.port),
      TELECONSULT_SIP_TRUNK_SOURCES: '127.0.81.0/24',
      TELECONSULT_RTP_LISTEN_HOST: RELAY_HOST,
      TELECONSULT_RTP_FIRST_PORT: String(firstPort),
      TELECONSULT_RTP_LAST_PORT: String(firstPort + 199),
    },
    rung,
    received,
    rings: (n = 0) => eventually('a telephone rings', () => rung[n], { withinMs: 15_000 }),
    async answers(n = 0) {
      const call = await carrier.rings(n);
      return pickUp(call, await Telephone.at(CALLEE_HOST));
    },
    async dial(from, x) {
      const phone = await Telephone.at(CALLER_HOST);
      const call = sip.invite({
        uri: `sip:${x}@${RELAY_HOST}:${sipPort}`,
        via: relay,
        from: { uri: `sip:${from}@${CARRIER_HOST}` },
        headers: [['P-Asserted-Identity', `<sip:${from}@${CARRIER_HOST}>`]],
        sdp: offerOf(phone),
      });
      return {
        call,
        phone,
        outcome: call.outcome,
        async talk() {
          const outcome = await call.outcome;
          if (outcome.type !== 'answered') throw new Error(`not answered: ${outcome.type}`);
          const { dialog, sdp } = outcome;
          return { phone, dialog, to: placeIn(sdp), ended: dialog.ended };
        },
        async [Symbol.asyncDispose]() {
          call.cancel();
          const outcome = await call.outcome;
          if (outcome.type === 'answered') void outcome.dialog.bye();
          await phone[Symbol.asyncDispose]();
        },
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return carrier;
}

/** Keeps what comes, as it came. */
function listening(real: Datagrams, received: { callId: string; text: string }[]): Datagrams {
  const heard: Datagrams = {
    bind: (host, port) => real.bind(host, port),
    send: (bytes, host, port) => real.send(bytes, host, port),
    onDatagram: () => undefined,
    close: () => real.close(),
  };
  real.onDatagram = (bytes, host, port) => {
    const text = Buffer.from(bytes).toString('latin1');
    received.push({ callId: /^Call-ID:\s*(\S+)/im.exec(text)?.[1] ?? '', text });
    heard.onDatagram(bytes, host, port);
  };
  return heard;
}

/** The key of a telephone (RFC 4733), as a phone sends it: repeated, and with its end told three times. */
export function press({ phone, to }: Talk, digit: string): void {
  const code = '0123456789*#'.indexOf(digit);
  const { timestamp } = phone.numbers;
  for (let repeat = 0; repeat < 6; repeat += 1)
    phone.frame(to, {
      payloadType: 101,
      marker: repeat === 0,
      timestamp,
      payload: Uint8Array.from([code, repeat >= 3 ? 0x8a : 0x0a, 3, 32]),
    });
}

/** Sound of a pitch until it is stopped; a telephone that is not heard is soon thought gone. */
export function speak({ phone, to }: Talk, frequency: number): { stop(): void } {
  const timer = setInterval(() => phone.frame(to, { payload: phone.toneFrame(frequency, 8) }), 20);
  return { stop: () => clearInterval(timer) };
}
