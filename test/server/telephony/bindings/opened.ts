import type { Log, LogFields } from '@teleconsult/server/host/ports';
import { MemoryPhone } from '@teleconsult/server/storage/memory/memory-phone';
import { PhoneBindings } from '@teleconsult/server/telephony/bindings/phone-bindings';
import type { PhoneRecordings } from '@teleconsult/server/telephony/bindings/ports';
import { randomPhoneIds } from '@teleconsult/server/telephony/bindings/random-phone-ids';
import { DEFAULT_PHONE_SETTINGS, type PhoneSettings } from '@teleconsult/server/telephony/bindings/settings';
import type { PhoneStore } from '@teleconsult/server/telephony/bindings/store';
import { normalise, type PhoneNumber } from '@teleconsult/server/telephony/numbers';
import type { CallDecision, IncomingPhoneCall } from '@teleconsult/server/telephony/ports';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { FakeProvider } from './fake-provider.ts';
import { consultation, FakeVisits, person } from './fake-visits.ts';

export const NOW = Date.UTC(2026, 0, 5, 8);

export const number = (text: string): PhoneNumber => normalise(text, 'CN');
/** Everybody's own number. */
export const NUMBERS: Readonly<Record<string, PhoneNumber>> = {
  dora: number('13800000001'),
  dan: number('13800000002'),
  pat: number('13900000001'),
  pia: number('13900000002'),
};
export const RELAYS = ['17000000001', '17000000002', '17000000003'].map(number);

export interface Logged extends LogFields {
  readonly level: 'info' | 'warn' | 'error';
  readonly step: string;
}

export interface OpenOptions {
  readonly settings?: Partial<PhoneSettings>;
  readonly provider?: FakeProvider;
  readonly store?: PhoneStore;
  readonly visits?: FakeVisits;
  readonly recordings?: PhoneRecordings;
  readonly now?: number;
  /** False: nobody's number is known. */
  readonly known?: boolean;
}

/** Bindings on stores in memory, with a clock that stands until it is moved. Time passes only by `tick`. */
export async function openBindings(options: OpenOptions = {}) {
  const { provider = new FakeProvider(), store = new MemoryPhone(), visits = new FakeVisits() } = options;
  const dir = await tempDir();
  const logged: Logged[] = [];
  const say = (level: Logged['level']) => (step: string, fields?: LogFields) =>
    void logged.push({ level, step, ...fields });
  const log: Log = { info: say('info'), warn: say('warn'), error: say('error') };
  const time = { now: options.now ?? NOW };
  const settings: PhoneSettings = {
    ...DEFAULT_PHONE_SETTINGS,
    label: 'Clinic',
    relays: { [provider.name]: RELAYS },
    ...options.settings,
  };
  const keys = await openLocalKeyFile({ path: `${dir.path}/keys.json`, mayCreate: true, now: 0 });
  const vault = { vault: new Vault(keys) };
  const parts = {
    ...vault,
    store,
    host: visits,
    providers: [provider],
    recordings: options.recordings ?? null,
    settings,
    ids: randomPhoneIds,
    clock: () => time.now,
    log,
  };
  const bindings = await PhoneBindings.open(parts);
  if (visits.views.size === 0) visits.set(1, { dora: 'doctor', pat: 'patient' }, { phaseSince: time.now });
  if (options.known !== false)
    for (const [name, text] of Object.entries(NUMBERS)) await bindings.setNumber(person(name), text);
  let calls = 0;
  return {
    bindings,
    parts,
    provider,
    store,
    visits,
    logged,
    time,
    /** A relay number for a visit, by this person. */
    bind: async (by = 'dora', visit = 1, wish: object = {}) => {
      const { board, bindingId } = await bindings.bind(consultation(visit), person(by), {
        clientBindingId: `client-of-${by}`,
        direction: 'both',
        recorded: false,
        ...wish,
      });
      const view = board.bindings.find((one) => one.bindingId === bindingId);
      if (view === undefined) throw new Error('not on the board');
      return { bindingId, view, x: view.number as PhoneNumber | null };
    },
    /** Somebody dials a relay number. */
    dial: (from: string | null, x: PhoneNumber | null, change: Partial<IncomingPhoneCall> = {}) => {
      calls += 1;
      return bindings.decide({
        provider: provider.name,
        callRef: `call-${calls}`,
        from: from === null ? null : (NUMBERS[from] ?? number(from)),
        x: x ?? number('17000009999'),
        at: time.now,
        ...change,
      });
    },
    board: (by = 'dora', visit = 1) => bindings.board(consultation(visit), person(by)),
    [Symbol.asyncDispose]: async () => {
      await bindings.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

export type Opened = Awaited<ReturnType<typeof openBindings>>;

export function bridged(decision: CallDecision): Extract<CallDecision, { do: 'bridge' }> {
  if (decision.do !== 'bridge') throw new Error(`turned away: ${decision.why}`);
  return decision;
}
