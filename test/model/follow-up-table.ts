/** What happens to a follow-up, by event and state. Written down by hand, from the design. */
import {
  addRelative,
  begin,
  callId,
  complete,
  desk,
  doctor,
  followUpId,
  noteId,
  otherCallId,
  otherFollowUpId,
  patient,
  phone,
  plan,
  say,
  setContact,
  start,
} from '../server/consultation/domain-fixtures.ts';
import type { Cell, Table } from './cells.ts';

export type FollowUpColumn =
  | 'active'
  | 'planned'
  | 'due'
  | 'begun'
  | 'calling'
  | 'done'
  | 'cancelled'
  | 'refused';

const DAY = 24 * 3_600_000;
const TO_ANOTHER_DAY = 1_000 + 30 * DAY;
const another = 'follow-up-0002';

const everywhere = (cell: Cell): Record<FollowUpColumn, Cell> => ({
  active: cell,
  planned: cell,
  due: cell,
  begun: cell,
  calling: cell,
  done: cell,
  cancelled: cell,
  refused: cell,
});
/** The follow-up stays as it is, and the thread says something. */
const stays = (told: string): Record<FollowUpColumn, Cell> => ({
  active: `→ planned; ${told}`,
  planned: `→ planned; ${told}`,
  due: `→ due; ${told}`,
  begun: `→ in_progress; ${told}`,
  calling: `→ in_progress calling; ${told}`,
  done: `→ done; ${told}`,
  cancelled: `→ cancelled; ${told}`,
  refused: `→ due; ${told}`,
});
const onlyBefore = (cell: Cell): Record<FollowUpColumn, Cell> => ({
  ...everywhere('WRONG_STATE'),
  active: cell,
});

/**
 * A follow-up that is planned for a day in a week; but for `active` the visit has ended. In `calling` doctor and patient
 * are in a call of it, in `refused` it is due and the patient does not want to be contacted.
 */
