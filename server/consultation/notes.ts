/** Notes in the thread: that one was signed or added to. What they say lies beside the thread. */
import type { SystemEvent } from './commands.ts';
import { next, type Outcome, refuse } from './outcome.ts';
import type { ConsultationState, FactDraft } from './state.ts';

type NoteEvent = Extract<SystemEvent, { type: 'note.signed' | 'note.added' }>;

/** What a doctor signs about a visit, while it runs and after it has ended. */
export function noteInThread(state: ConsultationState, event: NoteEvent): Outcome {
  const { author } = event;
  if (!state.participants.some(({ personId }) => personId === author)) return refuse('NOT_FOUND');
  if (state.phase.name !== 'active' && state.phase.name !== 'ended')
    return refuse('WRONG_STATE', `the consultation is ${state.phase.name}`);
  const isClip = event.type === 'note.signed' && event.purpose === 'health_channel';
  if (event.type === 'note.signed' && isClip !== (state.kind === 'health_channel'))
    return refuse('INVALID', 'clips belong in health channels, and nothing else does');
  if (event.type === 'note.added' && state.kind === 'health_channel')
    return refuse('WRONG_STATE', 'a published clip is not added to');
  return next(state, [{ fact: factOf(event), by: author }]);
}

function factOf(event: NoteEvent): FactDraft {
  const { noteId } = event;
  if (event.type === 'note.added') return { kind: 'note.added', noteId, addition: event.addition };
  const { purpose, followUpId } = event;
  return { kind: 'note.signed', noteId, purpose, ...(followUpId === undefined ? {} : { followUpId }) };
}
