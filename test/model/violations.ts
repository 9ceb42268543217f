/** What must hold of every history, whatever the tables say. */
import type { PersonId } from '@teleconsult/protocol';
import type { Attributed } from '@teleconsult/server/consultation/outcome';
import { recordedPeople } from '@teleconsult/server/consultation/recording';
import { isHeld } from '@teleconsult/server/consultation/seats';
import type { ConsultationState } from '@teleconsult/server/consultation/state';

/** Answers what does not hold. */
export function violations(facts: readonly Attributed[], state: ConsultationState): string[] {
  const found: string[] = [];
  const kinds = facts.map(({ fact }) => fact.kind);
  const end = kinds.indexOf('consultation.ended');
  if (kinds.filter((kind) => kind === 'consultation.ended').length > 1) found.push('ended more than once');
  if (end !== -1 && comesAfter(facts.slice(end + 1))) found.push('something after the end');
  if ((state.phase.name === 'ended') !== (end !== -1)) found.push('phase and thread disagree');
  let running: string | null = null;
  for (const { fact } of facts) {
    if (!('callId' in fact)) continue;
    if (fact.kind === 'call.started') {
      if (running !== null) found.push('two calls at once');
      running = fact.callId;
    } else if (fact.callId !== running) found.push(`${fact.kind} of a call that does not run`);
    if (fact.kind === 'call.ended') running = null;
  }
  if ((state.call?.callId ?? null) !== running) found.push('call and thread disagree');
  const seats = state.call?.seats ?? [];
  if (new Set(seats.map(({ personId }) => personId)).size !== seats.length) found.push('a person twice');
  if (seats.filter(({ screenOn }) => screenOn).length > 1) found.push('two screens');
  const held = seats.filter(({ state: seat }) => seat !== 'left' && seat !== 'invited').length;
  if (state.call !== null && held === 0) found.push('a call without anybody in it');
  const isFollowedUp = state.followUps.some((one) => one.state === 'in_progress');
  if (state.call !== null && state.phase.name !== 'active' && !isFollowedUp)
    found.push('a call outside an active consultation');
  if (state.followUps.filter((one) => one.state === 'in_progress').length > 1)
    found.push('two follow-ups at once');
  if (isFollowedUp && state.contactRefusedSince !== null)
    found.push('a follow-up against the patient’s wish');
  return [...found, ...recordingViolations(facts, state)];
}

/** Whether something came after the end that may not: chat never, and calls only while a follow-up is carried out. */
function comesAfter(facts: readonly Attributed[]): boolean {
  let begun: string | null = null;
  for (const { fact } of facts) {
    const ofCalls = fact.kind.startsWith('call.') || fact.kind.startsWith('recording.');
    const isAfterwards =
      ['message.removed', 'consultation.ended', 'contact.changed'].includes(fact.kind) ||
      fact.kind.startsWith('followUp.') ||
      fact.kind.startsWith('note.');
    if (ofCalls ? begun === null : !isAfterwards) return true;
    if (fact.kind === 'followUp.begun') begun = fact.followUpId;
    if ((fact.kind === 'followUp.completed' || fact.kind === 'followUp.due') && fact.followUpId === begun)
      begun = null;
    if (fact.kind === 'contact.changed' && fact.refused) begun = null;
  }
  return false;
}

/** Nobody is recorded whose consent is not in the thread; a recording begins after it was asked for and ends once. */
function recordingViolations(facts: readonly Attributed[], { call }: ConsultationState): string[] {
  const found: string[] = [];
  let running: string | null = null;
  let hasBegun = false;
  let agreed = new Set<PersonId | null>();
  for (const { fact, by } of facts) {
    if (fact.kind === 'call.ended' && running !== null) found.push('a call that ended and is recorded');
    if (!('recordingId' in fact)) continue;
    if (fact.kind === 'recording.asked') {
      if (running !== null) found.push('two recordings at once');
      [running, hasBegun, agreed] = [fact.recordingId, false, new Set([by])];
      continue;
    }
    if (fact.recordingId !== running) found.push(`${fact.kind} of a recording that is not`);
    if (fact.kind === 'recording.agreed') agreed.add(by);
    if (fact.kind === 'recording.started') {
      if (hasBegun) found.push('a recording that began twice');
      hasBegun = true;
    }
    if (fact.kind === 'recording.stopped') running = null;
  }
  if ((call?.recording?.recordingId ?? null) !== running) found.push('recording and thread disagree');
  const recorded = call === null ? [] : recordedPeople(call);
  if (recorded.some((person) => !agreed.has(person))) found.push('somebody is recorded who has not agreed');
  if (recorded.length > 0 && !hasBegun) found.push('something is recorded before it began');
  const held = call?.seats.filter(isHeld) ?? [];
  if (recorded.length > 0 && held.length < 2) found.push('somebody is recorded alone');
  if (recorded.some((person) => !held.some(({ personId }) => personId === person)))
    found.push('somebody is recorded who is not in the call');
  return found;
}
