/**
 * A second, slower opinion of what a visit with a call does: seats by the seat table, phases by the consultation
 * table, endings by the ending rules. It shares no line with the domain and knows its times by heart.
 */
import type {
  CallEndReason,
  CallId,
  ConsultationPhase,
  DeviceId,
  PersonId,
  SeatLeftReason,
} from '@teleconsult/protocol';
import type { ConsultationEvent } from '@teleconsult/server/consultation/commands';
import { type Cell, parse } from './cells.ts';
import { visitTable } from './consultation-table.ts';
import {
  change,
  columnOf,
  fresh,
  isHeld,
  type Model,
  type ModelCall,
  type ModelSeat,
  opens,
} from './model-state.ts';
import { followUpEvent, followUpsTicked, isFollowedUp } from './reference-follow-ups.ts';
import { answersAreDue, lookedAtAgain, recordingEvent, stopped } from './reference-recording.ts';
import { seatTable } from './seat-table.ts';

const RING = 45_000;
const CONNECT = 30_000;
const GRACE = 60_000;
const CALLER_GRACE = 10_000;
const RETURN = 900_000;
const WAITING = 86_400_000;

export type Prediction =
  | { readonly code: string }
  | { readonly model: Model; readonly callEnded: CallEndReason | null };

type Command = Extract<ConsultationEvent, { by: PersonId }>;
type CallEvent = Exclude<
  Extract<Command, { callId: CallId }>,
  { type: `recording.${string}` | `phone.${string}` }
>;

const refused = (code: string): Prediction => ({ code });
const on = (model: Model): Prediction => ({ model, callEnded: null });
const DOCTOR_ONLY = new Set([
  ...['accept', 'decline', 'end', 'seat.mute', 'participant.remove'],
  ...['recording.start', 'recording.pause', 'recording.resume', 'recording.stop'],
  ...['followUp.plan', 'followUp.change', 'followUp.cancel', 'followUp.begin', 'followUp.complete'],
]);
const PATIENT_ONLY = new Set(['enter', 'cancel', 'contact.set']);
const GUESTS_ONLY = new Set(['participant.leave']);

/** What the event must lead to, and then what that means for the recording. */
export function predict(model: Model, event: ConsultationEvent, now: number): Prediction {
  const foreseen = predictAlone(model, event, now);
  return 'code' in foreseen ? foreseen : { ...foreseen, model: lookedAtAgain(foreseen.model) };
}

/** Whether calls are possible. */
const isOpen = (model: Model): boolean => model.phase === 'active' || isFollowedUp(model);

