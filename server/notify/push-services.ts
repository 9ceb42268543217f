import { createGate, type Gate } from '../attachments/gate.ts';
import type { Clock } from '../host/ports.ts';
import { BoundedMap } from './bounded-map.ts';
import type { Posted } from './post.ts';

/** Requests to one push service at once. */
const WIDTH = 16;
/** After so many requests in a row without an answer a service is left alone. */
const FAILURES = 5;
/** For this long; then one request finds out whether it can be reached again. */
const PAUSE_MS = 60_000;
/** Browsers have a handful; some give every region a name of its own. */
const REMEMBERED_SERVICES = 100;

/** The push service did not answer the last requests, so it was not asked. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  /** When it will be asked again, in milliseconds from now. */
  readonly forMs: number;

  constructor(forMs: number) {
    super('the push service is left alone');
    this.forMs = forMs;
  }
}

interface Service {
  readonly gate: Gate;
  failures: number;
  pausedUntil: number;
}

/**
 * Keeps push services apart. In some networks one of them cannot be reached at all, and requests to it end after
 * ten seconds each: a call must not ring late on a telephone of another maker for that.
 */
export class PushServices {
  readonly #clock: Clock;
  readonly #services = new BoundedMap<string, Service>(REMEMBERED_SERVICES);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws Unreachable at once while the service is left alone */
  async reach(origin: string, request: () => Promise<Posted>): Promise<Posted> {
    const service = this.#of(origin);
    return service.gate.run(async () => {
      const now = this.#clock();
      if (service.pausedUntil > now) throw new Unreachable(service.pausedUntil - now);
      // Of those that waited for the end of the pause one goes, and the others see what becomes of it.
      if (service.failures >= FAILURES) service.pausedUntil = now + PAUSE_MS;
      try {
        const posted = await request();
        service.failures = 0;
        service.pausedUntil = 0;
        return posted;
      } catch (error) {
        service.failures += 1;
        if (service.failures >= FAILURES) service.pausedUntil = this.#clock() + PAUSE_MS;
        throw error;
      }
    });
  }

  #of(origin: string): Service {
    const service = this.#services.get(origin) ?? { gate: createGate(WIDTH), failures: 0, pausedUntil: 0 };
    this.#services.set(origin, service);
    return service;
  }
}
