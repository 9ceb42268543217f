import { AppError } from '@teleconsult/protocol';
import { Admission, type AdmissionOutcome } from '@teleconsult/server/signalling/admission';
import { claimedPerson } from '@teleconsult/server/signalling/claimed-person';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { peopleOf, startTestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startCall, startVisit } from '../../helpers/visit.ts';
import { RawWebSocket } from '../../security/raw-websocket.ts';

/** A door whose clock a test turns, and the people at it. */
class Door {
  readonly outcomes: AdmissionOutcome[] = [];
  /** When each one entered, in the order in which they did. */
  readonly entered: { readonly name: string; readonly at: number }[] = [];
  readonly refused: { readonly name: string; readonly error: AppError }[] = [];
  readonly admission: Admission;

  constructor(perSecond: number, random = () => 0.5) {
    this.admission = new Admission({
      perSecond,
      onOutcome: (outcome) => this.outcomes.push(outcome),
      now: () => Date.now(),
      random,
    });
  }

  comes(name: string, isThere: () => boolean = () => true, isUrgent = false): void {
    this.admission.enter(isThere, { isUrgent }).then(
      () => this.entered.push({ name, at: Date.now() }),
      (error: unknown) => {
        if (error instanceof AppError) this.refused.push({ name, error });
      },
    );
  }

  come(count: number, prefix = 'device'): void {
    for (let n = 0; n < count; n += 1) this.comes(`${prefix}-${n}`);
  }
}

