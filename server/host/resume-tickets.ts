import { createHash } from 'node:crypto';
import type { ResumeTicket } from '@teleconsult/protocol';
import type { TicketHash } from '../consultation/tickets.ts';

/** What the state keeps of a ticket. 190 random bits need neither salt nor a slow hash. */
export const hashOfTicket = (ticket: ResumeTicket): TicketHash =>
  createHash('sha256').update(ticket).digest('base64url') as TicketHash;
