import type { ConsultationKind, ConsultationPhase, ParticipantRole } from '@teleconsult/protocol';
import type { CommandType } from './commands.ts';

interface Right {
  readonly roles: readonly ParticipantRole[];
  /** In a thread of colleagues, where all are doctors, when it differs. */
  readonly inColleagues?: readonly ParticipantRole[];
  /** Phases in which it is possible; `idle` ones answer without changing anything. */
  readonly phases: readonly ConsultationPhase[];
  readonly idle?: readonly ConsultationPhase[];
}

const everybody: readonly ParticipantRole[] = ['patient', 'doctor', 'colleague', 'relative', 'interpreter'];
const guests: readonly ParticipantRole[] = ['colleague', 'relative', 'interpreter'];
const open: readonly ConsultationPhase[] = ['requested', 'waiting', 'active'];
const beforeStart: readonly ConsultationPhase[] = ['requested', 'waiting'];
const inCall: Right = { roles: everybody, phases: ['active'] };

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
  'seat.mute': { roles: ['doctor'], phases: ['active'] },
  'seat.setInterrupted': inCall,
};

export type Verdict = 'allowed' | 'idle' | 'forbidden' | 'wrong_state';

export function judge(
  command: CommandType,
  by: { readonly role: ParticipantRole; readonly kind: ConsultationKind },
  phase: ConsultationPhase,
): Verdict {
  const right = rights[command];
  const roles = (by.kind === 'colleagues' ? right.inColleagues : undefined) ?? right.roles;
  if (!roles.includes(by.role)) return 'forbidden';
  if (right.phases.includes(phase)) return 'allowed';
  return right.idle?.includes(phase) ? 'idle' : 'wrong_state';
}
