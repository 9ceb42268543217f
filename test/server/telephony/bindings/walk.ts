/** A clinic in which everything happens at once and much of it fails: what bindings are when it is quiet again is checked after it. */
import { AppError, type ParticipantRole } from '@teleconsult/protocol';
import { MemoryPhone } from '@teleconsult/server/storage/memory/memory-phone';
import { PhoneBindings } from '@teleconsult/server/telephony/bindings/phone-bindings';
import type { PhoneStore } from '@teleconsult/server/telephony/bindings/store';
import type { PhoneNumber } from '@teleconsult/server/telephony/numbers';
import { type CallDecision, RelayError } from '@teleconsult/server/telephony/ports';
import { seeded } from '../sip/helpers/random.ts';
import { FakeProvider } from './fake-provider.ts';
import { consultation, FakeVisits, person } from './fake-visits.ts';
import { number, openBindings } from './opened.ts';

const DOCTORS = ['dora', 'dan', 'drew'];
const PATIENTS = ['pat', 'pia', 'pete'];
export const PEOPLE = [...DOCTORS, ...PATIENTS];
const RELAYS = Array.from({ length: 6 }, (_, index) => number(`1700000000${index}`));
const many = { calls: 1e9, talkMs: 1e15 };
const MANY = {
  binding: many,
  consultation: many,
  person: many,
  server: many,
  atOncePerPerson: 2,
  atOnce: 100,
  shortestTalkMs: 60_000,
  bindingsPerConsultation: 1e9,
};
const ABREAST = 6;

/** Answers that never came: before anything was done, or after it. */
function failing<T extends object>(of: T, fails: () => 'before' | 'after' | null, refuse: () => Error): T {
  return new Proxy(of, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...asked: unknown[]): unknown => {
        const how = fails();
        if (how === 'before') return Promise.reject(refuse());
        const answer: unknown = Reflect.apply(value, target, asked);
        return how === 'after' ? Promise.resolve(answer).then(() => Promise.reject(refuse())) : answer;
      };
    },
  });
}

