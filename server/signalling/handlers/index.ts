import { callHandlers } from './calls.ts';
import { consultationHandlers } from './consultations.ts';
import type { Handlers, Services } from './handler.ts';
import { personHandlers } from './people.ts';
import { seatHandlers } from './seats.ts';
import { threadHandlers } from './thread.ts';

/** One handler for each request of the protocol: a missing or surplus one does not compile. */
export const createHandlers = (services: Services): Handlers => ({
  ...personHandlers(services),
  ...consultationHandlers(services),
  ...threadHandlers(services),
  ...callHandlers(services),
  ...seatHandlers(services),
});
