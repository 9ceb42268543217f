import { callHandlers } from './calls.ts';
import { consultationHandlers } from './consultations.ts';
import { followUpHandlers } from './follow-ups.ts';
import type { Handlers, Services } from './handler.ts';
import { healthChannelHandlers } from './health-channels.ts';
import { noteHandlers } from './notes.ts';
import { personHandlers } from './people.ts';
import { phoneHandlers } from './phones.ts';
import { recordingHandlers } from './recordings.ts';
import { seatHandlers } from './seats.ts';
import { threadHandlers } from './thread.ts';

/** One handler for each request of the protocol: a missing or surplus one does not compile. */
export const createHandlers = (services: Services): Handlers => ({
  ...personHandlers(services),
  ...consultationHandlers(services),
  ...threadHandlers(services),
  ...callHandlers(services),
  ...seatHandlers(services),
  ...recordingHandlers(services),
  ...noteHandlers(services),
  ...followUpHandlers(services),
  ...phoneHandlers(services),
  ...healthChannelHandlers(services),
});
