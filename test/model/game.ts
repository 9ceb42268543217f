/** What people, devices, the host application and time may do in a game. */
import type { CallId, DeviceId, FollowUpId, NoteId, PersonId, RecordingId } from '@teleconsult/protocol';
import type { ConsultationEvent } from '@teleconsult/server/consultation/commands';
import type { ConsultationState } from '@teleconsult/server/consultation/state';
import type { TicketHash } from '@teleconsult/server/consultation/tickets';
import fc from 'fast-check';
import {
  addRelative,
  desk,
  doctor,
  laptop,
  patient,
  phone,
  relative,
  say,
  tablet,
  tv,
  watch,
} from '../server/consultation/domain-fixtures.ts';

const people = [patient, doctor, relative] as const;
const devices: ReadonlyMap<PersonId, readonly [DeviceId, DeviceId]> = new Map([
  [patient, [phone, tablet]],
  [doctor, [desk, laptop]],
  [relative, [tv, watch]],
]);

/** How often each act is played. What builds calls up comes more often than what takes them down, so that they get old. */
const acts = {
  'call.start': 6,
  'call.accept': 12,
  'call.decline': 2,
  'call.leave': 2,
  'call.hangUp': 1,
  'call.invite': 6,
  'call.setMedia': 2,
  'seat.join': 16,
  'seat.setSource': 8,
  'seat.mute': 4,
  'seat.setInterrupted': 2,
  'seat.setView': 2,
  'device.lost': 4,
  'device.returned': 4,
  restarted: 1,
  tick: 8,
  'participant.add': 6,
  'host.removeParticipant': 1,
  'participant.remove': 1,
  'participant.leave': 1,
  send: 1,
  'recording.start': 8,
  'recording.answer': 24,
  'recording.pause': 5,
  'recording.resume': 5,
  'recording.stop': 1,
  'followUp.plan': 2,
  'followUp.change': 1,
  'followUp.cancel': 1,
  'followUp.begin': 4,
  'followUp.complete': 2,
  'contact.set': 1,
  'note.signed': 1,
  'note.added': 1,
} as const;
/** What begins and ends consultations. */
const rareActs = ['enter', 'accept', 'decline', 'cancel', 'end', 'host.end', 'host.remove'] as const;

const wait = fc.oneof(
  { weight: 40, arbitrary: fc.nat({ max: 2_000 }) },
  { weight: 3, arbitrary: fc.constantFrom(9_999, 10_000, 29_999, 30_000, 44_999, 45_000, 59_999, 60_000) },
  { weight: 1, arbitrary: fc.constantFrom(899_999, 900_000) },
  { weight: 1, arbitrary: fc.constantFrom(86_400_000, 10_000_000_000) },
);

