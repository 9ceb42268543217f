/** What happens to the recording of a call, by event and state. Written down by hand, from the design. */
import {
  agree,
  callId,
  desk,
  doctor,
  otherCallId,
  otherRecordingId,
  patient,
  pauseRecording,
  phone,
  record,
  refuseRecording,
  relative,
  resumeRecording,
  stopRecording,
  tablet,
  takeOver,
  tv,
} from '../server/consultation/domain-fixtures.ts';
import type { Cell, Table } from './cells.ts';

export type RecordingColumn = 'none' | 'asking' | 'asked' | 'running' | 'late' | 'paused' | 'stopped';

const everywhere = (cell: Cell): Record<RecordingColumn, Cell> => ({
  none: cell,
  asking: cell,
  asked: cell,
  running: cell,
  late: cell,
  paused: cell,
  stopped: cell,
});
const notRunning = { none: 'NOT_FOUND', stopped: 'NOT_FOUND' } as const;
const stops = everywhere('→ none; recording.stopped');
const isOver = everywhere('→ ended completed; recording.stopped; call.ended; callEnded');
const wasNot = '→ ended completed; call.ended; callEnded';
const endsAll = everywhere('→ ended completed; recording.stopped; call.ended; consultation.ended; callEnded');
const endsUnrecorded = '→ ended completed; call.ended; consultation.ended; callEnded';
const goesOn: Record<RecordingColumn, Cell> = {
  none: '→ none',
  asking: '→ asking',
  asked: '→ asking',
  running: '→ running D+P+R',
  late: '→ running D+P',
  paused: '→ paused',
  stopped: '→ none',
};
const adding = (cells: Record<RecordingColumn, Cell>, more: string): Record<RecordingColumn, Cell> => ({
  none: `${cells.none}; ${more}` as Cell,
  asking: `${cells.asking}; ${more}` as Cell,
  asked: `${cells.asked}; ${more}` as Cell,
  running: `${cells.running}; ${more}` as Cell,
  late: `${cells.late}; ${more}` as Cell,
  paused: `${cells.paused}; ${more}` as Cell,
  stopped: `${cells.stopped}; ${more}` as Cell,
});

/**
 * Doctor (D), patient (P) and relative (R) are in a live call that the doctor asks to record; in `asked` the patient has
 * agreed, in `late` the relative came when it ran. Behind `running` are those who are recorded.
 */
