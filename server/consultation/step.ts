/**
 * The domain's one entrance: state + event + now → the next state with what became true, or a refusal.
 * Pure: it never awaits, reads a clock, makes an id or imports a driver. docs/SPEC.md holds the table.
 */

import { unreachable } from '@teleconsult/protocol/unreachable';
import { acceptCall, declineCall, hangUp, inviteToCall, leaveCall, setCallMedia, startCall } from './call.ts';
import type { ConsultationEvent, ParticipantCommand, SystemEvent } from './commands.ts';
import {
  beginFollowUp,
  cancelFollowUp,
  changeFollowUp,
  completeFollowUp,
  planFollowUp,
  setContact,
} from './follow-ups.ts';
import { joinSeat } from './joining.ts';
import { acceptConsultation, decides, endConsultation, enterWaitingRoom } from './lifecycle.ts';
import { recall, remove, send } from './messages.ts';
import { noteInThread } from './notes.ts';
import { andThen, type Next, next, type Outcome, refuse } from './outcome.ts';
import { addParticipant, removeParticipant, setSubject } from './people.ts';
import { phoneEffects } from './phone-effects.ts';
import { dialIn, phoneSeatEvent, ringPhone } from './phone-seats.ts';
import { askPhones, phoneInThread } from './phone-thread.ts';
import { answerRecording, controlRecording, followSeats, startRecording } from './recording.ts';
import { judge, standingOf } from './rights.ts';
import {
  deviceLost,
  deviceReturned,
  muteSeat,
  restarted,
  setInterrupted,
  setSource,
  setView,
} from './seat.ts';
import type { ConsultationState, Timings } from './state.ts';
import { tick } from './tick.ts';

export interface StepContext {
  readonly now: number;
  readonly timings: Timings;
}

export function step(state: ConsultationState, event: ConsultationEvent, context: StepContext): Outcome {
  const outcome = 'by' in event ? participantStep(state, event, context) : systemStep(state, event, context);
  if (outcome.kind === 'refused') return outcome;
  return withPhones(
    state,
    event,
    andThen(outcome, (after) => followSeats(after, context.now)),
  );
}

function withPhones(before: ConsultationState, event: ConsultationEvent, done: Next): Next {
  const over = event.type === 'phone.seatLeft' ? event.phoneCallId : null;
  const effects = phoneEffects(before, done.state, over);
  return effects.length === 0 ? done : { ...done, effects: [...done.effects, ...effects] };
}

function participantStep(
  state: ConsultationState,
  command: ParticipantCommand,
  context: StepContext,
): Outcome {
  const participant = state.participants.find(({ personId }) => personId === command.by);
  if (participant === undefined) return refuse('NOT_FOUND');
  const verdict = judge(command.type, { role: participant.role, kind: state.kind }, standingOf(state));
  switch (verdict) {
    case 'forbidden':
      return refuse(
        'FORBIDDEN',
        state.kind === 'health_channel' ? 'a health channel has clips and nothing else' : undefined,
      );
    case 'wrong_state':
      return refuse('WRONG_STATE', `the consultation is ${state.phase.name}`);
    case 'idle':
      return next(state);
    case 'allowed':
      return allowedStep(state, command, context);
    default:
      return unreachable(verdict);
  }
}

