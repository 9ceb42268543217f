/** What happens to a call between two, by event and state. Written down by hand, from the design. */
import type { PersonId } from '@teleconsult/protocol';
import {
  answer,
  callId,
  desk,
  doctor,
  join,
  laptop,
  otherCallId,
  patient,
  phone,
  start,
  tablet,
} from '../server/consultation/domain-fixtures.ts';
import type { Table } from './cells.ts';

export type CallColumn = 'none' | 'ringing' | 'connecting' | 'live';

const caller = { by: doctor, deviceId: desk, callId };
const callersOther = { by: doctor, deviceId: laptop, callId };
const callee = { by: patient, deviceId: phone, callId };

/** The doctor calls by video; `connecting` is answered on the patient's phone, and in `live` both have joined. */
export const callTable: Table<CallColumn> = {
  title: 'a call between two',
  columns: { none: 'none', ringing: 'ringing', connecting: 'connecting', live: 'live' },
  rows: [
    {
      name: 'caller starts',
      event: start('video', doctor, desk, otherCallId),
      cells: { none: '→ ringing; call.started', ringing: '=', connecting: '=', live: '=' },
    },
    {
      name: 'callee starts (glare)',
      event: start('video', patient, phone, otherCallId),
      cells: {
        none: '→ ringing; call.started',
        ringing: '→ connecting; call.answered',
        connecting: '=',
        live: '=',
      },
    },
    {
      name: 'caller’s other device starts',
      event: start('video', doctor, laptop, otherCallId),
      cells: {
        none: '→ ringing; call.started',
        ringing: 'WRONG_STATE',
        connecting: 'WRONG_STATE',
        live: 'WRONG_STATE',
      },
    },
    {
      name: 'caller starts, and everybody is busy',
      event: { ...start('video', doctor, desk, otherCallId), engaged: new Map([[patient, 'busy']]) },
      cells: {
        none: '→ ended busy; call.started; call.ended; callEnded',
        ringing: '=',
        connecting: '=',
        live: '=',
      },
    },
    {
      name: 'caller starts, and callee is knocked at',
      event: { ...start('video', doctor, desk, otherCallId), engaged: new Map([[patient, 'knock']]) },
      cells: { none: '→ ringing; call.started', ringing: '=', connecting: '=', live: '=' },
    },
    {
      name: 'caller calls nobody but themselves',
      event: { ...start('video', doctor, desk, otherCallId), people: [doctor] },
      cells: { none: 'WRONG_STATE', ringing: '=', connecting: '=', live: '=' },
    },
    {
      name: 'caller calls a person who takes no part',
      event: { ...start('video', doctor, desk, otherCallId), people: ['stranger' as PersonId] },
      cells: { none: 'NOT_FOUND', ringing: '=', connecting: '=', live: '=' },
    },
    {
      name: 'callee answers',
      event: answer(),
      cells: { none: 'NOT_FOUND', ringing: '→ connecting; call.answered', connecting: '=', live: '=' },
    },
    {
      name: 'callee answers on another device',
      event: answer(tablet),
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ connecting; call.answered',
        connecting: 'WRONG_STATE',
        live: 'WRONG_STATE',
      },
    },
    {
      name: 'callee declines',
      event: { type: 'call.decline', ...callee },
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ ended declined; call.ended; callEnded',
        connecting: 'WRONG_STATE',
        live: 'WRONG_STATE',
      },
    },
    {
      name: 'caller declines',
      event: { type: 'call.decline', ...caller },
      cells: { none: 'NOT_FOUND', ringing: 'WRONG_STATE', connecting: 'WRONG_STATE', live: 'WRONG_STATE' },
    },
    {
      name: 'caller hangs up',
      event: { type: 'call.hangUp', ...caller },
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ ended cancelled; call.ended; callEnded',
        connecting: '→ ended completed; call.ended; callEnded',
        live: '→ ended completed; call.ended; callEnded',
      },
    },
    {
      name: 'callee hangs up',
      event: { type: 'call.hangUp', ...callee },
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ ended declined; call.ended; callEnded',
        connecting: '→ ended completed; call.ended; callEnded',
        live: '→ ended completed; call.ended; callEnded',
      },
    },
    {
      name: 'a device that is not in the call hangs up',
      event: { type: 'call.hangUp', ...callersOther },
      cells: { none: 'NOT_FOUND', ringing: 'WRONG_STATE', connecting: 'WRONG_STATE', live: 'WRONG_STATE' },
    },
    {
      name: 'caller leaves',
      event: { type: 'call.leave', ...caller },
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ ended cancelled; call.ended; callEnded',
        connecting: '→ ended completed; call.ended; callEnded',
        live: '→ ended completed; call.ended; callEnded',
      },
    },
    {
      name: 'callee leaves',
      event: { type: 'call.leave', ...callee },
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ ended declined; call.ended; callEnded',
        connecting: '→ ended completed; call.ended; callEnded',
        live: '→ ended completed; call.ended; callEnded',
      },
    },
    {
      name: 'a device that is not in the call leaves',
      event: { type: 'call.leave', ...callersOther },
      cells: { none: 'NOT_FOUND', ringing: 'WRONG_STATE', connecting: 'WRONG_STATE', live: 'WRONG_STATE' },
    },
    {
      name: 'caller invites callee',
      event: { type: 'call.invite', ...caller, personId: patient },
      cells: { none: 'NOT_FOUND', ringing: '=', connecting: '=', live: '=' },
    },
    {
      name: 'caller invites a person who takes no part',
      event: { type: 'call.invite', ...caller, personId: 'stranger' as PersonId },
      cells: { none: 'NOT_FOUND', ringing: 'NOT_FOUND', connecting: 'NOT_FOUND', live: 'NOT_FOUND' },
    },
    {
      name: 'caller switches to voice',
      event: { type: 'call.setMedia', ...caller, media: 'voice' },
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ ringing; call.mediaChanged; camerasOff',
        connecting: '→ connecting; call.mediaChanged; camerasOff',
        live: '→ live; call.mediaChanged; camerasOff',
      },
    },
    {
      name: 'callee switches to voice',
      event: { type: 'call.setMedia', ...callee, media: 'voice' },
      cells: {
        none: 'NOT_FOUND',
        ringing: 'WRONG_STATE',
        connecting: '→ connecting; call.mediaChanged; camerasOff',
        live: '→ live; call.mediaChanged; camerasOff',
      },
    },
    {
      name: 'caller switches to what it is',
      event: { type: 'call.setMedia', ...caller, media: 'video' },
      cells: { none: 'NOT_FOUND', ringing: '=', connecting: '=', live: '=' },
    },
    {
      name: 'caller joins their seat',
      event: join(doctor, desk),
      cells: { none: 'NOT_FOUND', ringing: '→ ringing', connecting: '→ connecting', live: '→ live' },
    },
    {
      name: 'callee joins their seat',
      event: join(patient, phone),
      cells: { none: 'NOT_FOUND', ringing: 'WRONG_STATE', connecting: '→ connecting', live: '→ live' },
    },
    {
      name: 'caller joins with another device',
      event: join(doctor, laptop),
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ ringing; seatReleased',
        connecting: '→ connecting; seatReleased',
        live: '→ live; seatReleased',
      },
    },
    {
      name: 'the doctor mutes the patient',
      event: { type: 'seat.mute', ...caller, personId: patient },
      cells: {
        none: 'NOT_FOUND',
        ringing: 'NOT_FOUND',
        connecting: '→ connecting; sourcesChanged',
        live: '→ live; sourcesChanged',
      },
    },
    {
      name: 'the doctor mutes themselves',
      event: { type: 'seat.mute', ...caller, personId: doctor },
      cells: { none: 'NOT_FOUND', ringing: 'WRONG_STATE', connecting: 'WRONG_STATE', live: 'WRONG_STATE' },
    },
    {
      name: 'the patient mutes the doctor',
      event: { type: 'seat.mute', ...callee, personId: doctor },
      cells: { none: 'FORBIDDEN', ringing: 'FORBIDDEN', connecting: 'FORBIDDEN', live: 'FORBIDDEN' },
    },
    {
      name: 'the doctor ends the consultation',
      event: { type: 'end', by: doctor },
      cells: {
        none: '→ none; consultation.ended',
        ringing: '→ ended cancelled; call.ended; consultation.ended; callEnded',
        connecting: '→ ended completed; call.ended; consultation.ended; callEnded',
        live: '→ ended completed; call.ended; consultation.ended; callEnded',
      },
    },
    {
      name: 'caller’s device is lost',
      event: { type: 'device.lost', personId: doctor, deviceId: desk },
      cells: { none: '=', ringing: '→ ringing', connecting: '→ connecting', live: '→ live' },
    },
    {
      name: 'callee’s device is lost',
      event: { type: 'device.lost', personId: patient, deviceId: phone },
      cells: { none: '=', ringing: '=', connecting: '→ connecting', live: '→ live' },
    },
    {
      name: 'the server is started again',
      event: { type: 'restarted' },
      cells: { none: '=', ringing: '→ ringing', connecting: '→ connecting', live: '→ live' },
    },
    {
      name: 'almost 30 s pass',
      event: { type: 'tick' },
      after: 29_999,
      cells: { none: '=', ringing: '=', connecting: '=', live: '=' },
    },
    {
      name: '30 s pass',
      event: { type: 'tick' },
      after: 30_000,
      cells: {
        none: '=',
        ringing: '=',
        connecting: '→ ended failed; call.ended; callEnded',
        live: '=',
      },
    },
    {
      name: '45 s pass',
      event: { type: 'tick' },
      after: 45_000,
      cells: {
        none: '=',
        ringing: '→ ended no_answer; call.ended; callEnded',
        connecting: '→ ended failed; call.ended; callEnded',
        live: '=',
      },
    },
  ],
};
