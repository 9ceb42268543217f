import type { ConsultationKind, ConsultationPhase, ParticipantRole } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { CommandType } from './commands.ts';
import { inProgress } from './follow-ups.ts';
import type { ConsultationState } from './state.ts';

/** A phase, or that of an ended visit whose follow-up is carried out: calls are possible again. */
export type Standing = ConsultationPhase | 'following_up';

interface Right {
  readonly roles: readonly ParticipantRole[];
  /** In a thread of colleagues, where all are doctors, when it differs. */
  readonly inColleagues?: readonly ParticipantRole[];
  /**
   * Phases in which it is possible; `idle` ones answer without changing anything. What is possible in an ended
   * consultation is so while a follow-up is carried out.
   */
  readonly phases: readonly Standing[];
  readonly idle?: readonly ConsultationPhase[];
}

const everybody: readonly ParticipantRole[] = ['patient', 'doctor', 'colleague', 'relative', 'interpreter'];
const guests: readonly ParticipantRole[] = ['colleague', 'relative', 'interpreter'];
const open: readonly ConsultationPhase[] = ['requested', 'waiting', 'active'];
const beforeStart: readonly ConsultationPhase[] = ['requested', 'waiting'];
const calling: readonly Standing[] = ['active', 'following_up'];
const inCall: Right = { roles: everybody, phases: calling };
/** In a thread of colleagues any of them. */
const doctorInCall: Right = { roles: ['doctor'], phases: calling };
/** Masked calls are between the patient and the doctor of a visit. */
const masked: Right = {
  roles: ['patient', 'doctor'],
  inColleagues: [],
  phases: ['requested', 'waiting', 'active', 'ended'],
};
/** Visits have follow-ups, threads of colleagues have none. */
const followUp: Right = { roles: ['doctor'], inColleagues: [], phases: ['active', 'ended'] };

/** Role × state × action. What is not in the table is not allowed. */
export const rights: Readonly<Record<CommandType, Right>> = {
  enter: { roles: ['patient'], phases: ['requested'], idle: ['waiting', 'active'] },
  accept: { roles: ['doctor'], phases: beforeStart, idle: ['active'] },
  decline: { roles: ['doctor'], phases: beforeStart },
  cancel: { roles: ['patient'], inColleagues: ['doctor'], phases: beforeStart },
  end: { roles: ['doctor'], phases: ['active'] },
  send: { roles: everybody, phases: open },
  recall: { roles: everybody, phases: open },
  setSubject: { roles: ['patient'], phases: beforeStart },
  'participant.leave': { roles: guests, phases: open },
  'participant.remove': { roles: ['doctor'], phases: open },
  'call.start': inCall,
  'call.accept': inCall,
  'call.decline': inCall,
  'call.hangUp': inCall,
  'call.leave': inCall,
  'call.invite': inCall,
  'call.setMedia': inCall,
  'seat.join': inCall,
  'seat.setSource': inCall,
  'seat.setView': inCall,
  'seat.mute': doctorInCall,
  'seat.setInterrupted': inCall,
  'recording.start': doctorInCall,
  'recording.answer': inCall,
  'recording.pause': doctorInCall,
  'recording.resume': doctorInCall,
  'recording.stop': doctorInCall,
  'followUp.plan': followUp,
  'followUp.change': followUp,
  'followUp.cancel': followUp,
  'followUp.begin': { ...followUp, phases: ['ended'] },
  'followUp.complete': { ...followUp, phases: ['ended'] },
  'phone.get': masked,
  'phone.bind': { ...masked, phases: calling },
  'phone.unbind': masked,
  'phone.setRefused': masked,
  'phone.join': { ...masked, phases: calling },
  'contact.set': { roles: ['patient'], phases: ['requested', 'waiting', 'active', 'ended'] },
};

export type Verdict = 'allowed' | 'idle' | 'forbidden' | 'wrong_state';

export function judge(
  command: CommandType,
  by: { readonly role: ParticipantRole; readonly kind: ConsultationKind },
  standing: Standing,
): Verdict {
  const right = rights[command];
  if (!rolesIn(by.kind, right).includes(by.role)) return 'forbidden';
  if (right.phases.includes(standing)) return 'allowed';
  // The consultation stays ended, whatever comes after it.
  const phase = standing === 'following_up' ? 'ended' : standing;
  if (right.phases.includes(phase)) return 'allowed';
  return right.idle?.includes(phase) ? 'idle' : 'wrong_state';
}

function rolesIn(kind: ConsultationKind, { roles, inColleagues }: Right): readonly ParticipantRole[] {
  switch (kind) {
    case 'visit':
      return roles;
    case 'colleagues':
      return inColleagues ?? roles;
    case 'health_channel':
      // Clips are notes. Nobody is talked to in it, and the host application alone ends it.
      return [];
    default:
      return unreachable(kind);
  }
}

export const standingOf = (state: ConsultationState): Standing =>
  state.phase.name === 'ended' && inProgress(state) !== undefined ? 'following_up' : state.phase.name;
