/** What comes after a visit: follow-ups, and whether the patient wants to be contacted at all. */
import type { FollowUpId } from '@teleconsult/protocol';
import { MAX_FOLLOW_UP_MS, MAX_FOLLOW_UPS } from '@teleconsult/protocol/limits';
import { unreachable } from '@teleconsult/protocol/unreachable';
import { endCall } from './call-ending.ts';
import type { ParticipantCommand } from './commands.ts';
import { type Attributed, andThen, type Next, next, type Outcome, refuse } from './outcome.ts';
import type { ConsultationState, FactDraft, FollowUpRecord, Timings } from './state.ts';

type Command<T extends ParticipantCommand['type']> = Extract<ParticipantCommand, { type: T }>;

interface Context {
  readonly now: number;
  readonly timings: Timings;
}

const none = () => refuse('NOT_FOUND', 'there is no such follow-up');
const inState = ({ state }: FollowUpRecord) => refuse('WRONG_STATE', `the follow-up is ${state}`);

/** The one that is carried out now, if any: calls are possible again while there is one. */
export const inProgress = ({ followUps }: ConsultationState): FollowUpRecord | undefined =>
  followUps.find(({ state }) => state === 'in_progress');

/** The follow-up that this device planned under this name. */
export const plannedAs = (
  { followUps }: ConsultationState,
  { by, clientFollowUpId }: Pick<Command<'followUp.plan'>, 'by' | 'clientFollowUpId'>,
): FollowUpRecord | undefined =>
  followUps.find((one) => one.plannedBy === by && one.clientFollowUpId === clientFollowUpId);

export function planFollowUp(
  state: ConsultationState,
  command: Command<'followUp.plan'>,
  now: number,
): Outcome {
  const { by, followUpId, clientFollowUpId, dueAt, reason } = command;
  if (plannedAs(state, command) !== undefined) return next(state);
  if (!isAhead(dueAt, now)) return notAhead();
  if (state.followUps.length >= MAX_FOLLOW_UPS)
    return refuse('WRONG_STATE', `a consultation has at most ${MAX_FOLLOW_UPS} follow-ups`);
  const planned: FollowUpRecord = {
    followUpId,
    clientFollowUpId,
    plannedBy: by,
    plannedAt: now,
    dueAt,
    reason,
    state: 'planned',
    since: now,
  };
  return next({ ...state, followUps: [...state.followUps, planned] }, [
    { fact: { kind: 'followUp.planned', followUpId, dueAt, reason }, by },
  ]);
}

/** Another date or reason. One that was due and gets a later date is planned again. */
export function changeFollowUp(
  state: ConsultationState,
  { by, followUpId, dueAt, reason }: Command<'followUp.change'>,
  now: number,
): Outcome {
  const former = find(state, followUpId);
  if (former === undefined) return none();
  if (former.state !== 'planned' && former.state !== 'due') return inState(former);
  const isMoved = former.dueAt !== dueAt;
  if (!isMoved && former.reason === reason) return next(state);
  if (isMoved && !isAhead(dueAt, now)) return notAhead();
  const since = isMoved && former.state === 'due' ? { state: 'planned' as const, since: now } : {};
  return next(replace(state, { ...former, ...since, dueAt, reason }), [
    { fact: { kind: 'followUp.changed', followUpId, dueAt, reason }, by },
  ]);
}

export function cancelFollowUp(
  state: ConsultationState,
  { by, followUpId }: Command<'followUp.cancel' | 'followUp.begin'>,
  now: number,
): Outcome {
  const former = find(state, followUpId);
  if (former === undefined) return none();
  switch (former.state) {
    case 'cancelled':
      return next(state);
    case 'in_progress':
    case 'done':
      return inState(former);
    case 'planned':
    case 'due':
      return next(replace(state, { ...former, state: 'cancelled', since: now }), [
        { fact: { kind: 'followUp.cancelled', followUpId }, by },
      ]);
    default:
      return unreachable(former);
  }
}

/** The doctor carries it out now, one at a time, and not while the patient does not want to be contacted. */
export function beginFollowUp(
  state: ConsultationState,
  { by, followUpId }: Command<'followUp.cancel' | 'followUp.begin'>,
  now: number,
): Outcome {
  const former = find(state, followUpId);
  if (former === undefined) return none();
  if (state.contactRefusedSince !== null) return refuse('FORBIDDEN', 'the patient refuses to be contacted');
  switch (former.state) {
    case 'in_progress':
      return next(state);
    case 'done':
    case 'cancelled':
      return inState(former);
    case 'planned':
    case 'due':
      if (inProgress(state) !== undefined)
        return refuse('WRONG_STATE', 'another follow-up is being carried out');
      return next(replace(state, { ...former, state: 'in_progress', since: now }), [
        { fact: { kind: 'followUp.begun', followUpId }, by },
      ]);
    default:
      return unreachable(former);
  }
}