function predictAlone(model: Model, event: ConsultationEvent, now: number): Prediction {
  if ('by' in event) {
    const role = model.people.get(event.by);
    if (role === undefined) return refused('NOT_FOUND');
    if (
      (DOCTOR_ONLY.has(event.type) && role !== 'doctor') ||
      (PATIENT_ONLY.has(event.type) && role !== 'patient') ||
      (GUESTS_ONLY.has(event.type) && (role === 'doctor' || role === 'patient'))
    )
      return refused('FORBIDDEN');
  }
  switch (event.type) {
    case 'enter':
      return byPhase(model, 'the patient enters', now);
    case 'accept':
      return byPhase(model, 'the doctor accepts', now);
    case 'decline':
      return byPhase(model, 'the doctor declines', now);
    case 'cancel':
      return byPhase(model, 'the patient cancels', now);
    case 'end':
      return byPhase(model, 'the doctor ends', now);
    case 'host.end':
      return byPhase(model, 'the host application ends', now);
    case 'send':
      return byPhase(model, 'somebody sends', now);
    case 'host.remove':
      return byPhase(model, 'the host application removes a message', now);
    case 'participant.add':
      return model.phase === 'ended' ? refused('WRONG_STATE') : on(withPerson(model, event.participant));
    case 'participant.leave':
      return takenOut(model, event.by, now);
    case 'participant.remove':
    case 'host.removeParticipant':
      return takenOut(model, event.personId, now);
    case 'call.start':
      return isOpen(model) ? started(model, event, now) : refused('WRONG_STATE');
    case 'device.lost':
    case 'device.returned': {
      const seat = model.call?.seats.get(event.personId);
      const isOwn = seat?.device === event.deviceId;
      const gone = event.type === 'device.lost' ? 'the device is lost' : 'the device is back';
      return seatEvent(model, event.personId, { row: isOwn ? gone : 'another device is lost', now });
    }
    case 'restarted':
      return on(restart(model, now));
    case 'tick':
      return ticked(model, now);
    case 'note.signed':
    case 'note.added':
      if (!model.people.has(event.author)) return refused('NOT_FOUND');
      return model.phase === 'active' || model.phase === 'ended' ? on(model) : refused('WRONG_STATE');
    case 'followUp.plan':
    case 'followUp.change':
    case 'followUp.cancel':
    case 'followUp.begin':
    case 'followUp.complete':
    case 'contact.set': {
      const after = followUpEvent(model, event, now);
      if ('code' in after) return after;
      return after.hangsUp === true
        ? { model: { ...after.model, call: null }, callEnded: 'declined' }
        : on(after.model);
    }
    case 'recording.start':
    case 'recording.answer':
    case 'recording.pause':
    case 'recording.resume':
    case 'recording.stop': {
      if (!isOpen(model)) return refused('WRONG_STATE');
      const after = recordingEvent(model, event, now);
      return 'code' in after ? after : on(after.model);
    }
    case 'recall':
    case 'setSubject':
    case 'phone.bound':
    case 'phone.unbound':
    case 'phone.callStarted':
    case 'phone.callAnswered':
    case 'phone.callEnded':
    case 'phone.refused':
    case 'phone.seatAnswered':
    case 'phone.seatLeft':
    case 'phone.microphone':
    case 'phone.consent':
    case 'phone.dialIn':
    case 'phone.get':
    case 'phone.bind':
    case 'phone.unbind':
    case 'phone.setRefused':
    case 'phone.join':
      throw new Error('The model does not play this.');
    default:
      return isOpen(model) ? inCall(model, event, now) : refused('WRONG_STATE');
  }
}

function byPhase(model: Model, row: string, now: number): Prediction {
  const cell = visitTable.rows.find(({ name }) => name === row)?.cells[model.phase];
  if (cell === undefined) throw new Error(`The table has no row "${row}".`);
  if (cell === '=') return on(model);
  if (!cell.startsWith('→')) return refused(cell);
  const phase = parse(cell).outcome.split(' ')[0] as ConsultationPhase;
  if (phase === model.phase) return on(model);
  const callEnded = model.call === null ? null : model.call.phase === 'ringing' ? 'cancelled' : 'completed';
  return {
    model: { ...model, phase, since: now, call: phase === 'ended' ? null : model.call },
    callEnded: phase === 'ended' ? callEnded : null,
  };
}

const withPerson = (model: Model, { personId, role }: { personId: PersonId; role: string }): Model => ({
  ...model,
  people: new Map([...model.people, [personId, role]]),
});

function takenOut(model: Model, person: PersonId, now: number): Prediction {
  if (model.phase === 'ended') return refused('WRONG_STATE');
  const role = model.people.get(person);
  if (role === undefined) return refused('NOT_FOUND');
  if (role === 'doctor' || role === 'patient') return refused('WRONG_STATE');
  const people = new Map([...model.people].filter(([id]) => id !== person));
  const seat = model.call?.seats.get(person);
  if (seat === undefined || (seat.state === 'left' && seat.returnUntil === null))
    return on({ ...model, people });
  const left = leave(model, new Map([[person, 'removed']]), now);
  return 'code' in left ? left : { ...left, model: { ...left.model, people } };
}