export async function walk(seed: number) {
  const chance = seeded(seed);
  const pick = <T>(from: readonly T[]): T => {
    const one = from[Math.floor(chance() * from.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  };
  const trouble = { on: false };
  const now = (share: number): boolean => trouble.on && chance() < share;
  const lost = () => new AppError('STORAGE_UNAVAILABLE');

  const kept = new MemoryPhone();
  // A write that is refused left nothing behind (`store.ts`); a provider may have done what it was asked.
  const unkept = <T extends object>(part: T): T => failing(part, () => (now(0.05) ? 'before' : null), lost);
  const store: PhoneStore = {
    numbers: unkept(kept.numbers),
    bindings: unkept(kept.bindings),
    calls: unkept(kept.calls),
    news: unkept(kept.news),
    sweep: (before) => kept.sweep(before),
  };
  const held = new FakeProvider('sip', {
    webhookProof: seed % 2 === 0 ? 'in_process' : 'hmac',
    ...(seed % 3 === 0 && { changes: new Set<never>() }),
  });
  const asked = new Set(['bind', 'change', 'unbind', 'endCall']);
  const wrapped: FakeProvider = new Proxy(held, {
    get(target, name): unknown {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const how = asked.has(String(name)) && now(0.25) ? (chance() < 0.5 ? 'before' : 'after') : null;
      const one = failing(
        { ask: (...of: unknown[]): unknown => Reflect.apply(value, target, of) },
        () => how,
        () => new RelayError('unavailable'),
      );
      return one.ask;
    },
  });
  const visits = new FakeVisits();
  const view = visits.view.bind(visits);
  visits.view = async (id) => {
    if (now(0.03)) throw lost();
    return view(id);
  };
  const tell = visits.tell.bind(visits);
  visits.tell = async (...news) => {
    if (now(0.1)) throw lost();
    return tell(...news);
  };

  const opened = await openBindings({
    store,
    visits,
    provider: wrapped,
    known: false,
    settings: { relays: { sip: RELAYS }, coolDownMs: 0, pairsPerRelay: 4, limits: MANY },
  });
  const { parts, time } = opened;
  let { bindings } = opened;
  const book = new Map<string, PhoneNumber>();
  const roles = (doctor: string, patient: string): Record<string, ParticipantRole> => ({
    [doctor]: 'doctor',
    [patient]: 'patient',
  });
  let newest = 0;
  const open = new Map<number, { doctor: string; patient: string }>();
  const begin = (): void => {
    newest += 1;
    const [doctor, patient] = [pick(DOCTORS), pick(PATIENTS)];
    open.set(newest, { doctor, patient });
    visits.set(newest, roles(doctor, patient), { phaseSince: time.now });
  };
  const setNumber = async (name: string, gone: boolean): Promise<void> => {
    const text = `1${PEOPLE.indexOf(name) < 3 ? 3 : 5}8${String(Math.floor(chance() * 1e8)).padStart(8, '0')}`;
    // The host application asks again until it is answered.
    for (;;)
      try {
        await bindings.setNumber(person(name), gone ? null : text);
        if (gone) book.delete(name);
        else book.set(name, number(text));
        return;
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'STORAGE_UNAVAILABLE') throw error;
      }
  };
  for (const name of PEOPLE) await setNumber(name, false);
  for (let visit = 0; visit < 8; visit += 1) begin();

  const wrong: string[] = [];
  let made = 0;
  const once = new Set<string>();
  /** Two changes of one number or visit are one after the other: who of them was last would be anybody’s guess. */
  const alone = async (what: string, task: () => Promise<void>): Promise<void> => {
    if (once.has(what)) return;
    once.add(what);
    await task().finally(() => once.delete(what));
  };
  const calls: { callRef: string; call: Extract<CallDecision, { do: 'bridge' }> }[] = [];
  const dial = async (from: PhoneNumber, x: PhoneNumber): Promise<CallDecision> => {
    made += 1;
    const callRef = `walk-${made}`;
    const decision = await bindings.decide({ provider: 'sip', callRef, from, x, at: time.now });
    if (decision.do === 'bridge') {
      calls.push({ callRef, call: decision });
      if (decision.to === from || decision.showAs !== x)
        wrong.push('connected with oneself, or another number shown');
    }
    return decision;
  };
  const hangUp = async (): Promise<void> => {
    const done = calls.shift();
    if (done === undefined) return;
    const { bindingId, phoneCallId, caller } = done.call;
    const what = { type: 'ended', caller, end: 'completed', talkMs: 1_000 } as const;
    const of = { provider: 'sip', callRef: done.callRef, bindingId, phoneCallId, at: time.now };
    await bindings.event({ ...of, eventId: `${done.callRef}-ended`, what });
  };
  const changed = async (visit: number): Promise<void> => {
    const seen = visits.views.get(consultation(visit));
    if (seen !== undefined) await bindings.consultationChanged(seen);
  };

  const step = async (): Promise<void> => {
    const [visit, people] = pick([...open]);
    const by = chance() < 0.5 ? people.doctor : people.patient;
    const id = consultation(visit);
    const what = chance();
    made += 1;
    if (what < 0.3)
      await bindings.bind(id, person(by), {
        clientBindingId: `client-${made}`,
        direction: 'both',
        recorded: false,
      });
    else if (what < 0.4) {
      const ours = await kept.bindings.openBinding(id);
      if (ours !== null) await bindings.unbind(id, person(by), ours.bindingId);
    } else if (what < 0.5) await bindings.setRefused(id, person(by), chance() < 0.35);
    else if (what < 0.58)
      await alone(by, () => {
        const gone = chance() < 0.1;
        return setNumber(by, gone);
      });
    else if (what < 0.68)
      await alone(`visit ${visit}`, async () => {
        const doctor = pick(DOCTORS);
        open.set(visit, { ...people, doctor });
        visits.set(visit, roles(doctor, people.patient));
        await changed(visit);
      });
    else if (what < 0.74)
      await alone(`visit ${visit}`, async () => {
        if (open.size < 3) return;
        open.delete(visit);
        visits.end(visit);
        begin();
        await changed(visit);
      });
    else if (what < 0.92) {
      const x = pick(RELAYS);
      const from = book.get(by);
      if (from !== undefined) await dial(from, x);
    } else await hangUp();
  };

  /** Rounds in which much fails, and then all that is needed for everything to be as it should. */
  const rounds = async (count: number): Promise<void> => {
    trouble.on = true;
    for (let round = 0; round < count; round += 1) {
      const done = await Promise.allSettled(Array.from({ length: ABREAST }, step));
      for (const one of done)
        if (one.status === 'rejected' && !(one.reason instanceof AppError)) throw one.reason;
      time.now += Math.floor(chance() * 20_000);
      await bindings.tick();
      if (chance() < 0.1) {
        await bindings.close();
        bindings = await openAgain(parts);
      }
    }
    trouble.on = false;
    while (calls.length > 0) await hangUp();
    for (let quiet = 0; quiet < 8; quiet += 1) {
      time.now += 400_000;
      await bindings.tick();
    }
  };

  return {
    rounds,
    wrong,
    kept,
    held,
    visits,
    book,
    open,
    dial,
    relays: RELAYS,
    figures: () => bindings.figures(),
    close: async () => {
      await bindings.close();
      await opened[Symbol.asyncDispose]();
    },
  };
}

/** A server that finds its store out of order does not start; it is started again. */
async function openAgain(parts: Parameters<typeof PhoneBindings.open>[0]): Promise<PhoneBindings> {
  for (;;)
    try {
      const next = await PhoneBindings.open(parts);
      await next.start();
      return next;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
}

export type Walked = Awaited<ReturnType<typeof walk>>;
