import type { PhoneBindingId } from '@teleconsult/protocol';
import type { Clock, Log } from '../../host/ports.ts';
import { BoundedMap } from '../../notify/bounded-map.ts';
import type { Vault } from '../../vault/vault.ts';
import {
  type BindRequest,
  type BoundRelay,
  type FetchedRecording,
  type OpenTape,
  type PromptId,
  type RelayCapabilities,
  type RelayCore,
  RelayError,
  type RelayProvider,
} from '../ports.ts';
import type { IncomingCall } from '../sip/incoming-call.ts';
import type { SipStatistics } from '../sip/statistics.ts';
import { token } from '../sip/token.ts';
import type { TrunkState } from '../sip/trunk.ts';
import { CallNews } from './call-news.ts';
import { CallTable } from './call-table.ts';
import type { DialIns } from './dial-ins.ts';
import { endLeftOver } from './end-left-over.ts';
import type { Ending } from './ending.ts';
import { Farewells } from './farewells.ts';
import { identify } from './identify.ts';
import { InboundCall, type InboundWorld } from './inbound-call.ts';
import { isTakeable } from './leg-sound.ts';
import { PhoneLegs } from './phone-legs.ts';
import { PhoneLine } from './phone-line.ts';
import { RelayFigures } from './relay-figures.ts';
import { MAX_ANNOUNCEMENTS, MAX_CALLS, type RelaySettings, type RelayTuning } from './settings.ts';

export interface EmbeddedRelayParts {
  readonly settings: RelaySettings;
  /** null: nothing is recorded. */
  readonly openTape: OpenTape | null;
  readonly vault: Pick<Vault, 'sealRecord' | 'openRecord'>;
  /** Where the table of running calls lies, of this server alone. */
  readonly folder: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly tuning?: RelayTuning;
}

/** Bindings given back are remembered while decisions of before may still come. */
const MOST_UNBOUND = 10_000;
const CHECK_WITHIN_MS = 3_000;

interface Running {
  readonly world: InboundWorld;
  readonly leftOver: Promise<void>;
}

/** For metrics. */
export interface EmbeddedRelayFigures {
  readonly calls: number;
  readonly announcements: number;
  readonly legs: number;
  /** Calls whose sound has its ports. */
  readonly sessions: number;
  readonly trunk: TrunkState;
  /** Calls with news the bindings have not kept yet, and changes on their way to the table. */
  readonly untold: number;
  readonly unwritten: number;
  readonly counts: RelayFigures;
  /** null before the start. */
  readonly sip: SipStatistics | null;
}

/**
 * Our own relay on a carrier's trunk: calls come in by SIP, the bindings are asked, and the other is rung. Nothing is kept
 * here but the calls that run; X is a row in the store of record.
 */
export class EmbeddedRelay implements RelayProvider {
  readonly name = 'embedded';
  readonly capabilities: RelayCapabilities;
  readonly webhooks = [] as const;
  readonly reconcile = null;
  /** Rings single phones for calls of consultations. */
  readonly legs: PhoneLegs;
  readonly #parts: EmbeddedRelayParts;
  readonly #figures = new RelayFigures();
  readonly #calls = new Map<string, InboundCall>();
  readonly #unbound = new BoundedMap<PhoneBindingId, true>(MOST_UNBOUND);
  #announcements = 0;
  #dialIns: DialIns | null = null;
  #running: Running | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: EmbeddedRelayParts) {
    this.#parts = parts;
    this.legs = new PhoneLegs(parts, this.#figures);
    this.capabilities = {
      routing: 'server',
      chooses: 'us',
      changes: new Set(['a', 'b', 'expiresAt', 'direction', 'recorded'] as const),
      recording: parts.openTape === null ? 'none' : 'stereo',
      ringEvents: true,
      endsCalls: true,
      announcements: 'inline',
      webhookProof: 'in_process',
      minLifetimeMs: 0,
    };
  }

  /** Where SIP is listened for; 0 before the start. */
  get port(): number {
    return this.#running?.world.line.port ?? 0;
  }

  /** From now on those who dial in are taken into the calls that run. */
  joinBy(dialIns: DialIns): void {
    this.#dialIns = dialIns;
  }