function started(
  model: Model,
  event: Extract<ConsultationEvent, { type: 'call.start' }>,
  now: number,
): Prediction {
  const { by, deviceId, callId, media, engaged } = event;
  if (model.call !== null) {
    const seat = model.call.seats.get(by);
    if (seat?.state === 'invited') return seatEvent(model, by, { row: 'answers', now, deviceId });
    return seat !== undefined && isHeld(seat) && seat.device === deviceId
      ? on(model)
      : refused('WRONG_STATE');
  }
  const called = [...(event.people ?? model.people.keys())].filter((person) => person !== by);
  if (called.length === 0) return refused('WRONG_STATE');
  if (called.some((person) => !model.people.has(person))) return refused('NOT_FOUND');
  const isBusy = (person: PersonId) => engaged?.get(person) === 'busy';
  if (called.every(isBusy)) return { model, callEnded: 'busy' };
  const seats = new Map<PersonId, ModelSeat>([
    [by, { ...fresh(media, now), state: 'connecting', device: deviceId }],
  ]);
  for (const person of called)
    seats.set(
      person,
      isBusy(person)
        ? { ...fresh(media, now), state: 'left', reason: 'busy' }
        : { ...fresh(media, now), state: 'invited', ringUntil: now + RING },
    );
  return on({
    ...model,
    call: { callId, media, phase: 'ringing', caller: by, until: 0, seats, recording: null, stopped: null },
  });
}

/** Commands about a running call. */
function inCall(model: Model, event: Exclude<CallEvent, { type: 'call.start' }>, now: number): Prediction {
  const { call } = model;
  const own = call?.seats.get(event.by);
  if (call === null || call.callId !== event.callId || own === undefined) return refused('NOT_FOUND');
  const isOwn = own.device === event.deviceId;
  const holds = isHeld(own) && isOwn;
  const { by, deviceId } = event;
  switch (event.type) {
    case 'call.accept':
      return seatEvent(model, by, { row: isOwn ? 'answers' : 'answers on another device', now, deviceId });
    case 'call.decline':
      // The table's seat was declined; one that was left for another reason has nothing to decline.
      if (own.state === 'left' && own.reason !== 'declined') return refused('WRONG_STATE');
      return seatEvent(model, by, { row: 'declines', now, deviceId });
    case 'call.leave':
      return seatEvent(model, by, { row: isOwn ? 'leaves' : 'leaves on another device', now, deviceId });
    case 'call.hangUp': {
      if (own.state === 'invited') return seatEvent(model, by, { row: 'declines', now, deviceId });
      if (isOwn && own.returnUntil !== null) return seatEvent(model, by, { row: 'hangs up', now, deviceId });
      if (!holds) return refused('WRONG_STATE');
      const inIt = [...call.seats.values()].filter(({ state }) => state !== 'left').length;
      if (inIt > 2 && by !== call.caller && model.people.get(by) !== 'doctor') return refused('FORBIDDEN');
      const callEnded = call.phase === 'ringing' ? 'cancelled' : 'completed';
      return { model: { ...model, call: null }, callEnded };
    }
    case 'call.invite': {
      if (!holds) return refused('WRONG_STATE');
      if (!model.people.has(event.personId)) return refused('NOT_FOUND');
      const row = event.engaged === 'busy' ? 'is invited and busy' : 'is invited by the doctor';
      return seatEvent(model, event.personId, { row, now });
    }
    case 'call.setMedia': {
      if (!holds) return refused('WRONG_STATE');
      if (call.media === event.media) return on(model);
      const seats = new Map(
        [...call.seats].map(([id, seat]) => [id, { ...seat, camera: false, screen: false }]),
      );
      return on({ ...model, call: { ...call, media: event.media, seats } });
    }
    case 'seat.join':
      return joined(model, event, now);
    case 'seat.mute': {
      if (!holds || event.personId === by) return refused('WRONG_STATE');
      const muted = seatEvent(model, event.personId, { row: 'is muted by the doctor', now });
      return 'code' in muted
        ? muted
        : on(
            change(model, event.personId, (seat) =>
              seat.microphone ? { microphone: false, mutedBy: by } : {},
            ),
          );
    }
    case 'seat.setView':
      return holds ? on(change(model, by, () => ({ view: event.view }))) : refused('WRONG_STATE');
    case 'seat.setInterrupted':
      return holds
        ? on(change(model, by, () => ({ interrupted: event.interrupted })))
        : refused('WRONG_STATE');
    case 'seat.setSource': {
      if (!holds) return refused('WRONG_STATE');
      const { source } = event;
      if (source === 'microphone')
        return on(
          change(model, by, (seat) =>
            seat.microphone === event.on ? {} : { microphone: event.on, mutedBy: null },
          ),
        );
      if (event.on && call.media === 'voice') return refused('WRONG_STATE');
      const isShared = [...call.seats].some(([person, { screen }]) => screen && person !== by);
      if (source === 'screen' && event.on && isShared) return refused('WRONG_STATE');
      return on(change(model, by, () => ({ [source]: event.on })));
    }
  }
}

