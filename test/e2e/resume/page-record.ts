/** What a page was told and received, kept by a script that runs in it before anything else. */
import type { Call, TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { CallView } from '@teleconsult/protocol';

/** What arrived of one track between two looks at the statistics. */
export interface Arrival {
  readonly at: number;
  /** When the track was first seen in the statistics: what was there before a break is told from what came after. */
  readonly firstSeenAt: number;
  readonly frames: number;
  readonly energy: number;
}

/** A call as it was told at a moment. */
export interface Told {
  readonly at: number;
  readonly callId: string;
  readonly state: CallView['state'];
  readonly endReason: string | null;
  readonly seats: readonly {
    readonly personId: string;
    readonly state: string;
    readonly microphoneOn: boolean;
    readonly cameraOn: boolean;
    readonly leftReason: string | null;
  }[];
}

/** What stood on the screen at a moment. */
export interface Drawn {
  readonly at: number;
  /** Tiles by person. */
  readonly tiles: Readonly<Record<string, number>>;
  /** The largest count of tracks that one person sends of one kind. */
  readonly tracks: number;
  /** The form of the floating window; null where the page has none. */
  readonly floating: string | null;
  /** How many floating windows are shown. */
  readonly windows: number;
  readonly saysEnded: boolean;
  /** Video was given up for the sake of sound. */
  readonly audioOnly: boolean;
}

export interface PageRecord {
  readonly startedAt: number;
  readonly told: Told[];
  readonly arrivals: Arrival[];
  readonly drawn: Drawn[];
  /** When the connection was made, each time. */
  readonly connectedAt: number[];
  readonly client: () => TeleconsultClient | null;
  readonly call: () => Call | null;
}

declare global {
  interface Window {
    pageRecord?: PageRecord;
  }
}

/** Runs in the page before its own scripts. It uses nothing from outside itself. */
export function keepRecord(): void {
  interface App extends Element {
    readonly client: TeleconsultClient | null;
    readonly ongoing?: { readonly call: { readonly call: Call } | null };
  }
  interface Window_ extends Element {
    readonly state: string;
  }
  const LOOK_MS = 100;
  const DRAWN_MS = 300;
  const KEPT = 5_000;
  const connections: RTCPeerConnection[] = [];
  const seen = new Map<string, { firstSeenAt: number; frames: number; energy: number }>();
  const told: Told[] = [];
  const arrivals: Arrival[] = [];
  const drawn: Drawn[] = [];
  const connectedAt: number[] = [];
  let client: TeleconsultClient | null = null;

  const app = (): App | null => document.querySelector<App>('tele-app-patient, tele-app-doctor');
  const keep = <T>(list: T[], item: T): void => {
    list.push(item);
    if (list.length > KEPT) list.shift();
  };
  const call = (): Call | null => client?.activeCall ?? app()?.ongoing?.call?.call ?? null;

  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      connections.push(this);
    }
  };

  const tell = ({ callId, state, endReason, seats }: CallView): void =>
    keep(told, {
      at: Date.now(),
      callId,
      state,
      endReason,
      seats: seats.map(({ personId, state: of, microphoneOn, cameraOn, leftReason }) => ({
        personId,
        state: of,
        microphoneOn,
        cameraOn,
        leftReason,
      })),
    });

  const finding = setInterval(() => {
    client = app()?.client ?? null;
    if (client === null) return;
    clearInterval(finding);
    client.on('call', tell);
    client.on('connection', ({ state }) => {
      if (state === 'connected') keep(connectedAt, Date.now());
    });
  }, 5);

  let looking = false;
  setInterval(() => {
    if (looking) return;
    looking = true;
    void look().finally(() => {
      looking = false;
    });
  }, LOOK_MS);
  async function look(): Promise<void> {
    for (const [index, connection] of connections.entries()) {
      if (connection.connectionState === 'closed') continue;
      for (const report of (await connection.getStats()).values()) {
        if (report.type !== 'inbound-rtp') continue;
        const at = Date.now();
        const key = `${index} ${report.id}`;
        const frames = Number(report.framesDecoded ?? 0);
        const energy = Number(report.totalAudioEnergy ?? 0);
        const before = seen.get(key) ?? { firstSeenAt: at, frames: 0, energy: 0 };
        const more = { frames: frames - before.frames, energy: energy - before.energy };
        if (more.frames > 0 || more.energy > 0)
          keep(arrivals, { at, firstSeenAt: before.firstSeenAt, ...more });
        seen.set(key, { firstSeenAt: before.firstSeenAt, frames, energy });
      }
    }
  }

  const within = (root: Document | ShadowRoot, found: Element[]): Element[] => {
    for (const element of root.querySelectorAll('*')) {
      const id = element.getAttribute('data-testid');
      if (id === 'call-tile' || id === 'call-state' || element.localName === 'teleconsult-floating-call')
        found.push(element);
      // The thread holds no calls, and many elements.
      if (element.shadowRoot !== null && element.localName !== 'tele-thread')
        within(element.shadowRoot, found);
    }
    return found;
  };
  setInterval(() => {
    const found = within(document, []);
    const tiles: Record<string, number> = {};
    const windows: string[] = [];
    let saysEnded = false;
    let floating: string | null = null;
    for (const element of found)
      if (element.localName === 'teleconsult-floating-call') {
        const { state } = element as Window_;
        floating ??= state;
        if (state !== 'none' && state !== 'expanded') {
          windows.push(state);
          floating = state;
        }
      } else if (element.getAttribute('data-testid') === 'call-state')
        saysEnded ||= element.getAttribute('data-state') === 'ended';
      else {
        const person = element.getAttribute('data-person') ?? '';
        tiles[person] = (tiles[person] ?? 0) + 1;
      }
    const counts: Record<string, number> = {};
    for (const { personId, source } of call()?.remoteTracks ?? [])
      counts[`${personId} ${source}`] = (counts[`${personId} ${source}`] ?? 0) + 1;
    const audioOnly = call()?.audioOnly.on ?? false;
    const tracks = Math.max(0, ...Object.values(counts));
    keep(drawn, { at: Date.now(), tiles, tracks, floating, windows: windows.length, saysEnded, audioOnly });
  }, DRAWN_MS);

  window.pageRecord = {
    startedAt: performance.timeOrigin,
    told,
    arrivals,
    drawn,
    connectedAt,
    client: () => client,
    call,
  };
}
