import type { ParticipantCommand, SystemEvent } from './commands.ts';
import { type Next, next, type Outcome, refuse } from './outcome.ts';
import type { ConsultationState, Timings } from './state.ts';

type Command<T extends ParticipantCommand['type']> = Extract<ParticipantCommand, { type: T }>;

export function send(state: ConsultationState, command: Command<'send'>): Outcome {
  const { messageId, clientMessageId, content, replyTo, by } = command;
  const role = state.participants.find(({ personId }) => personId === by)?.role;
  if (content.type === 'form' && role !== 'patient') return refuse('FORBIDDEN', 'the form is the patient’s');
  const reply = replyTo === undefined ? {} : { replyTo };
  return next(state, [{ fact: { kind: 'message.sent', messageId, clientMessageId, content, ...reply }, by }]);
}

/** The sender takes a message back, for a short while after sending. Again changes nothing. */
export function recall(
  state: ConsultationState,
  { by, target }: Command<'recall'>,
  { now, timings }: { readonly now: number; readonly timings: Timings },
): Outcome {
  if (target.by !== by) return refuse('FORBIDDEN', 'only its sender recalls a message');
  if (target.withdrawn) return next(state);
  if (now > target.at + timings.recallMs) return refuse('EXPIRED', 'the time for recalling has passed');
  const { sequence, messageId } = target;
  return next(state, [{ fact: { kind: 'message.recalled', target: sequence, messageId }, by }]);
}

/** Moderation by the host application, at any time, also after the end: the thread still says so. */
export function remove(
  state: ConsultationState,
  { target, reason }: Extract<SystemEvent, { type: 'host.remove' }>,
): Next {
  if (target.withdrawn) return next(state);
  const { sequence, messageId } = target;
  const why = reason === undefined ? {} : { reason };
  return next(state, [{ fact: { kind: 'message.removed', target: sequence, messageId, ...why }, by: null }]);
}
