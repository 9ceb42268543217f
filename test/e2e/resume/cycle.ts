import { eventually } from '../../helpers/eventually.ts';
import type { Caller, Wishes } from './caller.ts';
import { type Break, breakIt, type Cause, nameOf } from './causes.ts';
import { type CycleObserved, type SideObserved, violationsOf } from './cycle-check.ts';
import type { Arrival } from './page-record.ts';
import type { ResumeStage } from './resume-stage.ts';

/** How long one side waited from the return to what is new; null where nothing was to come. */
export interface SideTimes {
  readonly frameMs: number | null;
  readonly soundMs: number | null;
}

export interface CycleResult {
  readonly cause: string;
  readonly victim: string;
  /** Whoever it happened to, and the other. */
  readonly times: { readonly own: SideTimes; readonly other: SideTimes };
  readonly violations: readonly string[];
  /** Video was given up for the sake of sound at a side: pictures that come late then are no matter of coming back. */
  readonly gaveUpVideo: boolean;
}

/** Everything must be there again within this; how fast it is, is another question. */
const BACK_WITHIN_MS = 45_000;
/** A gap of media is looked for between two arrivals at most so far apart as pictures and sound are when all is well. */
const SETTLING_MS = 1_000;

/** One cycle: both choose what they send, something breaks, and all is as it was. */
export async function runCycle(
  stage: ResumeStage,
  { cause, victim, wishes }: { cause: Cause; victim: Caller; wishes: Readonly<Record<string, Wishes>> },
): Promise<CycleResult> {
  const { patient, doctor } = stage;
  const both = [patient, doctor];
  for (const caller of both) await caller.want(wishes[caller.personId] ?? { microphone: true, camera: true });
  await bothAgree(both, wishes, 'before the break');
  const callId = (await patient.callNow())?.callId ?? '';
  const seen = await Promise.all(both.map((caller) => arrivesNew(caller, wishes, Date.now())));
  if (seen.some(({ microphone, camera }) => !microphone || !camera))
    throw new Error(`${nameOf(cause)}: no media before the break`);

  const from = Date.now();
  const broken = await breakIt(stage, cause, victim);
  const own = both.indexOf(victim);
  const times = await Promise.all(both.map((caller) => timesOf(caller, wishes, broken)));
  const complaint = await bothAgree(both, wishes, nameOf(cause)).catch((error: Error) => error.message);
  const now = Date.now();
  const receives = await Promise.all(both.map((caller) => arrivesNew(caller, wishes, now)));
  const sides = await Promise.all(
    both.map((caller, index) => observe(caller, from, receives[index] ?? NOTHING)),
  );
  const gaveUpVideo = sides.some(({ drawn }) => drawn.some(({ audioOnly }) => audioOnly));
  const silenceMs =
    cause.kind === 'socket' ? await longestSilence(both, { wishes, gaveUpVideo, broken }) : null;
  const restored = broken.restored?.personId ?? null;
  const observed: CycleObserved = { callId, before: wishes, sides, restored, silenceMs };
  return {
    cause: nameOf(cause),
    victim: victim.personId,
    times: { own: times[own] ?? UNSEEN, other: times[1 - own] ?? UNSEEN },
    gaveUpVideo,
    violations: [...violationsOf(observed), ...(typeof complaint === 'string' ? [complaint] : [])],
  };
}

const NOTHING: Wishes = { microphone: false, camera: false };
const UNSEEN: SideTimes = { frameMs: null, soundMs: null };

/** What the other side sends. */
const sentTo = (caller: Caller, wishes: Readonly<Record<string, Wishes>>): Wishes =>
  Object.entries(wishes).find(([personId]) => personId !== caller.personId)?.[1] ?? NOTHING;