function allowedStep(state: ConsultationState, command: ParticipantCommand, context: StepContext): Outcome {
  switch (command.type) {
    case 'enter':
      return enterWaitingRoom(state, command.by, context.now);
    case 'accept':
      if (!decides(state, command.by)) return refuse('FORBIDDEN', 'the colleague who was asked accepts');
      return acceptConsultation(state, command.by, context.now);
    case 'decline': {
      if (!decides(state, command.by)) return refuse('FORBIDDEN', 'the colleague who was asked declines');
      const { by, note, reason: declineReason } = command;
      return endConsultation(state, { reason: 'declined', by, declineReason, note }, context.now);
    }
    case 'cancel':
      if (state.kind === 'colleagues' && decides(state, command.by))
        return refuse('FORBIDDEN', 'the doctor who asked cancels');
      return endConsultation(state, { reason: 'cancelled', by: command.by }, context.now);
    case 'end':
      return endConsultation(state, { reason: 'completed', by: command.by, note: command.note }, context.now);
    case 'send':
      return send(state, command);
    case 'recall':
      return recall(state, command, context);
    case 'setSubject':
      return setSubject(state, command, context.now);
    case 'participant.leave':
      return removeParticipant(state, { personId: command.by, by: command.by, reason: 'left' }, context.now);
    case 'participant.remove':
      return removeParticipant(
        state,
        { personId: command.personId, by: command.by, reason: 'removed' },
        context.now,
      );
    case 'call.start':
      return startCall(state, command, context);
    case 'call.accept':
      return acceptCall(state, command, context);
    case 'call.decline':
      return declineCall(state, command, context.now);
    case 'call.hangUp':
      return hangUp(state, command, context.now);
    case 'call.leave':
      return leaveCall(state, command, context.now);
    case 'call.invite':
      return inviteToCall(state, command, context);
    case 'call.setMedia':
      return setCallMedia(state, command);
    case 'seat.join':
      return joinSeat(state, command, context.now);
    case 'seat.setSource':
      return setSource(state, command);
    case 'seat.setView':
      return setView(state, command);
    case 'seat.mute':
      return muteSeat(state, command);
    case 'seat.setInterrupted':
      return setInterrupted(state, command);
    case 'recording.start':
      return startRecording(state, command, context);
    case 'recording.answer':
      return answerRecording(state, command, context.now);
    case 'recording.pause':
    case 'recording.resume':
    case 'recording.stop':
      return controlRecording(state, command, context.now);
    case 'followUp.plan':
      return planFollowUp(state, command, context.now);
    case 'followUp.change':
      return changeFollowUp(state, command, context.now);
    case 'followUp.cancel':
      return cancelFollowUp(state, command, context.now);
    case 'followUp.begin':
      return beginFollowUp(state, command, context.now);
    case 'followUp.complete':
      return completeFollowUp(state, command, context.now);
    case 'contact.set':
      return setContact(state, command, context.now);
    case 'phone.get':
    case 'phone.bind':
    case 'phone.unbind':
    case 'phone.setRefused':
      return askPhones(state, command);
    case 'phone.join':
      return ringPhone(state, command, context);
    default:
      return unreachable(command);
  }
}

function systemStep(state: ConsultationState, event: SystemEvent, context: StepContext): Outcome {
  switch (event.type) {
    case 'host.end':
      if (state.phase.name === 'ended') return refuse('WRONG_STATE', 'the consultation has ended');
      return endConsultation(state, { reason: event.reason, by: null, note: event.note }, context.now);
    case 'host.remove':
      return remove(state, event);
    case 'participant.add':
      return addParticipant(state, event.participant);
    case 'host.removeParticipant':
      return removeParticipant(state, { personId: event.personId, by: null, reason: 'removed' }, context.now);
    case 'device.lost':
      return deviceLost(state, event, context.now);
    case 'device.returned':
      return deviceReturned(state, event, context.now);
    case 'note.signed':
    case 'note.added':
      return noteInThread(state, event);
    case 'phone.bound':
    case 'phone.unbound':
    case 'phone.callStarted':
    case 'phone.callAnswered':
    case 'phone.callEnded':
    case 'phone.refused':
      return phoneInThread(state, event, context.now);
    case 'phone.seatAnswered':
    case 'phone.seatLeft':
    case 'phone.microphone':
    case 'phone.consent':
      return phoneSeatEvent(state, event, context);
    case 'phone.dialIn':
      return dialIn(state, event, context);
    case 'restarted':
      return restarted(state, context.now);
    case 'tick':
      return tick(state, context);
    default:
      return unreachable(event);
  }
}
