import type { CallMedia, ParticipantRole } from '@teleconsult/protocol';
import type { CallModel } from './call-model.ts';
import type { VisitModel } from './visit-model.ts';

/** A call that rings here: who calls, and for which visit. */
export interface RingingCall {
  readonly model: CallModel;
  readonly name: string;
  readonly role: ParticipantRole | null;
  readonly media: CallMedia;
  /** Whom the visit is about, when that is neither the caller nor this person; null otherwise. */
  readonly about: string | null;
}

interface Ringing {
  readonly visit: VisitModel;
  readonly call: CallModel;
}

/** Called in by somebody else than the one who began the call, it is still that person's call. */
export function ringingCall({ visit, call }: Ringing): RingingCall {
  const { participants, subject } = visit.view;
  const caller = participants.find(({ personId }) => personId === call.view.startedBy);
  const patient = participants.find(({ role }) => role === 'patient');
  const isOfOther =
    patient !== undefined && patient.personId !== caller?.personId && !visit.isSelf(patient.personId);
  return {
    model: call,
    name: visit.nameOf(call.view.startedBy),
    role: caller?.role ?? null,
    media: call.view.media,
    about: subject?.displayName ?? (isOfOther ? patient.displayName : null),
  };
}