export const recordingTable: Table<RecordingColumn> = {
  title: 'the recording of a call',
  columns: {
    none: 'none',
    asking: 'asking, nobody answered',
    asked: 'asking, the patient agreed',
    running: 'running',
    late: 'running, the relative came late',
    paused: 'paused',
    stopped: 'stopped',
  },
  rows: [
    {
      name: 'the doctor asks to record',
      event: record(doctor, otherRecordingId),
      cells: {
        ...everywhere('='),
        none: '→ asking; recording.asked',
        stopped: '→ asking; recording.asked',
      },
    },
    { name: 'the patient asks to record', event: record(patient), cells: everywhere('FORBIDDEN') },
    {
      name: 'the doctor asks to record a call that is over',
      event: { ...record(), callId: otherCallId },
      cells: everywhere('NOT_FOUND'),
    },
    {
      name: 'the patient agrees',
      event: agree(patient),
      cells: { ...everywhere('='), ...notRunning, asking: '→ asking; recording.agreed' },
    },
    {
      name: 'the relative agrees',
      event: agree(relative),
      cells: {
        ...everywhere('='),
        ...notRunning,
        asking: '→ asking; recording.agreed',
        asked: '→ running D+P+R; recording.agreed; recording.started',
        late: '→ running D+P+R; recording.agreed',
      },
    },
    {
      name: 'the doctor agrees, who has by asking',
      event: agree(doctor),
      cells: { ...everywhere('='), ...notRunning },
    },
    {
      name: 'the patient does not agree (any more)',
      event: refuseRecording(patient),
      cells: { ...stops, none: 'NOT_FOUND', stopped: '=' },
    },
    {
      name: 'the relative does not agree (any more)',
      event: refuseRecording(relative),
      cells: { ...stops, none: 'NOT_FOUND', stopped: '=' },
    },
    {
      name: 'the doctor does not agree any more',
      event: refuseRecording(doctor),
      cells: { ...stops, none: 'NOT_FOUND', stopped: '=' },
    },
    {
      name: 'the patient agrees to another recording',
      event: { ...agree(patient), recordingId: otherRecordingId },
      cells: everywhere('NOT_FOUND'),
    },
    {
      name: 'the patient does not agree to another recording',
      event: { ...refuseRecording(patient), recordingId: otherRecordingId },
      cells: everywhere('NOT_FOUND'),
    },
    {
      name: 'the doctor pauses',
      event: pauseRecording(),
      cells: {
        ...notRunning,
        asking: 'WRONG_STATE',
        asked: 'WRONG_STATE',
        running: '→ paused; recording.paused',
        late: '→ paused; recording.paused',
        paused: '=',
      },
    },
    {
      name: 'the doctor resumes',
      event: resumeRecording(),
      cells: {
        ...notRunning,
        asking: 'WRONG_STATE',
        asked: 'WRONG_STATE',
        running: '=',
        late: '=',
        paused: '→ running D+P+R; recording.resumed',
      },
    },
    {
      name: 'the doctor stops',
      event: stopRecording(),
      cells: { ...stops, none: 'NOT_FOUND', stopped: '=' },
    },
    {
      name: 'the doctor stops another recording',
      event: { ...stopRecording(), recordingId: otherRecordingId },
      cells: everywhere('NOT_FOUND'),
    },
    { name: 'the patient pauses', event: pauseRecording(patient), cells: everywhere('FORBIDDEN') },
    { name: 'the patient resumes', event: resumeRecording(patient), cells: everywhere('FORBIDDEN') },
    { name: 'the relative stops', event: stopRecording(relative), cells: everywhere('FORBIDDEN') },
    {
      name: 'the relative leaves',
      event: { type: 'call.leave', by: relative, deviceId: tv, callId },
      cells: {
        ...adding({ ...goesOn, running: '→ running D+P', late: '→ running D+P' }, 'call.left; seatReleased'),
        asked: '→ running D+P; call.left; recording.started; seatReleased',
      },
    },
    {
      name: 'the patient leaves',
      event: { type: 'call.leave', by: patient, deviceId: phone, callId },
      cells: adding({ ...goesOn, running: '→ running D+R', late: '→ running D' }, 'call.left; seatReleased'),
    },
    {
      name: 'the relative is taken out of the consultation',
      event: { type: 'host.removeParticipant', personId: relative },
      cells: {
        ...adding(
          { ...goesOn, running: '→ running D+P', late: '→ running D+P' },
          'call.left; participant.left; seatReleased; participantLeft',
        ),
        asked: '→ running D+P; call.left; participant.left; recording.started; seatReleased; participantLeft',
      },
    },
    {
      name: 'another device of the patient takes the seat',
      event: takeOver(patient, tablet),
      cells: adding(goesOn, 'seatReleased'),
    },
    {
      name: 'the patient mutes themselves',
      event: {
        type: 'seat.setSource',
        by: patient,
        deviceId: phone,
        callId,
        source: 'microphone',
        on: false,
      },
      cells: goesOn,
    },
    {
      name: 'the patient’s device is lost',
      event: { type: 'device.lost', personId: patient, deviceId: phone },
      cells: goesOn,
    },
    { name: 'the server is started again', event: { type: 'restarted' }, cells: goesOn },
    {
      name: 'the doctor hangs up',
      event: { type: 'call.hangUp', by: doctor, deviceId: desk, callId },
      cells: { ...isOver, none: wasNot, stopped: wasNot },
    },
    {
      name: 'the doctor ends the consultation',
      event: { type: 'end', by: doctor },
      cells: { ...endsAll, none: endsUnrecorded, stopped: endsUnrecorded },
    },
    {
      name: 'almost a minute passes',
      event: { type: 'tick' },
      after: 59_999,
      cells: everywhere('='),
    },
    {
      name: 'a minute passes',
      event: { type: 'tick' },
      after: 60_000,
      cells: {
        ...everywhere('='),
        asking: '→ none; recording.stopped',
        asked: '→ none; recording.stopped',
      },
    },
  ],
};
