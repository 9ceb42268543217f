import type { Participant, PersonId, SubjectDraft } from '@teleconsult/protocol';
import { MAX_PARTICIPANTS } from '@teleconsult/protocol/limits';
import { removeFromCall } from './call.ts';
import { type Next, next, type Outcome, refuse } from './outcome.ts';
import type { ConsultationState } from './state.ts';

/** Who holds the consultation and cannot be taken out of it. */
const isHolder = ({ role }: Participant): boolean => role === 'patient' || role === 'doctor';

/** Draws a person in. Again with the same role changes nothing. */
export function addParticipant(state: ConsultationState, participant: Participant): Outcome {
  if (state.phase.name === 'ended') return refuse('WRONG_STATE', 'the consultation has ended');
  if (state.kind === 'health_channel') return refuse('FORBIDDEN', 'a health channel is its doctor’s alone');
  const present = state.participants.find(({ personId }) => personId === participant.personId);
  if (present !== undefined)
    return present.role === participant.role ? next(state) : refuse('CONFLICT', 'takes part in another role');
  if (state.participants.length >= MAX_PARTICIPANTS)
    return refuse('WRONG_STATE', `at most ${MAX_PARTICIPANTS} people take part`);
  const { personId, role, displayName } = participant;
  return next({ ...state, participants: [...state.participants, participant] }, [
    { fact: { kind: 'participant.joined', personId, role, displayName }, by: personId },
  ]);
}

/** Takes a person out, and first out of the call. Patient and doctor stay as long as the consultation. */
export function removeParticipant(
  state: ConsultationState,
  removal: { personId: PersonId; by: PersonId | null; reason: 'left' | 'removed' },
  now: number,
): Outcome {
  const { personId, by, reason } = removal;
  if (state.phase.name === 'ended') return refuse('WRONG_STATE', 'the consultation has ended');
  const participant = state.participants.find((other) => other.personId === personId);
  if (participant === undefined) return refuse('NOT_FOUND', 'the person does not take part');
  if (isHolder(participant)) return refuse('WRONG_STATE', 'patient and doctor cannot be taken out');
  const withoutSeat = removeFromCall(state, { personId, by, now });
  const after = next(
    {
      ...withoutSeat.state,
      participants: state.participants.filter((other) => other.personId !== personId),
    },
    [{ fact: { kind: 'participant.left', personId, reason }, by }],
    [{ type: 'participantLeft', personId }],
  );
  return {
    ...after,
    facts: [...withoutSeat.facts, ...after.facts],
    effects: [...withoutSeat.effects, ...after.effects],
  };
}

/** For whom the patient consults, with the moment the authorisation was declared (S1.3). */
export function setSubject(
  state: ConsultationState,
  command: { by: PersonId; subject: SubjectDraft | null },
  now: number,
): Next {
  const subject = command.subject === null ? null : { ...command.subject, authorisedAt: now };
  return next({ ...state, subject }, [
    { fact: { kind: 'consultation.subjectSet', subject }, by: command.by },
  ]);
}
