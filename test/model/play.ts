/** Plays random events against the domain and says where it differs from the reference or breaks an invariant. */
import type { DeviceId, PersonId } from '@teleconsult/protocol';
import type { ConsultationEvent } from '@teleconsult/server/consultation/commands';
import type { Attributed } from '@teleconsult/server/consultation/outcome';
import { recordedPeople } from '@teleconsult/server/consultation/recording';
import { isHeld, wayBackOf } from '@teleconsult/server/consultation/seats';
import type { ConsultationState } from '@teleconsult/server/consultation/state';
import type { step } from '@teleconsult/server/consultation/step';
import { dueAt } from '@teleconsult/server/consultation/tick';
import type { TicketHash } from '@teleconsult/server/consultation/tickets';
import { addRelative, doctor, must, requested, timings } from '../server/consultation/domain-fixtures.ts';
import { followUpIdOf, type Game, toEvent } from './game.ts';
import type { Model } from './model-state.ts';
import { predict } from './reference.ts';
import { recordedIn } from './reference-recording.ts';
import { violations } from './violations.ts';

const inOrder = (people: Iterable<PersonId>): PersonId[] => [...people].sort();

/** What the reference knows of a state. */
function seen(state: ConsultationState) {
  const { call, phase, participants, followUps } = state;
  const recording = call?.recording;
  return {
    phase: phase.name,
    people: participants.map(({ personId }) => personId).sort(),
    call: call && {
      callId: call.callId,
      media: call.media,
      phase: call.phase.name,
      caller: call.startedBy,
      seats: call.seats
        .map((seat) => ({
          person: seat.personId,
          state: seat.state,
          device: 'deviceId' in seat ? seat.deviceId : null,
          reason: seat.state === 'left' ? seat.reason : null,
          returnUntil: wayBackOf(seat)?.until ?? null,
          sends: [seat.microphoneOn, seat.cameraOn, seat.screenOn, seat.mutedBy, seat.interrupted, seat.view],
        }))
        .sort((a, b) => (a.person < b.person ? -1 : 1)),
    },
    recording: recording && {
      id: recording.recordingId,
      phase: recording.phase.name,
      asked: inOrder(recording.consents.map(({ personId }) => personId)),
      agreed: inOrder(
        recording.consents.filter(({ state: said }) => said === 'granted').map(({ personId }) => personId),
      ),
    },
    recorded: call === null ? [] : inOrder(recordedPeople(call)),
    followUps: followUps.map((one) => [one.followUpId, one.dueAt, one.state, one.since]),
    refused: state.contactRefusedSince !== null,
  };
}

const expected = (model: Model) => {
  const { phase, people: present, call, followUps, contactRefused } = model;
  const recording = call?.recording;
  return {
    phase,
    people: [...present.keys()].sort(),
    call: call && {
      callId: call.callId,
      media: call.media,
      phase: call.phase,
      caller: call.caller,
      seats: [...call.seats]
        .map(([person, seat]) => ({
          person,
          state: seat.state,
          device: seat.device,
          reason: seat.reason,
          returnUntil: seat.returnUntil,
          sends: [seat.microphone, seat.camera, seat.screen, seat.mutedBy, seat.interrupted, seat.view],
        }))
        .sort((a, b) => (a.person < b.person ? -1 : 1)),
    },
    recording: recording && {
      id: recording.id,
      phase: recording.phase,
      asked: inOrder(recording.asked),
      agreed: inOrder(recording.agreed),
    },
    recorded: inOrder(recordedIn(model)),
    followUps: followUps.map(({ id, dueAt, state, since }) => [id, dueAt, state, since]),
    refused: contactRefused,
  };
};

export interface Played {
  /** The first thing that was not as it must be; null when all was. */
  readonly wrong: string | null;
  /** What happened: kinds of facts, and states calls went through. */
  readonly met: ReadonlySet<string>;
}

/** How a game begins, with what happened until then. */
function beginning(begun: Game['begun']): { state: ConsultationState; facts: Attributed[] } {
  const plan = (number: number) =>
    ({
      type: 'followUp.plan',
      by: doctor,
      followUpId: followUpIdOf(number),
      clientFollowUpId: `follow-up-${number}`,
      dueAt: 100_000,
      reason: 'why',
    }) as const;
  const events: Record<Game['begun'], readonly ConsultationEvent[]> = {
    requested: [],
    active: [{ type: 'accept', by: doctor }, addRelative],
    followed: [
      { type: 'accept', by: doctor },
      addRelative,
      plan(0),
      plan(1),
      { type: 'end', by: doctor },
      { type: 'followUp.begin', by: doctor, followUpId: followUpIdOf(0) },
    ],
  };
  let state = requested();
  const facts: Attributed[] = [];
  for (const event of events[begun]) {
    const outcome = must(state, event);
    facts.push(...outcome.facts);
    state = outcome.state;
  }
  return { state, facts };
}