const move = fc.record({
  act: fc.oneof(
    {
      weight: 120,
      arbitrary: fc.oneof(
        ...Object.entries(acts).map(([act, weight]) => ({
          weight,
          arbitrary: fc.constant(act as keyof typeof acts),
        })),
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom(...rareActs) },
  ),
  person: fc.nat({ max: 2 }),
  other: fc.nat({ max: 2 }),
  // The first device is the one people usually take, so that what they begin comes to something.
  device: fc.constantFrom(0, 0, 0, 0, 0, 1),
  video: fc.boolean(),
  on: fc.boolean(),
  engaged: fc.constantFrom(undefined, undefined, undefined, 'busy' as const, 'knock' as const),
  named: fc.boolean(),
  source: fc.constantFrom('microphone' as const, 'camera' as const, 'screen' as const),
  // Which of the tickets that devices have in hand a join brings; most bring the newest of their own.
  brings: fc.oneof(
    { weight: 12, arbitrary: fc.constant('newest' as const) },
    { weight: 3, arbitrary: fc.constantFrom('former' as const, 'older' as const) },
    { weight: 2, arbitrary: fc.constantFrom('none' as const, 'foreign' as const) },
  ),
  takesOver: fc.constantFrom(false, false, true),
  planned: fc.nat({ max: 3 }),
  agrees: fc.nat({ max: 5 }).map((number) => number > 0),
  outcome: fc.constantFrom('reached' as const, 'not_reached' as const, 'refused' as const),
  ahead: fc.constantFrom(60_000, 86_400_000, 0, 200_000_000_000),
  isStale: fc.nat({ max: 19 }).map((number) => number === 0),
  wait,
});
/** The tickets each device was given and has kept, oldest first. */
export type Purse = ReadonlyMap<string, readonly TicketHash[]>;
export type Move = Parameters<typeof toEvent>[0];

export const game = fc.record({
  // Whether the visit runs at the beginning, or has ended and is followed up.
  begun: fc.constantFrom('active', 'active', 'active', 'followed', 'followed', 'requested'),
  // `max`: without it fast-check plays a dozen moves at most, and calls never get old.
  moves: fc.array(move, { minLength: 5, maxLength: 150, size: 'max' }),
});
export type Game = typeof game extends fc.Arbitrary<infer T> ? T : never;

const recordingIdOf = (index: number) => `rec_${String(index).padStart(22, '0')}` as RecordingId;
export const followUpIdOf = (number: number) => `fup_${String(number).padStart(22, '0')}` as FollowUpId;
const noteId = `not_${'0'.repeat(22)}` as NoteId;
const callIdOf = (index: number) => `cal_${String(index).padStart(22, '0')}` as CallId;

export function toEvent(
  made: typeof move extends fc.Arbitrary<infer T> ? T : never,
  { state, index, purse, now }: { state: ConsultationState; index: number; purse: Purse; now: number },
): ConsultationEvent {
  const { act } = made;
  const by = people[made.person] ?? patient;
  const personId = people[made.other] ?? doctor;
  const deviceId = devices.get(by)?.[made.device === 0 ? 0 : 1] ?? phone;
  const media = made.video ? 'video' : 'voice';
  const callId = made.isStale ? callIdOf(9_999) : (state.call?.callId ?? callIdOf(index));
  const place = { by, deviceId, callId };
  switch (act) {
    case 'call.start': {
      const engaged = made.engaged && new Map([[personId, made.engaged]]);
      return {
        type: act,
        ...place,
        callId: callIdOf(index),
        media,
        engaged,
        people: made.named ? [personId] : undefined,
      };
    }
    case 'call.invite':
      return { type: act, ...place, personId, engaged: made.engaged };
    case 'call.setMedia':
      return { type: act, ...place, media };
    case 'seat.join': {
      const own = made.brings === 'foreign' ? [...purse.values()].flat() : (purse.get(deviceId) ?? []);
      const back = { newest: 1, foreign: 1, former: 2, older: 3, none: own.length + 1 }[made.brings];
      const ticket = own.at(-back) ?? null;
      const nextTicket = `ticket-${index}` as TicketHash;
      return { type: act, ...place, ticket, nextTicket, takeOver: made.takesOver };
    }
    case 'seat.setSource':
      return { type: act, ...place, source: made.source, on: made.on };
    case 'seat.mute':
      return { type: act, ...place, personId };
    case 'seat.setInterrupted':
      return { type: act, ...place, interrupted: made.on };
    case 'seat.setView':
      return { type: act, ...place, view: made.on ? 'floating' : 'full' };
    case 'device.lost':
    case 'device.returned':
      return { type: act, personId: by, deviceId };
    case 'participant.add':
      return addRelative;
    case 'host.removeParticipant':
      return { type: act, personId };
    case 'participant.remove':
      return { type: act, by, personId };
    case 'host.end':
      return { type: act, reason: 'completed' };
    case 'host.remove': {
      const { messageId } = say();
      return { type: act, target: { sequence: 1, messageId, by, at: 0, withdrawn: false } };
    }
    case 'send':
      return say('text', by, `message-${index}`);
    case 'tick':
    case 'restarted':
      return { type: act };
    case 'recording.start':
      return { type: act, ...place, by: made.isStale ? by : doctor, recordingId: recordingIdOf(index) };
    case 'recording.answer':
      return { type: act, ...place, recordingId: recordingOf(made, state), granted: made.agrees };
    case 'recording.pause':
    case 'recording.resume':
    case 'recording.stop':
      return { type: act, ...place, by: made.isStale ? by : doctor, recordingId: recordingOf(made, state) };
    case 'followUp.plan': {
      const clientFollowUpId = `follow-up-${made.planned}`;
      const what = { followUpId: followUpIdOf(made.planned), clientFollowUpId, reason: 'why' };
      return { type: act, by: made.isStale ? by : doctor, ...what, dueAt: now + made.ahead };
    }
    case 'followUp.change': {
      const what = { followUpId: followUpIdOf(made.planned), reason: 'why' };
      return { type: act, by: made.isStale ? by : doctor, ...what, dueAt: now + made.ahead };
    }
    case 'followUp.cancel':
    case 'followUp.begin':
      return { type: act, by: made.isStale ? by : doctor, followUpId: followUpIdOf(made.planned) };
    case 'followUp.complete': {
      const what = { followUpId: followUpIdOf(made.planned), outcome: made.outcome };
      return { type: act, by: made.isStale ? by : doctor, ...what };
    }
    case 'contact.set':
      return { type: act, by: made.isStale ? by : patient, refused: !made.agrees };
    case 'note.signed':
      return { type: act, author: by, noteId, purpose: 'summary' };
    case 'note.added':
      return { type: act, author: by, noteId, addition: 1 };
    default:
      return act.startsWith('call.') || act.startsWith('seat.')
        ? { type: act as 'call.accept', ...place }
        : { type: act as 'enter', by };
  }
}

/** The recording that runs or was stopped last, or one that never was. */
const recordingOf = ({ isStale }: { isStale: boolean }, { call }: ConsultationState): RecordingId =>
  (isStale ? null : (call?.recording?.recordingId ?? call?.stoppedRecordingId)) ?? recordingIdOf(9_999);
