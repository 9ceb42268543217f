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
  rejoin,
  start,
  tablet,
  takeOver,
} from '../server/consultation/domain-fixtures.ts';
import type { Table } from './cells.ts';

export type CallColumn = 'none' | 'ringing' | 'connecting' | 'live' | 'alone';

const caller = { by: doctor, deviceId: desk, callId };
const callersOther = { by: doctor, deviceId: laptop, callId };
const callee = { by: patient, deviceId: phone, callId };

/**
 * The doctor calls by video; `connecting` is answered on the patient's phone, in `live` both have joined, and in `alone`
 * the patient was lost for the whole grace and may come back.
 */
export const callTable: Table<CallColumn> = {
  title: 'a call between two',
  columns: {
    none: 'none',
    ringing: 'ringing',
    connecting: 'connecting',
    live: 'live',
    alone: 'live, callee was lost',
  },
  rows: [
    {
      name: 'caller starts',
      event: start('video', doctor, desk, otherCallId),
      cells: { none: '→ ringing; call.started', ringing: '=', connecting: '=', live: '=', alone: '=' },
    },
    {
      name: 'callee starts (glare)',
      event: start('video', patient, phone, otherCallId),
      cells: {
        none: '→ ringing; call.started',
        ringing: '→ connecting; call.answered',
        connecting: '=',
        live: '=',
        alone: 'WRONG_STATE',
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
        alone: 'WRONG_STATE',
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
        alone: '=',
      },
    },
    {
      name: 'caller starts, and callee is knocked at',
      event: { ...start('video', doctor, desk, otherCallId), engaged: new Map([[patient, 'knock']]) },
      cells: { none: '→ ringing; call.started', ringing: '=', connecting: '=', live: '=', alone: '=' },
    },
    {
      name: 'caller calls nobody but themselves',
      event: { ...start('video', doctor, desk, otherCallId), people: [doctor] },
      cells: { none: 'WRONG_STATE', ringing: '=', connecting: '=', live: '=', alone: '=' },
    },
    {
      name: 'caller calls a person who takes no part',
      event: { ...start('video', doctor, desk, otherCallId), people: ['stranger' as PersonId] },
      cells: { none: 'NOT_FOUND', ringing: '=', connecting: '=', live: '=', alone: '=' },
    },
    {
      name: 'callee answers',
      event: answer(),
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ connecting; call.answered',
        connecting: '=',
        live: '=',
        alone: 'WRONG_STATE',
      },
    },
    {
      name: 'callee answers on another device',
      event: answer(tablet),
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ connecting; call.answered',
        connecting: 'WRONG_STATE',
        live: 'WRONG_STATE',
        alone: 'WRONG_STATE',
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
        alone: 'WRONG_STATE',
      },
    },
    {
      name: 'caller declines',
      event: { type: 'call.decline', ...caller },
      cells: {
        none: 'NOT_FOUND',
        ringing: 'WRONG_STATE',
        connecting: 'WRONG_STATE',
        live: 'WRONG_STATE',
        alone: 'WRONG_STATE',
      },
    },
    {
      name: 'caller hangs up',
      event: { type: 'call.hangUp', ...caller },
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ ended cancelled; call.ended; callEnded',
        connecting: '→ ended completed; call.ended; callEnded',
        live: '→ ended completed; call.ended; callEnded',
        alone: '→ ended completed; call.ended; callEnded',
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
        alone: '→ ended completed; call.ended; callEnded',
      },
    },
    {
      name: 'a device that is not in the call hangs up',
      event: { type: 'call.hangUp', ...callersOther },
      cells: {
        none: 'NOT_FOUND',
        ringing: 'WRONG_STATE',
        connecting: 'WRONG_STATE',
        live: 'WRONG_STATE',
        alone: 'WRONG_STATE',
      },
    },
    {
      name: 'caller leaves',
      event: { type: 'call.leave', ...caller },
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ ended cancelled; call.ended; callEnded',
        connecting: '→ ended completed; call.ended; callEnded',
        live: '→ ended completed; call.ended; callEnded',
        alone: '→ ended completed; call.ended; callEnded',
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
        alone: '→ ended completed; call.ended; callEnded',
      },
    },
    {
      name: 'a device that is not in the call leaves',
      event: { type: 'call.leave', ...callersOther },
      cells: {
        none: 'NOT_FOUND',
        ringing: 'WRONG_STATE',
        connecting: 'WRONG_STATE',
        live: 'WRONG_STATE',
        alone: 'WRONG_STATE',
      },
    },
    {
      name: 'caller invites callee',
      event: { type: 'call.invite', ...caller, personId: patient },
      cells: { none: 'NOT_FOUND', ringing: '=', connecting: '=', live: '=', alone: '→ live; call.invited' },
    },
    {
      name: 'caller invites a person who takes no part',
      event: { type: 'call.invite', ...caller, personId: 'stranger' as PersonId },
      cells: {
        none: 'NOT_FOUND',
        ringing: 'NOT_FOUND',
        connecting: 'NOT_FOUND',
        live: 'NOT_FOUND',
        alone: 'NOT_FOUND',
      },
    },
    {
      name: 'caller switches to voice',
      event: { type: 'call.setMedia', ...caller, media: 'voice' },
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ ringing; call.mediaChanged; camerasOff',
        connecting: '→ connecting; call.mediaChanged; camerasOff',
        live: '→ live; call.mediaChanged; camerasOff',
        alone: '→ live; call.mediaChanged; camerasOff',
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
        alone: 'WRONG_STATE',
      },
    },
    {
      name: 'caller switches to what it is',
      event: { type: 'call.setMedia', ...caller, media: 'video' },
      cells: { none: 'NOT_FOUND', ringing: '=', connecting: '=', live: '=', alone: '=' },
    },
    {
      name: 'caller joins their seat',
      event: rejoin(doctor, desk),
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ ringing',
        connecting: '→ connecting',
        live: '→ live',
        alone: '→ live',
      },
    },
    {
      name: 'callee joins their seat',
      event: rejoin(patient, phone),
      cells: {
        none: 'NOT_FOUND',
        ringing: 'WRONG_STATE',
        connecting: '→ connecting',
        live: '→ live',
        alone: '→ live; call.answered',
      },
    },
    {
      name: 'caller joins with another device',
      event: join(doctor, laptop),
      cells: {
        none: 'NOT_FOUND',
        ringing: 'RESUME_REFUSED',
        connecting: 'RESUME_REFUSED',
        live: 'RESUME_REFUSED',
        alone: 'RESUME_REFUSED',
      },
    },
    {
      name: 'caller takes over with another device',
      event: takeOver(doctor, laptop),
      cells: {
        none: 'NOT_FOUND',
        ringing: '→ ringing; seatReleased',
        connecting: '→ connecting; seatReleased',
        live: '→ live; seatReleased',
        alone: '→ live; seatReleased',
      },
    },
    {
      name: 'callee takes over with another device',
      event: takeOver(patient, tablet),
      cells: {
        none: 'NOT_FOUND',
        ringing: 'WRONG_STATE',
        connecting: '→ connecting; seatReleased',
        live: '→ live; seatReleased',
        alone: '→ live; call.answered; seatReleased',
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
        alone: 'NOT_FOUND',
      },
    },
    {
      name: 'the doctor mutes themselves',
      event: { type: 'seat.mute', ...caller, personId: doctor },
      cells: {
        none: 'NOT_FOUND',
        ringing: 'WRONG_STATE',
        connecting: 'WRONG_STATE',
        live: 'WRONG_STATE',
        alone: 'WRONG_STATE',
      },
    },
    {
      name: 'the patient mutes the doctor',
      event: { type: 'seat.mute', ...callee, personId: doctor },
      cells: {
        none: 'FORBIDDEN',
        ringing: 'FORBIDDEN',
        connecting: 'FORBIDDEN',
        live: 'FORBIDDEN',
        alone: 'FORBIDDEN',
      },
    },
    {
      name: 'the doctor ends the consultation',
      event: { type: 'end', by: doctor },
      cells: {
        none: '→ none; consultation.ended',
        ringing: '→ ended cancelled; call.ended; consultation.ended; callEnded',
        connecting: '→ ended completed; call.ended; consultation.ended; callEnded',
        live: '→ ended completed; call.ended; consultation.ended; callEnded',
        alone: '→ ended completed; call.ended; consultation.ended; callEnded',
      },
    },
    {
      name: 'caller’s device is lost',
      event: { type: 'device.lost', personId: doctor, deviceId: desk },
      cells: { none: '=', ringing: '→ ringing', connecting: '→ connecting', live: '→ live', alone: '→ live' },
    },
    {
      name: 'callee’s device is lost',
      event: { type: 'device.lost', personId: patient, deviceId: phone },
      cells: { none: '=', ringing: '=', connecting: '→ connecting', live: '→ live', alone: '=' },
    },
    {
      name: 'the server is started again',
      event: { type: 'restarted' },
      cells: { none: '=', ringing: '→ ringing', connecting: '→ connecting', live: '→ live', alone: '→ live' },
    },
    {
      name: 'almost 30 s pass',
      event: { type: 'tick' },
      after: 29_999,
      cells: { none: '=', ringing: '=', connecting: '=', live: '=', alone: '=' },
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
        alone: '=',
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
        alone: '=',
      },
    },
    {
      name: 'almost 15 min pass',
      event: { type: 'tick' },
      after: 899_999,
      cells: {
        none: '=',
        ringing: '→ ended no_answer; call.ended; callEnded',
        connecting: '→ ended failed; call.ended; callEnded',
        live: '=',
        alone: '=',
      },
    },
    {
      name: '15 min pass',
      event: { type: 'tick' },
      after: 900_000,
      cells: {
        none: '=',
        ringing: '→ ended no_answer; call.ended; callEnded',
        connecting: '→ ended failed; call.ended; callEnded',
        live: '=',
        alone: '→ ended lost; call.ended; callEnded',
      },
    },
  ],
};