export function play({ begun, moves }: Game, stepping: typeof step): Played {
  const met = new Set<string>();
  const { state: from, facts: told } = beginning(begun);
  let state = from;
  const facts = [...told];
  let model: Model = {
    phase: state.phase.name,
    since: state.phase.since,
    people: new Map(state.participants.map(({ personId, role }) => [personId, role])),
    call: null,
    followUps: state.followUps.map(({ followUpId: id, clientFollowUpId: client, dueAt, since }) => ({
      ...{ id, client, dueAt, since },
      state: id === followUpIdOf(0) ? ('in_progress' as const) : ('planned' as const),
    })),
    contactRefused: false,
  };
  const purse = new Map<DeviceId, readonly TicketHash[]>();
  let now = 1_000;
  for (const [index, made] of moves.entries()) {
    // The clock of a server that is started again may be behind that of the one before.
    now = Math.max(0, made.act === 'restarted' ? now - 5_000 : now + made.wait);
    const event = toEvent(made, { state, index, purse, now });
    const where = `${index}: ${JSON.stringify(event)} at ${now}`;
    const foreseen = predict(model, event, now);
    const outcome = stepping(state, event, { now, timings });
    const code = outcome.kind === 'refused' ? outcome.code : null;
    if (code !== ('code' in foreseen ? foreseen.code : null))
      return {
        met,
        wrong: `${where}: ${code ?? 'allowed'} instead of ${'code' in foreseen ? foreseen.code : 'allowed'}`,
      };
    if (code !== null) met.add(code);
    if (outcome.kind === 'refused' || 'code' in foreseen) continue;
    if (event.type === 'seat.join')
      purse.set(event.deviceId, [...(purse.get(event.deviceId) ?? []), event.nextTicket]);
    const ended = outcome.effects.find((effect) => effect.type === 'callEnded')?.reason ?? null;
    if (ended !== foreseen.callEnded)
      return { met, wrong: `${where}: ended ${ended}, not ${foreseen.callEnded}` };
    const [is, must] = [seen(outcome.state), expected(foreseen.model)].map((one) => JSON.stringify(one));
    if (is !== must) return { met, wrong: `${where}: ${is} instead of ${must}` };
    if (outcome.state.sequence !== state.sequence + outcome.facts.length)
      return { met, wrong: `${where}: the sequence has a gap` };
    const changed = JSON.stringify(outcome.state.call) !== JSON.stringify(state.call);
    if (
      changed
        ? outcome.state.callRevision <= state.callRevision
        : outcome.state.callRevision < state.callRevision
    )
      return { met, wrong: `${where}: the revision does not rise` };
    if (state.call && state.call.callId === outcome.state.call?.callId)
      for (const seat of state.call.seats) {
        const after = outcome.state.call.seats.find(({ personId }) => personId === seat.personId);
        if (wayBackOf(seat) !== null && after !== undefined && wayBackOf(after) === null)
          met.add(after.state === 'left' ? 'a way back closed' : 'a way back taken');
      }
    state = outcome.state;
    model = foreseen.model;
    facts.push(...outcome.facts);
    if (state.call?.recording) met.add(state.call.recording.phase.name);
    if (state.call !== null && recordedPeople(state.call).length > 0) met.add('recorded');
    if (state.call !== null && state.phase.name === 'ended') met.add('a follow-up call');
    for (const { fact } of outcome.facts) met.add(fact.kind);
    if (ended !== null) met.add(`ended ${ended}`);
    for (const seat of state.call?.seats ?? [])
      met.add(seat.state === 'left' ? `left ${seat.reason}` : seat.state);
    if (state.call?.phase.name === 'live' && state.call.seats.filter(isHeld).length === 1) met.add('alone');
    if (state.call?.seats.filter(({ state: seat }) => seat === 'present').length === 3)
      met.add('three present');
    const [violation] = violations(facts, state);
    if (violation !== undefined) return { met, wrong: `${where}: ${violation}` };
    const due = dueAt(state, timings);
    if (event.type === 'tick' && due !== null && due <= now)
      return { met, wrong: `${where}: due again at ${due}` };
    if (due !== null && !Number.isFinite(due)) return { met, wrong: `${where}: due never` };
  }
  return { met, wrong: null };
}
