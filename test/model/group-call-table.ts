/** What happens to a call that a third person is called to, by event and state. Written down by hand, from the design. */
import {
  callId,
  desk,
  doctor,
  otherCallId,
  patient,
  phone,
  rejoin,
  relative,
  start,
  tv,
} from '../server/consultation/domain-fixtures.ts';
import type { Table } from './cells.ts';

export type GroupColumn = 'ringing' | 'answered' | 'rung' | 'three' | 'declined';

const caller = { by: doctor, deviceId: desk, callId };
const second = { by: patient, deviceId: phone, callId };
const third = { by: relative, deviceId: tv, callId };

/** The doctor calls patient (second) and relative (third) by video. */
export const groupCallTable: Table<GroupColumn> = {
  title: 'a call to two',
  columns: {
    ringing: 'ringing',
    answered: 'connecting: the second answered, the third rings',
    rung: 'live, the third rings',
    three: 'live with all three',
    declined: 'live, the third declined',
  },
  rows: [
    {
      name: 'third answers',
      event: { type: 'call.accept', ...third },
      cells: {
        ringing: '→ connecting; call.answered',
        answered: '→ connecting; call.answered',
        rung: '→ live; call.answered',
        three: '=',
        declined: 'WRONG_STATE',
      },
    },
    {
      name: 'third starts a call (glare)',
      event: start('voice', relative, tv, otherCallId),
      cells: {
        ringing: '→ connecting; call.answered',
        answered: '→ connecting; call.answered',
        rung: '→ live; call.answered',
        three: '=',
        declined: 'WRONG_STATE',
      },
    },
    {
      name: 'third joins their seat',
      event: rejoin(relative, tv),
      cells: {
        ringing: 'WRONG_STATE',
        answered: 'WRONG_STATE',
        rung: 'WRONG_STATE',
        three: '→ live',
        declined: 'WRONG_STATE',
      },
    },
    {
      name: 'third declines',
      event: { type: 'call.decline', ...third },
      cells: {
        ringing: '→ ringing; call.left',
        answered: '→ connecting; call.left',
        rung: '→ live; call.left',
        three: 'WRONG_STATE',
        declined: '=',
      },
    },
    {
      name: 'second declines',
      event: { type: 'call.decline', ...second },
      cells: {
        ringing: '→ ringing; call.left',
        answered: 'WRONG_STATE',
        rung: 'WRONG_STATE',
        three: 'WRONG_STATE',
        declined: 'WRONG_STATE',
      },
    },
    {
      name: 'third leaves',
      event: { type: 'call.leave', ...third },
      cells: {
        ringing: '→ ringing; call.left',
        answered: '→ connecting; call.left',
        rung: '→ live; call.left',
        three: '→ live; call.left; seatReleased',
        declined: '=',
      },
    },
    {
      name: 'second leaves',
      event: { type: 'call.leave', ...second },
      cells: {
        ringing: '→ ringing; call.left',
        answered: '→ connecting; call.left; seatReleased',
        rung: '→ live; call.left; seatReleased',
        three: '→ live; call.left; seatReleased',
        declined: '→ ended completed; call.ended; callEnded',
      },
    },
    {
      name: 'caller leaves',
      event: { type: 'call.leave', ...caller },
      cells: {
        ringing: '→ ended cancelled; call.ended; callEnded',
        answered: '→ connecting; call.left; seatReleased',
        rung: '→ live; call.left; seatReleased',
        three: '→ live; call.left; seatReleased',
        declined: '→ ended completed; call.ended; callEnded',
      },
    },
    {
      name: 'caller (the doctor) hangs up for all',
      event: { type: 'call.hangUp', ...caller },
      cells: {
        ringing: '→ ended cancelled; call.ended; callEnded',
        answered: '→ ended completed; call.ended; callEnded',
        rung: '→ ended completed; call.ended; callEnded',
        three: '→ ended completed; call.ended; callEnded',
        declined: '→ ended completed; call.ended; callEnded',
      },
    },
    {
      name: 'second hangs up for all',
      event: { type: 'call.hangUp', ...second },
      cells: {
        ringing: '→ ringing; call.left',
        answered: 'FORBIDDEN',
        rung: 'FORBIDDEN',
        three: 'FORBIDDEN',
        declined: '→ ended completed; call.ended; callEnded',
      },
    },
    {
      name: 'caller invites third',
      event: { type: 'call.invite', ...caller, personId: relative },
      cells: { ringing: '=', answered: '=', rung: '=', three: '=', declined: '→ live; call.invited' },
    },
    {
      name: 'second invites third',
      event: { type: 'call.invite', ...second, personId: relative },
      cells: {
        ringing: 'WRONG_STATE',
        answered: '=',
        rung: '=',
        three: '=',
        declined: '→ live; call.invited',
      },
    },
    {
      name: 'caller invites third, who is busy',
      event: { type: 'call.invite', ...caller, personId: relative, engaged: 'busy' },
      cells: { ringing: '=', answered: '=', rung: '=', three: '=', declined: 'BUSY' },
    },
    {
      name: 'the doctor mutes third',
      event: { type: 'seat.mute', ...caller, personId: relative },
      cells: {
        ringing: 'NOT_FOUND',
        answered: 'NOT_FOUND',
        rung: 'NOT_FOUND',
        three: '→ live; sourcesChanged',
        declined: 'NOT_FOUND',
      },
    },
    {
      name: 'third is taken out of the consultation',
      event: { type: 'participant.remove', by: doctor, personId: relative },
      cells: {
        ringing: '→ ringing; call.left; participant.left; participantLeft',
        answered: '→ connecting; call.left; participant.left; participantLeft',
        rung: '→ live; call.left; participant.left; participantLeft',
        three: '→ live; call.left; participant.left; seatReleased; participantLeft',
        declined: '→ live; participant.left; participantLeft',
      },
    },
    {
      name: 'third leaves the consultation',
      event: { type: 'participant.leave', by: relative },
      cells: {
        ringing: '→ ringing; call.left; participant.left; participantLeft',
        answered: '→ connecting; call.left; participant.left; participantLeft',
        rung: '→ live; call.left; participant.left; participantLeft',
        three: '→ live; call.left; participant.left; seatReleased; participantLeft',
        declined: '→ live; participant.left; participantLeft',
      },
    },
    {
      name: 'the doctor ends the consultation',
      event: { type: 'end', by: doctor },
      cells: {
        ringing: '→ ended cancelled; call.ended; consultation.ended; callEnded',
        answered: '→ ended completed; call.ended; consultation.ended; callEnded',
        rung: '→ ended completed; call.ended; consultation.ended; callEnded',
        three: '→ ended completed; call.ended; consultation.ended; callEnded',
        declined: '→ ended completed; call.ended; consultation.ended; callEnded',
      },
    },
    {
      name: '30 s pass',
      event: { type: 'tick' },
      after: 30_000,
      // While somebody is rung, a call that does not come about is not given up.
      cells: { ringing: '=', answered: '=', rung: '=', three: '=', declined: '=' },
    },
    {
      name: '45 s pass',
      event: { type: 'tick' },
      after: 45_000,
      cells: {
        ringing: '→ ended no_answer; call.ended; callEnded',
        answered: '→ ended failed; call.ended; callEnded',
        rung: '→ live; call.left',
        three: '=',
        declined: '=',
      },
    },
  ],
};

/** When a call ends because seats are left, by who remains. */
export interface EndingRule {
  readonly when: 'ringing' | 'answered';
  readonly remains: string;
  readonly outcome: string;
}

export const endingRules: readonly EndingRule[] = [
  { when: 'ringing', remains: 'no caller', outcome: 'ended (cancelled; lost when the device was lost)' },
  { when: 'ringing', remains: 'caller, somebody who is rung', outcome: 'goes on' },
  {
    when: 'ringing',
    remains: 'caller, nobody who is rung',
    outcome:
      'ended (declined if anybody declined, else no_answer, else busy; cancelled when they were taken out)',
  },
  { when: 'answered', remains: 'two or more in the call', outcome: 'goes on' },
  { when: 'answered', remains: 'one in the call, somebody who is rung', outcome: 'goes on' },
  {
    when: 'answered',
    remains: 'one in the call, somebody who was lost and may come back',
    outcome: 'goes on',
  },
  {
    when: 'answered',
    remains: 'one in the call, nobody who is rung or may come back',
    outcome: 'ended (completed; lost when the last who left was lost, or did not come back in time)',
  },
  {
    when: 'answered',
    remains: 'nobody in the call',
    outcome: 'ended (completed; lost when the last who left was lost)',
  },
];
