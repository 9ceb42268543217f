/** What happens to a health channel, by event and phase. Written down by hand, from the design. */
import type { NoteId } from '@teleconsult/protocol';
import {
  addRelative,
  doctor,
  plan,
  record,
  say,
  start,
  timings,
} from '../server/consultation/domain-fixtures.ts';
import type { Table } from './cells.ts';

export type ChannelColumn = 'active' | 'ended';

const noteId = 'not_0000000000000000000001' as NoteId;
const forbidden = { active: 'FORBIDDEN', ended: 'FORBIDDEN' } as const;

export const channelTable: Table<ChannelColumn> = {
  title: 'a health channel',
  columns: { active: 'active', ended: 'ended' },
  rows: [
    {
      name: 'its doctor publishes a clip',
      event: { type: 'note.signed', author: doctor, noteId, purpose: 'health_channel' },
      cells: { active: '→ active; note.signed', ended: '→ ended; note.signed' },
    },
    {
      name: 'its doctor signs a summary',
      event: { type: 'note.signed', author: doctor, noteId, purpose: 'summary' },
      cells: { active: 'INVALID', ended: 'INVALID' },
    },
    {
      name: 'its doctor adds to a clip',
      event: { type: 'note.added', author: doctor, noteId, addition: 1 },
      cells: { active: 'WRONG_STATE', ended: 'WRONG_STATE' },
    },
    { name: 'its doctor sends a message', event: say('hello', doctor), cells: forbidden },
    { name: 'its doctor calls', event: { ...start(), by: doctor }, cells: forbidden },
    { name: 'its doctor records a call', event: record(), cells: forbidden },
    { name: 'its doctor plans a follow-up', event: plan(), cells: forbidden },
    { name: 'its doctor accepts', event: { type: 'accept', by: doctor }, cells: forbidden },
    { name: 'its doctor ends it', event: { type: 'end', by: doctor }, cells: forbidden },
    {
      name: 'somebody is drawn in',
      event: addRelative,
      cells: { active: 'FORBIDDEN', ended: 'WRONG_STATE' },
    },
    {
      name: 'somebody else does anything',
      event: say(),
      cells: { active: 'NOT_FOUND', ended: 'NOT_FOUND' },
    },
    {
      name: 'the host application ends it',
      event: { type: 'host.end', reason: 'completed' },
      cells: { active: '→ ended completed; consultation.ended', ended: 'WRONG_STATE' },
    },
    {
      name: 'the waiting time passes',
      event: { type: 'tick' },
      after: timings.waitingMs,
      cells: { active: '=', ended: '=' },
    },
  ],
};
