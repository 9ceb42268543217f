/** A call between two telephones through the relay, on addresses and ports of its own. */

import { type PhoneMediaOptions, startPhoneMedia } from '@teleconsult/server/telephony/rtp/phone-media';
import type {
  LegName,
  LegRemote,
  PhoneMedia,
  PhoneSession,
  SessionEvent,
  SessionOptions,
} from '@teleconsult/server/telephony/rtp/ports';
import { eventually } from '../../../helpers/eventually.ts';
import { Telephone } from './telephone.ts';

export const RELAY = { a: '127.0.61.50', b: '127.0.61.60' } as const;
/** Each test file runs in a process of its own, and several may run at once. */
const FIRST_PORT = 20_000 + 2 * (process.pid % 5_000);

export interface TestMedia extends AsyncDisposable {
  readonly media: PhoneMedia;
}

export async function startMedia(options: Partial<PhoneMediaOptions> = {}): Promise<TestMedia> {
  const media = await startPhoneMedia({ ports: { from: FIRST_PORT, to: FIRST_PORT + 399 }, ...options });
  return { media, [Symbol.asyncDispose]: () => media.close() };
}

export interface PhoneCall extends AsyncDisposable {
  readonly session: PhoneSession;
  readonly a: Telephone;
  readonly b: Telephone;
  readonly events: SessionEvent[];
  /** Where each telephone sends. */
  readonly to: Readonly<Record<LegName, { host: string; port: number }>>;
  /** Resolves when all that was sent before has been dealt with: `a` and `b` packets came in, or were dropped. */
  taken(count: { a?: number; b?: number }): Promise<void>;
}

/** Both have said where they listen, and sound is let through. */
export async function startPhoneCall(
  media: PhoneMedia,
  {
    a: remoteA = {},
    b: remoteB = {},
    ...options
  }: { a?: Partial<LegRemote>; b?: Partial<LegRemote> } & Partial<SessionOptions> = {},
): Promise<PhoneCall> {
  const a = await Telephone.at('127.0.61.1');
  const b = await Telephone.at('127.0.61.2');
  b.ssrc = 0x13900002;
  const events: SessionEvent[] = [];
  const session = await media.open({
    address: RELAY,
    source: { a: 'signalled', b: 'signalled' },
    onEvent: (event) => void events.push(event),
    ...options,
  });
  session.setRemote('a', a.remote(remoteA));
  session.setRemote('b', b.remote(remoteB));
  session.bridge(true);
  const address = options.address ?? RELAY;
  const call: PhoneCall = {
    session,
    a,
    b,
    events,
    to: {
      a: { host: address.a, port: session.ports.a },
      b: { host: address.b, port: session.ports.b },
    },
    async taken(count) {
      let last: unknown;
      await eventually(
        'the relay has taken the packets',
        async () => {
          const statistics = await session.statistics();
          last = statistics;
          const taken = (leg: LegName): boolean =>
            statistics[leg].packetsIn + statistics[leg].dropped >= (count[leg] ?? 0);
          return taken('a') && taken('b');
        },
        { lastSeen: () => last },
      );
    },
    async [Symbol.asyncDispose]() {
      session.close();
      await session.statistics();
      await a[Symbol.asyncDispose]();
      await b[Symbol.asyncDispose]();
    },
  };
  // Commands and datagrams come by different ways; an answered question says that the commands are through.
  await session.statistics();
  return call;
}
