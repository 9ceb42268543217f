import type { Drawn, Told } from './page-record.ts';

export interface Sources {
  readonly microphone: boolean;
  readonly camera: boolean;
}

/** What one side's page was told, showed and received in a cycle of break and return. */
export interface SideObserved {
  readonly personId: string;
  /** Every state of a call told since before the break. */
  readonly told: readonly Told[];
  readonly drawn: readonly Drawn[];
  /** The call in the end; null: none. */
  readonly callId: string | null;
  readonly outcome: string | null;
  /** What this side wanted to send in the end. */
  readonly wishes: Sources;
  /** Entries of the thread which say that a call ended. */
  readonly endedEntries: number;
  /** Whether new frames and new sound came from the other side in the end. */
  readonly receives: Sources;
}

export interface CycleObserved {
  /** The call from before. */
  readonly callId: string;
  /** What each was sending before the break, by person. */
  readonly before: Readonly<Record<string, Sources>>;
  readonly sides: readonly SideObserved[];
  /** Whose page was loaded anew, and so shows the floating window; null: nobody's. */
  readonly restored: string | null;
  /** The longest time without media while only the signalling was cut, in milliseconds; null: something else was cut. */
  readonly silenceMs: number | null;
}

/** With the signalling alone cut, media goes on. A loaded machine may stall; a path that is lost is silent for longer. */
const LONGEST_SILENCE_MS = 10_000;

/** What a cycle broke of the promise that nothing breaks the visit; empty when it kept it. */
export function violationsOf(cycle: CycleObserved): string[] {
  const found = cycle.sides.flatMap((side) =>
    [
      ...wrongCalls(cycle, side),
      ...endings(side),
      ...ghosts(side),
      ...flips(cycle, side),
      ...silences(cycle, side),
      ...windows(cycle, side),
    ].map((what) => `${side.personId}: ${what}`),
  );
  if (cycle.silenceMs !== null && cycle.silenceMs > LONGEST_SILENCE_MS)
    found.push(`media stood still for ${cycle.silenceMs} ms while only the signalling was cut`);
  return found;
}

function wrongCalls({ callId }: CycleObserved, side: SideObserved): string[] {
  const others = new Set(
    [...side.told.map((told) => told.callId), side.callId].filter((id) => id !== callId),
  );
  return others.size === 0
    ? []
    : [`another call than ${callId}: ${[...others].map((id) => id ?? 'none').join(', ')}`];
}

function endings(side: SideObserved): string[] {
  const told = side.told.find(({ state }) => state === 'ended');
  const left = side.told.find(({ seats }) => seats.some(({ state }) => state === 'left'));
  return [
    ...(told === undefined ? [] : [`was told that the call ended (${told.endReason})`]),
    ...(left === undefined ? [] : ['was told that somebody left']),
    ...(side.outcome === null ? [] : [`its call is over (${side.outcome})`]),
    ...(side.endedEntries === 0 ? [] : ['the thread says that the call ended']),
    ...(side.drawn.some(({ saysEnded }) => saysEnded) ? ['its page said that the call ended'] : []),
  ];
}

/** More than one of a person, anywhere, at any time. */
function ghosts(side: SideObserved): string[] {
  const seats = Math.max(0, ...side.told.map((told) => most(told.seats.map(({ personId }) => personId))));
  const tiles = Math.max(0, ...side.drawn.flatMap((drawn) => Object.values(drawn.tiles)));
  const tracks = Math.max(0, ...side.drawn.map((drawn) => drawn.tracks));
  return [
    ...(seats > 1 ? [`one person had ${seats} seats`] : []),
    ...(tiles > 1 ? [`one person had ${tiles} tiles`] : []),
    ...(tracks > 1 ? [`one person had ${tracks} tracks of one kind`] : []),
  ];
}

/** Nothing that was off is on, not even for a moment; and in the end all is as it was. */
function flips({ before }: CycleObserved, side: SideObserved): string[] {
  const found: string[] = [];
  for (const [personId, was] of Object.entries(before)) {
    const seats = side.told.flatMap((told) => told.seats.filter((seat) => seat.personId === personId));
    if (!was.microphone && seats.some(({ microphoneOn }) => microphoneOn))
      found.push(`${personId}'s microphone was switched on`);
    if (!was.camera && seats.some(({ cameraOn }) => cameraOn))
      found.push(`${personId}'s camera was switched on`);
    const now = seats.at(-1);
    if (now !== undefined && was.microphone && !now.microphoneOn)
      found.push(`${personId}'s microphone stayed off`);
    if (now !== undefined && was.camera && !now.cameraOn) found.push(`${personId}'s camera stayed off`);
  }
  const own = before[side.personId];
  if (own !== undefined && own.microphone !== side.wishes.microphone)
    found.push('its own microphone is not as before');
  if (own !== undefined && own.camera !== side.wishes.camera) found.push('its own camera is not as before');
  return found;
}

function silences({ before }: CycleObserved, side: SideObserved): string[] {
  const others = Object.entries(before).filter(([personId]) => personId !== side.personId);
  const sent = {
    microphone: others.some(([, { microphone }]) => microphone),
    camera: others.some(([, { camera }]) => camera),
  };
  return [
    ...(sent.microphone && !side.receives.microphone ? ['hears nothing'] : []),
    ...(sent.camera && !side.receives.camera ? ['sees nothing'] : []),
  ];
}

function windows({ restored }: CycleObserved, side: SideObserved): string[] {
  const now = side.drawn.at(-1);
  return [
    ...(side.drawn.some((drawn) => drawn.windows > 1) ? ['more than one floating window'] : []),
    ...(restored === side.personId && now?.floating !== 'page'
      ? [`no floating window after the page was loaded anew (${now?.floating ?? 'none'})`]
      : []),
  ];
}

function most(names: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}