/** How it went. That the patient refuses can be said without beginning it, since beginning it is refused then. */
export function completeFollowUp(
  state: ConsultationState,
  { by, followUpId, outcome, noteId }: Command<'followUp.complete'>,
  now: number,
): Outcome {
  const former = find(state, followUpId);
  if (former === undefined) return none();
  switch (former.state) {
    case 'done':
      return former.outcome === outcome && former.noteId === (noteId ?? null)
        ? next(state)
        : refuse('WRONG_STATE', 'it was completed otherwise');
    case 'cancelled':
      return inState(former);
    case 'planned':
    case 'due':
      if (outcome !== 'refused' || state.contactRefusedSince === null) return inState(former);
      break;
    case 'in_progress':
      if (state.call !== null) return refuse('WRONG_STATE', 'the call of the follow-up is not over');
      break;
    default:
      return unreachable(former);
  }
  const done: FollowUpRecord = { ...former, state: 'done', since: now, outcome, noteId: noteId ?? null };
  const fact: FactDraft = {
    kind: 'followUp.completed',
    followUpId,
    outcome,
    ...(noteId === undefined ? {} : { noteId }),
  };
  return next(replace(state, done), [{ fact, by }]);
}

/** No is obeyed at once: the call of a follow-up ends, and what was being carried out waits for another day. */
export function setContact(
  state: ConsultationState,
  { by, refused }: Command<'contact.set'>,
  now: number,
): Next {
  if ((state.contactRefusedSince !== null) === refused) return next(state);
  const followUp = refused ? inProgress(state) : undefined;
  const { call } = state;
  const hungUp =
    followUp === undefined || call === null
      ? next(state)
      : endCall(state, call, { reason: 'declined', by, now });
  return andThen(hungUp, (quiet) => {
    const waiting =
      followUp === undefined ? quiet : replace(quiet, { ...followUp, state: 'due', since: now });
    return next({ ...waiting, contactRefusedSince: refused ? now : null }, [
      { fact: { kind: 'contact.changed', refused }, by },
    ]);
  });
}

/** When time next changes a follow-up; null when it does not. */
export function followUpsDueAt(state: ConsultationState, timings: Timings): number | null {
  const moments = state.followUps
    .map((followUp) => dueMoment(state, followUp, timings))
    .filter((moment) => moment !== null);
  return moments.length === 0 ? null : Math.min(...moments);
}

/** What is due becomes due, and what was begun and forgotten is due again. */
export function tickFollowUps(state: ConsultationState, { now, timings }: Context): Next {
  const facts: Attributed[] = [];
  const followUps = state.followUps.map((followUp): FollowUpRecord => {
    const moment = dueMoment(state, followUp, timings);
    if (moment === null || now < moment || followUp.state === 'done') return followUp;
    facts.push({ fact: { kind: 'followUp.due', followUpId: followUp.followUpId }, by: null });
    return { ...followUp, state: 'due', since: now };
  });
  return facts.length === 0 ? next(state) : next({ ...state, followUps }, facts);
}

/** Nobody is cut off: while a call of the follow-up runs, it is in progress. */
function dueMoment({ call }: ConsultationState, followUp: FollowUpRecord, timings: Timings): number | null {
  switch (followUp.state) {
    case 'planned':
      return followUp.dueAt;
    case 'in_progress':
      return call === null ? followUp.since + timings.followUpMs : null;
    case 'due':
    case 'done':
    case 'cancelled':
      return null;
    default:
      return unreachable(followUp);
  }
}

const find = ({ followUps }: ConsultationState, id: FollowUpId): FollowUpRecord | undefined =>
  followUps.find(({ followUpId }) => followUpId === id);

const replace = (state: ConsultationState, followUp: FollowUpRecord): ConsultationState => ({
  ...state,
  followUps: state.followUps.map((other) => (other.followUpId === followUp.followUpId ? followUp : other)),
});

const isAhead = (dueAt: number, now: number): boolean => dueAt > now && dueAt <= now + MAX_FOLLOW_UP_MS;

const notAhead = () => refuse('INVALID', 'a follow-up is planned for a day within the next five years');
