/** What happens to a consultation, by command and phase. Written down by hand, from the design. */
import type { MessageId } from '@teleconsult/protocol';
import {
  addRelative,
  colleague,
  doctor,
  patient,
  relative,
  say,
  start,
  timings,
} from '../server/consultation/domain-fixtures.ts';
import type { Table } from './cells.ts';

export type PhaseColumn = 'requested' | 'waiting' | 'active' | 'ended';

const columns = { requested: 'requested', waiting: 'waiting', active: 'active', ended: 'ended' } as const;
const messageId = 'msg_0000000000000000000001' as MessageId;
const target = { sequence: 2, messageId, by: patient, at: 1_000, withdrawn: false } as const;

export const visitTable: Table<PhaseColumn> = {
  title: 'a visit',
  columns,
  rows: [
    {
      name: 'the patient enters',
      event: { type: 'enter', by: patient },
      cells: {
        requested: '→ waiting; consultation.waiting',
        waiting: '=',
        active: '=',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'the doctor accepts',
      event: { type: 'accept', by: doctor },
      cells: {
        requested: '→ active; consultation.accepted',
        waiting: '→ active; consultation.accepted',
        active: '=',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'the doctor declines',
      event: { type: 'decline', by: doctor, reason: 'no_time' },
      cells: {
        requested: '→ ended declined; consultation.ended',
        waiting: '→ ended declined; consultation.ended',
        active: 'WRONG_STATE',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'the patient cancels',
      event: { type: 'cancel', by: patient },
      cells: {
        requested: '→ ended cancelled; consultation.ended',
        waiting: '→ ended cancelled; consultation.ended',
        active: 'WRONG_STATE',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'the doctor cancels',
      event: { type: 'cancel', by: doctor },
      cells: { requested: 'FORBIDDEN', waiting: 'FORBIDDEN', active: 'FORBIDDEN', ended: 'FORBIDDEN' },
    },
    {
      name: 'the doctor ends',
      event: { type: 'end', by: doctor },
      cells: {
        requested: 'WRONG_STATE',
        waiting: 'WRONG_STATE',
        active: '→ ended completed; consultation.ended',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'the patient ends',
      event: { type: 'end', by: patient },
      cells: { requested: 'FORBIDDEN', waiting: 'FORBIDDEN', active: 'FORBIDDEN', ended: 'FORBIDDEN' },
    },
    {
      name: 'the host application ends',
      event: { type: 'host.end', reason: 'completed' },
      cells: {
        requested: '→ ended completed; consultation.ended',
        waiting: '→ ended completed; consultation.ended',
        active: '→ ended completed; consultation.ended',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'the waiting time passes',
      event: { type: 'tick' },
      after: timings.waitingMs,
      cells: {
        requested: '→ ended expired; consultation.ended',
        waiting: '→ ended expired; consultation.ended',
        active: '=',
        ended: '=',
      },
    },
    {
      name: 'almost the waiting time passes',
      event: { type: 'tick' },
      after: timings.waitingMs - 1,
      cells: { requested: '=', waiting: '=', active: '=', ended: '=' },
    },
    {
      name: 'somebody sends',
      event: say(),
      cells: {
        requested: '→ requested; message.sent',
        waiting: '→ waiting; message.sent',
        active: '→ active; message.sent',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'the sender recalls',
      event: { type: 'recall', by: patient, target },
      cells: {
        requested: '→ requested; message.recalled',
        waiting: '→ waiting; message.recalled',
        active: '→ active; message.recalled',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'another recalls',
      event: { type: 'recall', by: doctor, target },
      cells: { requested: 'FORBIDDEN', waiting: 'FORBIDDEN', active: 'FORBIDDEN', ended: 'WRONG_STATE' },
    },
    {
      name: 'the host application removes a message',
      event: { type: 'host.remove', target },
      cells: {
        requested: '→ requested; message.removed',
        waiting: '→ waiting; message.removed',
        active: '→ active; message.removed',
        ended: '→ ended; message.removed',
      },
    },
    {
      name: 'the patient says for whom',
      event: { type: 'setSubject', by: patient, subject: null },
      cells: {
        requested: '→ requested; consultation.subjectSet',
        waiting: '→ waiting; consultation.subjectSet',
        active: 'WRONG_STATE',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'a relative is drawn in',
      event: addRelative,
      cells: {
        requested: '→ requested; participant.joined',
        waiting: '→ waiting; participant.joined',
        active: '→ active; participant.joined',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'the patient is taken out',
      event: { type: 'host.removeParticipant', personId: patient },
      cells: {
        requested: 'WRONG_STATE',
        waiting: 'WRONG_STATE',
        active: 'WRONG_STATE',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'a person who takes no part is taken out',
      event: { type: 'participant.remove', by: doctor, personId: relative },
      cells: { requested: 'NOT_FOUND', waiting: 'NOT_FOUND', active: 'NOT_FOUND', ended: 'WRONG_STATE' },
    },
    {
      name: 'a person who takes no part does anything',
      event: say('hello', relative),
      cells: { requested: 'NOT_FOUND', waiting: 'NOT_FOUND', active: 'NOT_FOUND', ended: 'NOT_FOUND' },
    },
    {
      name: 'somebody calls',
      event: start(),
      cells: {
        requested: 'WRONG_STATE',
        waiting: 'WRONG_STATE',
        active: '→ active; call.started',
        ended: 'WRONG_STATE',
      },
    },
  ],
};

export type ThreadColumn = 'requested' | 'active' | 'ended';

export const colleaguesTable: Table<ThreadColumn> = {
  title: 'a thread of colleagues',
  columns: { requested: 'requested', active: 'active', ended: 'ended' },
  rows: [
    {
      name: 'the doctor who was asked accepts',
      event: { type: 'accept', by: colleague },
      cells: { requested: '→ active; consultation.accepted', active: '=', ended: 'WRONG_STATE' },
    },
    {
      name: 'the doctor who asked accepts',
      event: { type: 'accept', by: doctor },
      cells: { requested: 'FORBIDDEN', active: '=', ended: 'WRONG_STATE' },
    },
    {
      name: 'the doctor who was asked declines',
      event: { type: 'decline', by: colleague },
      cells: {
        requested: '→ ended declined; consultation.ended',
        active: 'WRONG_STATE',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'the doctor who asked declines',
      event: { type: 'decline', by: doctor },
      cells: { requested: 'FORBIDDEN', active: 'WRONG_STATE', ended: 'WRONG_STATE' },
    },
    {
      name: 'the doctor who asked cancels',
      event: { type: 'cancel', by: doctor },
      cells: {
        requested: '→ ended cancelled; consultation.ended',
        active: 'WRONG_STATE',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'the doctor who was asked cancels',
      event: { type: 'cancel', by: colleague },
      cells: { requested: 'FORBIDDEN', active: 'WRONG_STATE', ended: 'WRONG_STATE' },
    },
    {
      name: 'the doctor who asked ends',
      event: { type: 'end', by: doctor },
      cells: {
        requested: 'WRONG_STATE',
        active: '→ ended completed; consultation.ended',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'the doctor who was asked ends',
      event: { type: 'end', by: colleague },
      cells: {
        requested: 'WRONG_STATE',
        active: '→ ended completed; consultation.ended',
        ended: 'WRONG_STATE',
      },
    },
    {
      name: 'either enters a waiting room',
      event: { type: 'enter', by: colleague },
      cells: { requested: 'FORBIDDEN', active: 'FORBIDDEN', ended: 'FORBIDDEN' },
    },
  ],
};
