/** What the SDK inside a page says of its call, and what its browser receives of each of the others. */
import type { Call, CallOutcome, TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { CallMedia, CallState, ConsultationId, SeatView } from '@teleconsult/protocol';
import { eventually } from '../helpers/eventually.ts';
import type { Person } from './browser.ts';

/** The pages' one element holds the client; a consultation that is opened again is the object that the page shows. */
interface AppElement extends Element {
  readonly client: TeleconsultClient | null;
}

declare global {
  interface Window {
    /** The calls of this page since `followCalls`, those that are over included. */
    followedCalls?: Call[];
  }
}

export interface CallSeen {
  readonly callId: string;
  readonly state: CallState;
  readonly media: CallMedia;
  readonly role: Call['role'];
  readonly outcome: CallOutcome | null;
  readonly audioOnly: boolean;
  readonly seats: readonly Pick<SeatView, 'personId' | 'state' | 'screenOn' | 'callWaiting'>[];
  readonly tracks: readonly { readonly from: string; readonly source: string; readonly paused: boolean }[];
}

/** What arrived of one track so far. */
export interface TrackReceived {
  readonly framesDecoded: number;
  readonly frameWidth: number;
  readonly audioEnergy: number;
  /** How much sound was received, in milliseconds. */
  readonly soundMs: number;
}

/** Remembers the calls of a consultation from now on: the SDK lets go of one that is over. */
export function followCalls(person: Person, id: ConsultationId): Promise<void> {
  return person.page.evaluate(async (consultationId) => {
    const app = document.querySelector<AppElement>('tele-app-patient, tele-app-doctor');
    const consultation = await app?.client?.open(consultationId);
    if (consultation === undefined) throw new Error('the page has no client');
    window.followedCalls ??= [];
    const calls = window.followedCalls;
    const follow = (call: Call | null): void => {
      if (call !== null && !calls.includes(call)) calls.push(call);
    };
    follow(consultation.call);
    consultation.on('call', follow);
  }, id);
}

/** The calls that this page was told of, oldest first. */
export function callsOf(person: Person): Promise<CallSeen[]> {
  return person.page.evaluate(() =>
    (window.followedCalls ?? []).map((call) => ({
      callId: call.id,
      state: call.view.state,
      media: call.view.media,
      role: call.role,
      outcome: call.outcome,
      audioOnly: call.audioOnly.on,
      seats: call.view.seats.map(({ personId, state, screenOn, callWaiting }) => ({
        personId,
        state,
        screenOn,
        callWaiting,
      })),
      tracks: call.remoteTracks.map(({ personId, source, paused }) => ({ from: personId, source, paused })),
    })),
  );
}

/** Waits until the newest call of this page is as wanted. */
export function callBecomes(
  person: Person,
  what: string,
  isSo: (call: CallSeen) => boolean,
): Promise<CallSeen> {
  let seen: CallSeen | undefined;
  return eventually(
    what,
    async () => {
      seen = (await callsOf(person)).at(-1);
      return seen !== undefined && isSo(seen) && seen;
    },
    { withinMs: 20_000, lastSeen: () => seen },
  );
}

export const isLive = ({ state }: CallSeen): boolean => state === 'live';

/** The acts of a call that need no more than their name and what follows it. */
type Act = 'setMedia' | 'invite' | 'leave' | 'hangUp' | 'setAudioOnly' | 'setScreen' | 'accept' | 'decline';

/** Does something with the newest call through the SDK of the page. */
export function act<A extends Act>(person: Person, name: A, ...args: Parameters<Call[A]>): Promise<void> {
  return person.page.evaluate(
    async ([method, parameters]) => {
      const call = window.followedCalls?.at(-1);
      if (call === undefined) throw new Error('the page has no call');
      await (call[method] as (...values: unknown[]) => Promise<void>).apply(call, parameters);
    },
    [name, args] as [Act, unknown[]],
  );
}

/** What this page receives of one track of its newest call; null while there is none. */
export function received(person: Person, from: string, source: string): Promise<TrackReceived | null> {
  return person.page.evaluate(
    async ([personId, wanted]) => {
      const call = window.followedCalls?.at(-1);
      const track = call?.remoteTracks.find(
        (remote) => remote.personId === personId && remote.source === wanted,
      )?.track;
      const { receive } = (await call?.stats()) ?? { receive: null };
      for (const report of receive?.values() ?? [])
        if (report.type === 'inbound-rtp' && report.trackIdentifier === track?.id)
          return {
            framesDecoded: Number(report.framesDecoded ?? 0),
            frameWidth: Number(report.frameWidth ?? 0),
            audioEnergy: Number(report.totalAudioEnergy ?? 0),
            soundMs: Number(report.totalSamplesDuration ?? 0) * 1000,
          };
      return null;
    },
    [from, source],
  );
}

/** Waits until more of a track arrives from now on: decoded frames of a picture, energy of a sound. */
export async function arrives(
  person: Person,
  from: string,
  source: 'microphone' | 'camera' | 'screen',
): Promise<void> {
  const measure = source === 'microphone' ? 'audioEnergy' : 'framesDecoded';
  const before = (await received(person, from, source))?.[measure] ?? 0;
  await eventually(
    `${source} of ${from}`,
    async () => ((await received(person, from, source))?.[measure] ?? 0) > before,
    { withinMs: 20_000 },
  );
}

/** How many media connections of this page are not closed. */
export function openConnections(person: Person): Promise<number> {
  return person.page.evaluate(() => {
    const { teleconsultConnections } = window as typeof window & {
      teleconsultConnections: RTCPeerConnection[];
    };
    return teleconsultConnections.filter(({ connectionState }) => connectionState !== 'closed').length;
  });
}

type Named = Readonly<Record<string, Person>>;

/** Each sees and hears each of the others, from now on. */
export async function allSeeAndHear(people: Named): Promise<void> {
  const pairs = Object.entries(people).flatMap(([name, person]) =>
    Object.keys(people).flatMap((other) => (other === name ? [] : [{ person, other }])),
  );
  await Promise.all(
    pairs.flatMap(({ person, other }) => [
      arrives(person, other, 'camera'),
      arrives(person, other, 'microphone'),
    ]),
  );
}
