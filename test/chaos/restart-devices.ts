/** Many devices of the SDK in one process, and what a restart of their server does to them. */
import { type ConsultationId, DeviceId } from '@teleconsult/protocol';
import { Connection } from '../../client-sdk/connection.ts';
import { Lifetime } from '../../client-sdk/lifetime.ts';
import type { FactHandlers } from '../../client-sdk/link.ts';
import { defaultReconnectPolicy } from '../../client-sdk/reconnect-policy.ts';
import { persist } from '../../client-sdk/requests.ts';
import type { ReconnectPolicy } from '../../client-sdk/resume-api.ts';
import { TokenSource } from '../../client-sdk/token-source.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';

interface Device {
  readonly connection: Connection;
  /** Moments at which the server had let it in and answered what every app asks for first. */
  readonly servedAt: number[];
  readonly enteredAt: number[];
}

export interface Comeback {
  readonly devices: number;
  /** For each device that came back: how long after the server listened again its app could go on. */
  readonly servedAfterMs: readonly number[];
  readonly enteredAfterMs: readonly number[];
  readonly neverBack: number;
  /** Devices that entered more than once. */
  readonly twice: number;
  /** Connections that the server counts in the end. */
  readonly connections: number;
  /** Delay of the server's event loop during all that, 99th percentile, in milliseconds. */
  readonly lagMs: number;
}

export interface Limits {
  readonly perSecond: number;
  readonly lagMs: number;
}

/** How many are connected at the same time at first: that is not what is tested. */
const ABREAST = 50;

/** The default without its jitter: everybody does the same at the same time. */
export const inStep: ReconnectPolicy = { ...defaultReconnectPolicy, connectionDelayMs: () => 100 };

export class ManyDevices implements AsyncDisposable {
  readonly #devices: readonly Device[];

  private constructor(devices: readonly Device[]) {
    this.#devices = devices;
  }

  /** Two devices a consultation, its patient's and its doctor's, all connected. */
  static async connect(
    origin: string,
    { count, policy = defaultReconnectPolicy }: { count: number; policy?: ReconnectPolicy },
  ): Promise<ManyDevices> {
    const devices: Device[] = [];
    for (let pair = 0; pair < count / 2; pair += ABREAST / 2) {
      const pairs = Array.from({ length: Math.min(ABREAST / 2, count / 2 - pair) }, (_, n) => pair + n);
      await Promise.all(
        pairs.map(async (number) => {
          const view = await createConsultation(origin, hostToken(), `restart-${number}`);
          for (const person of Object.values(peopleOf(view)))
            devices.push(await open({ origin, person, consultationId: view.consultationId, policy }));
        }),
      );
    }
    return new ManyDevices(devices);
  }

  /** Restarts the server and waits until everybody is back, or for as long as is said. */
  async comeBackFrom(
    restart: () => Promise<void>,
    { origin, withinMs }: { origin: string; withinMs: number },
  ): Promise<Comeback> {
    for (const { servedAt, enteredAt } of this.#devices) servedAt.length = enteredAt.length = 0;
    await restart();
    const listeningAt = performance.now();
    // From now on the delay is measured.
    await loopDelayMs(origin).catch(() => 0);
    const isBack = ({ servedAt }: Device): boolean => servedAt.length > 0;
    while (!this.#devices.every(isBack) && performance.now() - listeningAt < withinMs)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const after = (times: readonly number[]): number[] =>
      times.slice(0, 1).map((at) => Math.max(0, at - listeningAt));
    return {
      devices: this.#devices.length,
      servedAfterMs: this.#devices.flatMap(({ servedAt }) => after(servedAt)).sort((a, b) => a - b),
      enteredAfterMs: this.#devices.flatMap(({ enteredAt }) => after(enteredAt)).sort((a, b) => a - b),
      neverBack: this.#devices.filter((device) => !isBack(device)).length,
      twice: this.#devices.filter(({ enteredAt }) => enteredAt.length > 1).length,
      lagMs: await loopDelayMs(origin),
      connections: await gauge(origin, 'teleconsult_connections'),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { connection } of this.#devices) connection.close();
  }
}

/** What is wrong with how they came back; nothing when all is well. */
export function stampede(comeback: Comeback, { perSecond, lagMs }: Limits): string[] {
  const { devices, neverBack, twice, connections } = comeback;
  const wrong: string[] = [];
  if (neverBack > 0) wrong.push(`${neverBack} never back`);
  if (twice > 0) wrong.push(`${twice} entered twice`);
  if (connections !== devices) wrong.push(`${connections} connections of ${devices} devices`);
  const most = mostInASecond(comeback.enteredAfterMs);
  if (most > perSecond) wrong.push(`${most} entered in one second`);
  if (comeback.lagMs > lagMs) wrong.push(`the event loop was ${Math.round(comeback.lagMs)} ms late`);
  return wrong;
}

/** Of sorted moments in milliseconds. */
export function mostInASecond(times: readonly number[]): number {
  let most = 0;
  let from = 0;
  for (const [index, at] of times.entries()) {
    while (at - (times[from] ?? at) >= 1_000) from += 1;
    most = Math.max(most, index - from + 1);
  }
  return most;
}

/** Delay of the server's event loop since it was last asked, 99th percentile. */
export async function loopDelayMs(origin: string): Promise<number> {
  return (await gauge(origin, 'nodejs_eventloop_lag_p99_seconds')) * 1_000;
}

async function gauge(origin: string, name: string): Promise<number> {
  const text = await (await fetch(`${origin}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

async function open({
  origin,
  person,
  consultationId,
  policy,
}: {
  origin: string;
  person: string;
  consultationId: ConsultationId;
  policy: ReconnectPolicy;
}): Promise<Device> {
  const facts = {} as FactHandlers;
  const connection = new Connection({
    url: origin,
    deviceId: DeviceId.parse(`device-of-${person}`),
    tokens: new TokenSource(() => personToken(person)),
    requestTimeoutMs: 10_000,
    policy,
    facts,
  });
  const life = new Lifetime();
  const device: Device = { connection, servedAt: [], enteredAt: [] };
  const serve = async (): Promise<void> => {
    device.enteredAt.push(performance.now());
    const parts = { signalling: connection, life };
    await persist(parts, () => connection.request('consultation.watch', { consultationId }));
    await persist(parts, () => connection.request('consultation.list', {}));
    device.servedAt.push(performance.now());
  };
  connection.onConnected(() => void serve().catch(() => {}));
  await connection.open(life);
  return device;
}