/** Waits until both pages show the live call with both present, and what each sends. */
async function bothAgree(
  both: readonly Caller[],
  wishes: Readonly<Record<string, Wishes>>,
  when: string,
): Promise<void> {
  await Promise.all(
    both.map(async (caller) => {
      await caller.isHeard();
      let seen: unknown;
      await eventually(
        `${when}: the ${caller.personId} to see both present, sending what they want`,
        async () => {
          const call = await caller.callNow();
          seen = call;
          const own = wishes[caller.personId];
          return (
            call?.state === 'live' &&
            call.path === 'connected' &&
            own?.microphone === call.sends.microphone &&
            own.camera === call.sends.camera &&
            Object.entries(wishes).every(([personId, { microphone, camera }]) =>
              call.seats.some(
                (seat) =>
                  seat.personId === personId &&
                  seat.state === 'present' &&
                  seat.microphoneOn === microphone &&
                  seat.cameraOn === camera,
              ),
            )
          );
        },
        { withinMs: BACK_WITHIN_MS, lastSeen: () => seen },
      );
    }),
  );
}

/** Whether what is sent to this side arrives from now on; what is not sent counts as there. */
async function arrivesNew(
  caller: Caller,
  wishes: Readonly<Record<string, Wishes>>,
  since: number,
): Promise<Wishes> {
  const sent = sentTo(caller, wishes);
  const came = async (isThere: (arrival: Arrival) => boolean): Promise<boolean> =>
    eventually('media', async () => (await caller.arrivals(since)).some(isThere), {
      withinMs: BACK_WITHIN_MS,
    }).then(
      () => true,
      () => false,
    );
  const [microphone, camera] = await Promise.all([
    !sent.microphone || came(({ energy }) => energy > 0),
    !sent.camera || came(({ frames }) => frames > 0),
  ]);
  return { microphone, camera };
}

async function timesOf(
  caller: Caller,
  wishes: Readonly<Record<string, Wishes>>,
  { backAt, anew }: Break,
): Promise<SideTimes> {
  const sent = sentTo(caller, wishes);
  const first = async (is: (arrival: Arrival) => boolean): Promise<number | null> => {
    const found = async (): Promise<Arrival | undefined> =>
      (await caller.arrivals(backAt)).find(
        (arrival) => is(arrival) && (!anew || arrival.firstSeenAt >= backAt),
      );
    const arrival = await eventually('media', found, { withinMs: BACK_WITHIN_MS }).catch(() => null);
    return arrival === null ? null : arrival.at - backAt;
  };
  const [frameMs, soundMs] = await Promise.all([
    sent.camera ? first(({ frames }) => frames > 0) : null,
    sent.microphone ? first(({ energy }) => energy > 0) : null,
  ]);
  return { frameMs, soundMs };
}

async function observe(caller: Caller, from: number, receives: Wishes): Promise<SideObserved> {
  const [told, drawn, call] = await Promise.all([caller.told(from), caller.drawn(from), caller.callNow()]);
  return {
    personId: caller.personId,
    told,
    drawn,
    callId: call?.callId ?? null,
    outcome: call?.outcome ?? null,
    wishes: call?.wishes ?? NOTHING,
    endedEntries: await caller.page.locator('[data-testid="entry"][data-kind="call.ended"]').count(),
    receives,
  };
}

/** The longest time without frames or sound at either side from the break on. */
async function longestSilence(
  both: readonly Caller[],
  {
    wishes,
    gaveUpVideo,
    broken: { brokenAt, backAt },
  }: { wishes: Readonly<Record<string, Wishes>>; gaveUpVideo: boolean; broken: Break },
): Promise<number> {
  const gaps = await Promise.all(
    both.map(async (caller) => {
      const sent = sentTo(caller, wishes);
      const arrivals = await caller.arrivals(brokenAt + SETTLING_MS);
      const kinds = [
        ...(sent.camera && !gaveUpVideo ? [({ frames }: Arrival) => frames > 0] : []),
        ...(sent.microphone ? [({ energy }: Arrival) => energy > 0] : []),
      ];
      return kinds.map((is) => {
        const moments = arrivals.filter((arrival) => is(arrival) && arrival.at <= backAt).map(({ at }) => at);
        const all = [brokenAt + SETTLING_MS, ...moments, backAt];
        return Math.max(...all.slice(1).map((at, index) => at - (all[index] ?? at)));
      });
    }),
  );
  return Math.max(0, ...gaps.flat());
}
