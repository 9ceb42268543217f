/** Masked calls in the thread: each fact once, however often it is told. What they are about lies beside the thread. */
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { ParticipantCommand, PhoneQuestion, SystemEvent } from './commands.ts';
import { type Attributed, andThen, next, type Outcome, refuse } from './outcome.ts';
import { withoutPhone } from './phone-seats.ts';
import type { ConsultationState } from './state.ts';

export type PhoneFact = Extract<
  SystemEvent,
  {
    type:
      | 'phone.bound'
      | 'phone.unbound'
      | 'phone.callStarted'
      | 'phone.callAnswered'
      | 'phone.callEnded'
      | 'phone.refused';
  }
>;

/**
 * How many facts are remembered: those of some hundred calls. Who tells them remembers what was told, too; only what a
 * crash cut off in between comes again, and that is among the newest.
 */
const REMEMBERED = 320;

/** Visits alone have masked calls. They are told in every phase: the end of a visit gives its numbers back. */
export function phoneInThread(state: ConsultationState, event: PhoneFact, now: number): Outcome {
  if (state.kind !== 'visit') return refuse('WRONG_STATE', 'only visits have masked calls');
  if (event.type === 'phone.refused') return refusal(state, event, now);
  const key = keyOf(event);
  const { told } = state.phone;
  if (told.includes(key)) return next(state);
  // Reports come in any order: that somebody answered is no news of a call that is over.
  if (event.type === 'phone.callAnswered' && told.includes(`phone.callEnded ${event.phoneCallId}`))
    return next(state);
  const phone = { ...state.phone, told: [...told, key].slice(-REMEMBERED) };
  return next({ ...state, phone }, [factOf(event)]);
}

/** Whether masked calls are there for the person now. Who refuses is asked first, whoever refuses. */
export function askPhones(
  state: ConsultationState,
  { type }: Extract<ParticipantCommand, { type: PhoneQuestion }>,
): Outcome {
  if (type !== 'phone.bind' || state.phone.refusedBy.length === 0) return next(state);
  return refuse('FORBIDDEN', 'one of the two does not want to be phoned');
}

function refusal(
  state: ConsultationState,
  { personId, refused, person }: Extract<PhoneFact, { type: 'phone.refused' }>,
  now: number,
): Outcome {
  const { refusedBy } = state.phone;
  if (!state.participants.some((one) => one.personId === personId)) return refuse('NOT_FOUND');
  if (refusedBy.includes(personId) === refused) return next(state);
  const others = refusedBy.filter((one) => one !== personId);
  const phone = { ...state.phone, refusedBy: refused ? [...others, personId] : others };
  const told = next({ ...state, phone }, [
    { fact: { kind: 'phone.refused', personId, refused }, by: person },
  ]);
  return refused ? andThen(told, (after) => withoutPhone(after, personId, now)) : told;
}

type OnceOnly = Exclude<PhoneFact, { type: 'phone.refused' }>;

const keyOf = (event: OnceOnly): string =>
  `${event.type} ${'phoneCallId' in event ? event.phoneCallId : event.bindingId}`;

function factOf(event: OnceOnly): Attributed {
  switch (event.type) {
    case 'phone.bound':
      return {
        fact: { kind: event.type, bindingId: event.bindingId, expiresAt: event.expiresAt },
        by: event.person,
      };
    case 'phone.unbound':
      return {
        fact: { kind: event.type, bindingId: event.bindingId, reason: event.reason },
        by: event.person,
      };
    case 'phone.callStarted':
      return {
        fact: { kind: event.type, bindingId: event.bindingId, phoneCallId: event.phoneCallId },
        by: event.person,
      };
    case 'phone.callAnswered':
      return { fact: { kind: event.type, phoneCallId: event.phoneCallId }, by: event.person };
    case 'phone.callEnded': {
      const { phoneCallId, reason, talkMs, notRecorded } = event;
      const missing = notRecorded === undefined ? {} : { notRecorded };
      return { fact: { kind: event.type, phoneCallId, reason, talkMs, ...missing }, by: event.person };
    }
    default:
      return unreachable(event);
  }
}