  /** @throws Error when a port is taken, an announcement is missing, or the trunk is none of its own sources */
  async start(core: RelayCore): Promise<void> {
    const { settings, openTape, vault, folder, log, clock, tuning = {} } = this.#parts;
    const table = await CallTable.open(folder, vault, (error) => {
      this.#figures.tableFailures += 1;
      log.error('phone.tableNotWritten', { error });
    });
    const left = await table.leftOver(log);
    const line = await PhoneLine.open({
      settings,
      tuning,
      log,
      onInvite: (invite) => this.#invited(invite),
    });
    if (this.#closing !== null) {
      await line.close();
      throw new RelayError('unavailable', { detail: 'it was closed while it started' });
    }
    const news = new CallNews(core, this.name, log);
    const farewells = new Farewells(log);
    const world: InboundWorld = {
      line,
      news,
      table,
      figures: this.#figures,
      farewells,
      openTape,
      log,
      clock,
      core,
      dialIns: () => this.#dialIns,
      legs: this.legs,
      provider: this.name,
      wasUnbound: (bindingId) => this.#unbound.get(bindingId) === true,
      mayAnnounce: () => this.#mayAnnounce(),
      announced: () => {
        this.#announcements -= 1;
      },
    };
    this.#running = { world, leftOver: endLeftOver(world, left) };
    this.legs.open({ line, table, farewells });
  }

  async bind({ bindingId, x }: BindRequest): Promise<BoundRelay> {
    if (x === null) throw new RelayError('no_number');
    this.#unbound.delete(bindingId);
    return { bindingId, ref: bindingId, x };
  }

  /** Every call asks anew, so there is nothing to change here. */
  async change(): Promise<void> {}

  async unbind({ bindingId }: BoundRelay, why: PromptId): Promise<void> {
    this.#unbound.set(bindingId, true);
    const ending: Ending = { end: 'unbound', prompt: why, status: 480 };
    const calls = [...this.#calls.values()].filter((call) => call.bindingId === bindingId);
    await Promise.all(calls.map((call) => call.end(ending)));
  }

  async endCall(callRef: string, why: PromptId | null): Promise<void> {
    const end = why === null ? 'completed' : why === 'time_over' ? 'time_over' : 'unbound';
    await this.#calls.get(callRef)?.end({ end, prompt: why, status: 480 });
  }

  async fetchRecording(): Promise<FetchedRecording> {
    // What is recorded here goes straight into the vault.
    throw new RelayError('not_found');
  }

  async deleteRecording(): Promise<void> {}

  async check(): Promise<void> {
    const line = this.#running?.world.line;
    if (line === undefined || this.#closing !== null || !(await line.reaches(CHECK_WITHIN_MS)))
      throw new RelayError('unavailable', { detail: 'the trunk does not answer' });
  }

  figures(): EmbeddedRelayFigures {
    const world = this.#running?.world;
    return {
      calls: this.#calls.size,
      announcements: this.#announcements,
      legs: this.legs.size,
      sessions: world?.line.sessions ?? 0,
      trunk: world?.line.trunkState ?? 'unknown',
      untold: world?.news.waiting ?? 0,
      unwritten: world?.table.pending ?? 0,
      counts: this.#figures,
      sip: world?.line.statistics() ?? null,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const running = this.#running;
    if (running === null) return;
    const { line, news, table, farewells } = running.world;
    const { closeMs } = line.timings;
    // Nobody is told to wait: whoever talks is hung up, and what became of it is told while it can be.
    const ending: Ending = { end: 'lost', prompt: null, status: 503 };
    await Promise.all([...[...this.#calls.values()].map((call) => call.end(ending)), this.legs.close()]);
    await Promise.all([news.close(closeMs), farewells.settled(closeMs)]);
    await line.close();
    await running.leftOver;
    await table.settled();
  }

  #invited(invite: IncomingCall): void {
    const world = this.#running?.world;
    const { settings } = this.#parts;
    if (world === undefined || this.#closing !== null) return invite.refuse(503);
    if (this.#calls.size >= (settings.maxCalls ?? MAX_CALLS)) {
      this.#figures.turnedAway.limit += 1;
      return invite.refuse(503, { retryAfterSeconds: 10 });
    }
    if (invite.offer !== null && !isTakeable(invite.offer)) return invite.refuse(488);
    const { from, x } = identify(invite, settings.defaultRegion);
    if (x === null) {
      this.#figures.turnedAway.unknown_number += 1;
      return invite.refuse(404);
    }
    if (from === x) {
      // A call of ours that somebody's forwarding has sent back: an answer would be an answer to whoever we ring.
      this.#figures.turnedAway.stranger += 1;
      return invite.refuse(482);
    }
    const call = new InboundCall(world, { callRef: token(), invite, from, x });
    this.#calls.set(call.callRef, call);
    void call.run().finally(() => this.#calls.delete(call.callRef));
  }

  #mayAnnounce(): boolean {
    if (this.#announcements >= (this.#parts.settings.maxAnnouncements ?? MAX_ANNOUNCEMENTS)) return false;
    this.#announcements += 1;
    return true;
  }
}