/** A join, by who brings what, and the tickets after it. */
function joined(model: Model, event: Extract<CallEvent, { type: 'seat.join' }>, now: number): Prediction {
  const { by, deviceId, ticket, nextTicket, takeOver } = event;
  const seat = model.call?.seats.get(by);
  if (seat === undefined) return refused('NOT_FOUND');
  // Time has closed the way back, though nobody has looked yet.
  if (seat.returnUntil !== null && now >= seat.returnUntil) return refused('WRONG_STATE');
  const isOwn = seat.device === deviceId;
  const fits = isOwn && (seat.given.length === 0 || opens(seat, ticket));
  const row = fits
    ? 'joins with its ticket'
    : isOwn
      ? `${takeOver ? 'takes over on the same device' : 'joins without a ticket'}`
      : `${takeOver ? 'takes over' : 'joins'} with another device`;
  const after = seatEvent(model, by, { row, now, deviceId });
  if ('code' in after) return after;
  const isUsed = fits && seat.given.length > 0;
  const given = [...(isUsed ? seat.given : []), { ticket: nextTicket, for: isUsed ? ticket : null }];
  return { ...after, model: change(after.model, by, () => ({ given, brought: isUsed ? ticket : null })) };
}

/** What the seat table says, carried out. */
function seatEvent(
  model: Model,
  person: PersonId,
  { row, now, deviceId }: { row: string; now: number; deviceId?: DeviceId },
): Prediction {
  const { call } = model;
  if (call === null) return on(model);
  const seat = call.seats.get(person);
  const cell: Cell | undefined = seatTable.rows.find(({ name }) => name === row)?.cells[columnOf(seat)];
  if (cell === undefined) throw new Error(`The table has no row "${row}".`);
  if (cell === '=') return on(model);
  if (!cell.startsWith('→')) return refused(cell);
  const [state, reason] = parse(cell).outcome.split(' ') as [ModelSeat['state'], SeatLeftReason?];
  if (state === 'left')
    return leave(model, new Map([[person, reason ?? 'hung_up']]), now, deviceId ?? seat?.device ?? null);
  if (state === 'invited') {
    const seats = new Map(call.seats);
    seats.set(person, { ...fresh(call.media, now), state, ringUntil: now + RING });
    return on({ ...model, call: { ...call, seats } });
  }
  if (seat === undefined) return on(model);
  if (row === 'is muted by the doctor') return on(model);
  const moved =
    state === 'present' && deviceId !== undefined && (deviceId !== seat.device || seat.state === 'left');
  // Coming back, a device is what it was before: one that never joined is still connecting.
  const back = row === 'the device is back' && !seat.joined ? 'connecting' : state;
  const next: ModelSeat = {
    ...seat,
    state: back,
    since: now,
    device: deviceId ?? seat.device,
    reason: null,
    returnUntil: null,
    joined: state === 'reconnecting' ? seat.state === 'present' : false,
    ...(moved ? { screen: false, interrupted: false, view: 'full' as const } : {}),
  };
  const seats = new Map([...call.seats, [person, next]]);
  return on({ ...model, call: settled({ ...call, seats }, row.startsWith('answers') ? now : null) });
}

function settled(call: ModelCall, answeredAt: number | null): ModelCall {
  if (answeredAt !== null && call.phase !== 'live')
    return { ...call, phase: 'connecting', until: answeredAt + CONNECT };
  const present = [...call.seats.values()].filter(({ state }) => state === 'present').length;
  return call.phase === 'connecting' && present >= 2 ? { ...call, phase: 'live' } : call;
}