describe('the door of the server', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.setSystemTime(0);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('[GATE20] a few at once enter at once', async () => {
    const door = new Door(100);
    door.come(5);
    await vi.advanceTimersByTimeAsync(0);
    expect(door.entered.length).toBe(5);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('[GATE20] of many, as many a second enter as the server serves, in the order in which they came', async () => {
    const door = new Door(100);
    door.come(150);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(door.entered.length).toBeGreaterThanOrEqual(100);
    expect(door.entered.length).toBeLessThanOrEqual(106);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(door.entered.map(({ name }) => name)).toEqual(
      Array.from({ length: 150 }, (_, index) => `device-${index}`),
    );
    expect(vi.getTimerCount()).toBe(0);
  });

  it('[GATE21] a bounded number waits; the others are told OVERLOADED and a moment each, one after the other', async () => {
    const door = new Door(100);
    door.come(1_000);
    await vi.advanceTimersByTimeAsync(0);
    expect(door.admission.waiting).toBe(150);
    const asked = door.refused.map(({ error }) => error.retryAfterMs ?? 0);
    expect(asked.length).toBe(1_000 - 150 - 5);
    expect(new Set(door.refused.map(({ error }) => error.code))).toEqual(new Set(['OVERLOADED']));
    expect(Math.min(...asked)).toBeGreaterThanOrEqual(1_500);
    // Nobody is told the same moment as another, and in no second more than the server takes.
    const perSecond = Map.groupBy(asked, (ms) => Math.floor(ms / 1_000));
    for (const group of perSecond.values()) expect(group.length).toBeLessThanOrEqual(101);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it('[GATE21] nobody is sent away for longer than fifteen seconds, however many come', async () => {
    const random = { value: 0 };
    const door = new Door(10, () => (random.value = (random.value + 0.1) % 1));
    door.come(5_000);
    await vi.advanceTimersByTimeAsync(0);
    const asked = door.refused.map(({ error }) => error.retryAfterMs ?? 0);
    expect(Math.max(...asked)).toBeLessThanOrEqual(15_000);
    // And those are spread.
    expect(new Set(asked.filter((ms) => ms >= 10_000)).size).toBeGreaterThan(5);
  });

  it('[GATE21] those sent away find the door open when they come back at the moment they were told', async () => {
    const door = new Door(100);
    door.come(600);
    await vi.advanceTimersByTimeAsync(0);
    for (const { name, error } of door.refused.splice(0))
      setTimeout(() => door.comes(name), error.retryAfterMs);
    await vi.advanceTimersByTimeAsync(8_000);
    expect(door.refused).toEqual([]);
    expect(door.entered.length).toBe(600);
  });

  it('[GATE22] a process that comes late to its turn lets fewer in, not more', async () => {
    const door = new Door(1_000);
    door.come(1_000);
    // The loop is busy: a whole second passes before anybody is looked at.
    vi.setSystemTime(1_000);
    await vi.advanceTimersByTimeAsync(10);
    expect(door.entered.length).toBeLessThanOrEqual(50 + 50 + 10);
  });

  it('[GATE23] who is gone takes nobody’s place', async () => {
    const door = new Door(100);
    door.come(5, 'first');
    for (let n = 0; n < 100; n += 1) door.comes(`gone-${n}`, () => false);
    door.comes('patient');
    await vi.advanceTimersByTimeAsync(20);
    expect(door.entered.at(-1)?.name).toBe('patient');
    expect(door.outcomes.filter((outcome) => outcome === 'gone').length).toBe(100);
  });

  it('[GATE23] who is gone takes nobody’s place in a line that is full either', async () => {
    const door = new Door(100);
    door.come(5 + 75);
    for (let n = 0; n < 75; n += 1) door.comes(`gone-${n}`, () => false);
    door.comes('patient');
    await vi.advanceTimersByTimeAsync(0);
    expect(door.refused.map(({ name }) => name)).not.toContain('patient');
    expect(door.admission.waiting).toBe(76);
    expect(door.outcomes.filter((outcome) => outcome === 'gone').length).toBe(75);
    // Those who are there keep their order, and the last is no later for those who went.
    await vi.advanceTimersByTimeAsync(800);
    expect(door.entered.at(-1)?.name).toBe('patient');
    expect(door.entered.length).toBe(81);
  });

  it('[GATE27] who sits in a running call is let in first, and does not keep all others out', async () => {
    const door = new Door(100);
    door.come(155, 'other');
    for (let n = 0; n < 40; n += 1) door.comes(`caller-${n}`, () => true, true);
    await vi.advanceTimersByTimeAsync(560);
    const names = door.entered.slice(5, 55).map(({ name }) => name);
    const callers = names.filter((name) => name.startsWith('caller'));
    expect(callers.length).toBeGreaterThanOrEqual(35);
    expect(names.length - callers.length).toBeGreaterThanOrEqual(10);
    expect(callers).toEqual(callers.map((_name, index) => `caller-${index}`));
    // There is room for them when the others fill the door.
    expect(door.refused).toEqual([]);
  });

  it('[GATE27] whom a token claims to speak for is read without trust and without a throw', () => {
    expect(claimedPerson(personToken('patient-1'))).toBe('patient-1');
    const unsigned = `x.${Buffer.from('{"sub":"patient-2"}').toString('base64url')}.forged`;
    expect(claimedPerson(unsigned)).toBe('patient-2');
    for (const token of [undefined, 7, '', '.', 'a.b.c', `x.${'A'.repeat(5_000)}.y`, {}])
      expect(claimedPerson(token)).toBeNull();
  });

  it('[GATE24] closing refuses those who wait and leaves no timer', async () => {
    const door = new Door(10);
    door.come(10);
    door.admission.close();
    door.admission.close();
    door.comes('late');
    await vi.advanceTimersByTimeAsync(0);
    expect(door.refused.map(({ error }) => error.code)).toEqual(Array(6).fill('SHUTTING_DOWN'));
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the door of a running server', () => {
  it('[GATE25] a device over the rate is told OVERLOADED before its token is looked at', async () => {
    let verified = 0;
    await using app = await startTestApp({
      admissionsPerSecond: 1,
      tokens: Object.assign(Object.create(null), {
        verify: () => {
          verified += 1;
          throw new AppError('UNAUTHENTICATED');
        },
      }),
    });
    const codes = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const attempt = RawClient.connect(app.origin, personToken(`person-${index}`));
        const error: unknown = await attempt.catch((thrown: unknown) => thrown);
        return error instanceof Error && 'body' in error ? error.body : null;
      }),
    );
    const refused = codes.filter((body) => JSON.stringify(body).includes('OVERLOADED'));
    expect(refused.length).toBeGreaterThanOrEqual(5);
    expect(verified).toBe(20 - refused.length);
    for (const body of refused)
      expect(body).toMatchObject({ retryable: true, retryAfterMs: expect.any(Number) });
    const metrics = await (await fetch(`${app.origin}/metrics`)).text();
    expect(metrics).toContain(`teleconsult_admissions_total{outcome="refused"} ${refused.length}`);
  }, 30_000);

  it('[GATE25] one connection waits once, however often it asks', async () => {
    await using app = await startTestApp({ admissionsPerSecond: 1 });
    const busy = Array.from({ length: 5 }, (_, index) =>
      RawClient.connect(app.origin, personToken(`person-${index}`)),
    );
    await Promise.all(busy.map(async (client) => (await client).facts));
    await using connection = await RawWebSocket.open(app.origin);
    const auth = { protocol: 1, token: personToken('patient-1'), deviceId: 'device-at-the-door' };
    for (let n = 0; n < 4; n += 1) connection.send({ payload: `40${JSON.stringify(auth)}` });
    const refusals = () => connection.texts.filter((text) => text.startsWith('44'));
    await eventually('three refusals', () => refusals().length === 3, { lastSeen: () => connection.texts });
    expect(refusals().every((text) => text.includes('RATE_LIMITED'))).toBe(true);
    for (const client of busy) await (await client)[Symbol.asyncDispose]();
  }, 30_000);

  it('[GATE28] a connection that was told a moment and asks before it is told the same one, and moves nobody else’s', async () => {
    await using app = await startTestApp({ admissionsPerSecond: 1 });
    const clients = Array.from({ length: 12 }, (_, index) =>
      RawClient.connect(app.origin, personToken(`person-${index}`)).catch(() => null),
    );
    const refusedSoFar = async () => {
      const metrics = await (await fetch(`${app.origin}/metrics`)).text();
      return Number(/outcome="refused"} (\d+)/.exec(metrics)?.[1] ?? 0);
    };
    await eventually('the door to be full', async () => (await refusedSoFar()) > 0);
    await using connection = await RawWebSocket.open(app.origin);
    const auth = { protocol: 1, token: 'nobody', deviceId: 'device-at-the-door' };
    const ask = async (times: number) => {
      const before = connection.texts.length;
      for (let n = 0; n < times; n += 1) connection.send({ payload: `40${JSON.stringify(auth)}` });
      await eventually('an answer to each', () => connection.texts.length >= before + times);
      return connection.texts
        .slice(before)
        .map((text) => Number(/"retryAfterMs":(\d+)/.exec(text)?.[1] ?? Number.NaN));
    };
    const [told = Number.NaN] = await ask(1);
    const refused = await refusedSoFar();
    const again = await ask(50);
    expect(Math.max(...again)).toBeLessThanOrEqual(told);
    expect(await refusedSoFar()).toBe(refused);
    for (const client of await Promise.all(clients)) await client?.[Symbol.asyncDispose]();
  }, 30_000);

  it('[GATE29] a person’s id takes few of the places for those in a call, whoever names it', async () => {
    await using app = await startTestApp({ admissionsPerSecond: 20 });
    await using visit = await startVisit(app);
    await startCall(visit);
    const { patient, doctor } = peopleOf(visit.view);
    const forged = `x.${Buffer.from(JSON.stringify({ sub: patient })).toString('base64url')}.x`;
    const flood: Promise<unknown>[] = [];
    for (let n = 0; n < 80; n += 1) flood.push(RawClient.connect(app.origin, forged).catch(() => undefined));
    const metrics = async () => (await fetch(`${app.origin}/metrics`)).text();
    await eventually('the door to be full', async () => (await metrics()).includes('outcome="refused"'));
    await using back = await RawClient.connect(app.origin, personToken(doctor));
    expect(back.socket.connected).toBe(true);
    await Promise.all(flood);
  }, 30_000);

  it('[GATE27] a person of a running call enters before those who came earlier', async () => {
    await using app = await startTestApp({ admissionsPerSecond: 2 });
    await using visit = await startVisit(app);
    await startCall(visit);
    const { patient } = peopleOf(visit.view);
    visit.patient.socket.disconnect();
    const entered: string[] = [];
    const clients: Promise<unknown>[] = [];
    const comes = (person: string) => {
      const entering = RawClient.connect(app.origin, personToken(person)).then((client) => {
        entered.push(person);
        return client[Symbol.asyncDispose]();
      });
      clients.push(entering.catch(() => {}));
    };
    for (let n = 0; n < 12; n += 1) comes(`other-${n}`);
    const metrics = async () => (await fetch(`${app.origin}/metrics`)).text();
    // The door is full: from here on somebody is sent away.
    await eventually('the door to be full', async () => (await metrics()).includes('outcome="refused"'));
    const before = entered.length;
    comes(patient);
    await Promise.all(clients);
    expect(entered.indexOf(patient)).toBeLessThan(before + 3);
    expect(entered.length).toBeGreaterThan(entered.indexOf(patient) + 1);
  }, 30_000);
});