export const followUpTable: Table<FollowUpColumn> = {
  title: 'a follow-up',
  columns: {
    active: 'planned, the visit runs',
    planned: 'planned',
    due: 'due',
    begun: 'in progress',
    calling: 'in progress, in a call',
    done: 'done',
    cancelled: 'cancelled',
    refused: 'due, contact refused',
  },
  rows: [
    {
      name: 'the doctor plans another',
      event: plan(TO_ANOTHER_DAY, another, otherFollowUpId),
      cells: stays('followUp.planned'),
    },
    { name: 'the doctor plans the same again', event: plan(1), cells: everywhere('=') },
    {
      name: 'the doctor plans one for now',
      event: plan(1_000, another, otherFollowUpId),
      cells: everywhere('INVALID'),
    },
    {
      name: 'the patient plans one',
      event: { ...plan(TO_ANOTHER_DAY, another), by: patient },
      cells: everywhere('FORBIDDEN'),
    },
    {
      name: 'the doctor moves it to another day',
      event: { type: 'followUp.change', by: doctor, followUpId, dueAt: TO_ANOTHER_DAY, reason: 'why' },
      cells: {
        ...everywhere('WRONG_STATE'),
        active: '→ planned; followUp.changed',
        planned: '→ planned; followUp.changed',
        due: '→ planned; followUp.changed',
        refused: '→ planned; followUp.changed',
      },
    },
    {
      name: 'the patient moves it',
      event: { type: 'followUp.change', by: patient, followUpId, dueAt: TO_ANOTHER_DAY, reason: 'why' },
      cells: everywhere('FORBIDDEN'),
    },
    {
      name: 'the doctor cancels it',
      event: { type: 'followUp.cancel', by: doctor, followUpId },
      cells: {
        ...everywhere('WRONG_STATE'),
        active: '→ cancelled; followUp.cancelled',
        planned: '→ cancelled; followUp.cancelled',
        due: '→ cancelled; followUp.cancelled',
        cancelled: '=',
        refused: '→ cancelled; followUp.cancelled',
      },
    },
    {
      name: 'the doctor cancels one that is not there',
      event: { type: 'followUp.cancel', by: doctor, followUpId: otherFollowUpId },
      cells: everywhere('NOT_FOUND'),
    },
    {
      name: 'the patient cancels it',
      event: { type: 'followUp.cancel', by: patient, followUpId },
      cells: everywhere('FORBIDDEN'),
    },
    {
      name: 'the doctor begins it',
      event: begin,
      cells: {
        ...everywhere('WRONG_STATE'),
        planned: '→ in_progress; followUp.begun',
        due: '→ in_progress; followUp.begun',
        begun: '=',
        calling: '=',
        refused: 'FORBIDDEN',
      },
    },
    { name: 'the patient begins it', event: { ...begin, by: patient }, cells: everywhere('FORBIDDEN') },
    {
      name: 'the doctor completes it: reached',
      event: complete(),
      cells: { ...everywhere('WRONG_STATE'), begun: '→ done; followUp.completed', done: '=' },
    },
    {
      name: 'the doctor completes it: refused',
      event: complete('refused'),
      cells: {
        ...everywhere('WRONG_STATE'),
        begun: '→ done; followUp.completed',
        refused: '→ done; followUp.completed',
      },
    },
    {
      name: 'the patient completes it',
      event: { ...complete(), by: patient },
      cells: everywhere('FORBIDDEN'),
    },
    {
      name: 'the patient refuses to be contacted',
      event: setContact(true),
      cells: {
        ...stays('contact.changed'),
        begun: '→ due; contact.changed',
        calling: '→ ended declined; call.ended; contact.changed; callEnded',
        refused: '=',
      },
    },
    {
      name: 'the patient may be contacted',
      event: setContact(false),
      cells: { ...everywhere('='), refused: '→ due; contact.changed' },
    },
    {
      name: 'the doctor says that the patient may be contacted',
      event: setContact(false, doctor),
      cells: everywhere('FORBIDDEN'),
    },
    {
      name: 'the doctor calls',
      event: start('video', doctor, desk, otherCallId),
      cells: {
        ...everywhere('WRONG_STATE'),
        active: '→ planned calling; call.started',
        begun: '→ in_progress calling; call.started',
        calling: '=',
      },
    },
    {
      name: 'the patient calls',
      event: start('voice', patient, phone, otherCallId),
      cells: {
        ...everywhere('WRONG_STATE'),
        active: '→ planned calling; call.started',
        begun: '→ in_progress calling; call.started',
        calling: '=',
      },
    },
    {
      name: 'the doctor hangs up',
      event: { type: 'call.hangUp', by: doctor, deviceId: desk, callId },
      cells: {
        ...everywhere('WRONG_STATE'),
        active: 'NOT_FOUND',
        begun: 'NOT_FOUND',
        calling: '→ ended completed; call.ended; callEnded',
      },
    },
    { name: 'somebody sends', event: say(), cells: onlyBefore('→ planned; message.sent') },
    {
      name: 'a relative is drawn in',
      event: addRelative,
      cells: onlyBefore('→ planned; participant.joined'),
    },
    {
      name: 'the doctor ends the visit',
      event: { type: 'end', by: doctor },
      cells: onlyBefore('→ planned; consultation.ended'),
    },
    {
      name: 'the doctor signs a note',
      event: { type: 'note.signed', author: doctor, noteId, purpose: 'follow_up', followUpId },
      cells: stays('note.signed'),
    },
    {
      name: 'the doctor adds to a note',
      event: { type: 'note.added', author: doctor, noteId, addition: 1 },
      cells: stays('note.added'),
    },
    { name: 'almost a day passes', event: { type: 'tick' }, after: DAY - 1, cells: everywhere('=') },
    {
      name: 'a day passes',
      event: { type: 'tick' },
      after: DAY,
      cells: { ...everywhere('='), begun: '→ due; followUp.due' },
    },
    {
      name: 'its day comes',
      event: { type: 'tick' },
      after: 7 * DAY,
      cells: {
        ...everywhere('='),
        active: '→ due; followUp.due',
        planned: '→ due; followUp.due',
        begun: '→ due; followUp.due',
      },
    },
  ],
};