/** Seats are left, and the ending rules say what becomes of the call. */
function leave(
  model: Model,
  leaving: ReadonlyMap<PersonId, SeatLeftReason>,
  now: number,
  decliner: DeviceId | null = null,
): Prediction {
  const { call } = model;
  if (call === null) return on(model);
  const seats = new Map(
    [...call.seats].map(([person, seat]): [PersonId, ModelSeat] => {
      const reason = leaving.get(person);
      if (reason === undefined) return [person, isOver(seat, now) ? { ...seat, returnUntil: null } : seat];
      const device = seat.state === 'invited' ? (reason === 'declined' ? decliner : null) : seat.device;
      const returnUntil = reason === 'lost' && call.phase === 'live' ? now + RETURN : null;
      const lets = { state: 'left', screen: false, interrupted: false } as const;
      return [person, { ...seat, ...lets, since: now, reason, device, returnUntil }];
    }),
  );
  const all = [...seats.values()];
  const held = all.filter(isHeld).length;
  const rung = all.some(({ state }) => state === 'invited');
  const awaited = all.some(({ returnUntil }) => returnUntil !== null);
  const lost = leaving.size === 0 || [...leaving.values()].includes('lost');
  const goesOn = on({ ...model, call: { ...call, seats } });
  const ends = (callEnded: CallEndReason): Prediction => ({ model: { ...model, call: null }, callEnded });
  if (call.phase !== 'ringing')
    return held >= 2 || (held === 1 && (rung || awaited)) ? goesOn : ends(lost ? 'lost' : 'completed');
  if (held === 0) return ends(lost ? 'lost' : 'cancelled');
  if (rung) return goesOn;
  for (const reason of ['declined', 'no_answer', 'busy'] as const)
    if (all.some((seat) => seat.state === 'left' && seat.reason === reason)) return ends(reason);
  return ends('cancelled');
}

function restart(model: Model, now: number): Model {
  let after = model;
  for (const [person, seat] of model.call?.seats ?? [])
    if (isHeld(seat))
      after = change(after, person, () => ({
        state: 'reconnecting',
        since: now,
        joined: seat.state === 'reconnecting' ? seat.joined : seat.state === 'present',
      }));
  return after;
}

function ticked(model: Model, now: number): Prediction {
  if ((model.phase === 'requested' || model.phase === 'waiting') && now >= model.since + WAITING)
    return byPhase(model, 'the waiting time passes', now);
  const answered = answersAreDue(model, now) ? stopped(model) : model;
  const seated = seatsTicked(answered, now);
  return 'code' in seated ? seated : { ...seated, model: followUpsTicked(seated.model, now) };
}

function seatsTicked(model: Model, now: number): Prediction {
  const { call } = model;
  if (call === null) return on(model);
  const leaving = new Map<PersonId, SeatLeftReason>();
  for (const [person, seat] of call.seats) {
    const grace = call.phase === 'ringing' && person === call.caller ? CALLER_GRACE : GRACE;
    if (seat.state === 'invited' && now >= seat.ringUntil) leaving.set(person, 'no_answer');
    if (seat.state === 'reconnecting' && now >= seat.since + grace) leaving.set(person, 'lost');
    if (seat.state === 'connecting' && call.phase === 'live' && now >= seat.since + CONNECT)
      leaving.set(person, 'lost');
  }
  const rings = [...call.seats].some(([person, { state }]) => state === 'invited' && !leaving.has(person));
  if (call.phase === 'connecting' && now >= call.until && !rings)
    return { model: { ...model, call: null }, callEnded: 'failed' };
  const closes = [...call.seats.values()].some((seat) => isOver(seat, now));
  return leaving.size === 0 && !closes ? on(model) : leave(model, leaving, now);
}

const isOver = ({ returnUntil }: ModelSeat, now: number): boolean =>
  returnUntil !== null && now >= returnUntil;
