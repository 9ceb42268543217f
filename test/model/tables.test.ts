import { readFileSync } from 'node:fs';
import type { NoteId } from '@teleconsult/protocol';
import type { CommandType } from '@teleconsult/server/consultation/commands';
import { recordedPeople } from '@teleconsult/server/consultation/recording';
import { judge, rights } from '@teleconsult/server/consultation/rights';
import type { ConsultationState } from '@teleconsult/server/consultation/state';
import { step } from '@teleconsult/server/consultation/step';
import { dueAt } from '@teleconsult/server/consultation/tick';
import { describe, expect, test } from 'vitest';
import { withTables } from '../../scripts/generate-call-table.ts';
import {
  active,
  addRelative,
  after,
  agree,
  alone,
  answer,
  begin,
  callId,
  complete,
  connecting,
  desk,
  doctor,
  followedUp,
  followUpId,
  join,
  live,
  liveThree,
  movedTo,
  must,
  openedChannel,
  patient,
  pauseRecording,
  phone,
  plan,
  record,
  relative,
  requested,
  requestedThread,
  ringing,
  rungThird,
  setContact,
  start,
  stopRecording,
  thirdJoins,
  timings,
  tv,
} from '../server/consultation/domain-fixtures.ts';
import { callTable } from './call-table.ts';
import { type Cell, cellsOf, type Expected, parse, type Row, type Table } from './cells.ts';
import { channelTable } from './channel-table.ts';
import { colleaguesTable, visitTable } from './consultation-table.ts';
import { followUpTable } from './follow-up-table.ts';
import { groupCallTable } from './group-call-table.ts';
import { recordingTable } from './recording-table.ts';
import { seatTable } from './seat-table.ts';

const ROLES = ['patient', 'doctor', 'colleague', 'relative', 'interpreter'] as const;
const noteId = 'not_0000000000000000000001' as NoteId;

/** When every state of the tables was reached. */
const REACHED_AT = 1_000;

const third = { by: relative, deviceId: tv, callId };
const accepted = () => after(rungThird(), { type: 'call.accept', ...third });
const lostThird = () => after(liveThree(), { type: 'device.lost', personId: relative, deviceId: tv });
const declined = () => after(rungThird(), { type: 'call.decline', ...third });

/** A seat that was left since its device was away, in a call whose moments are those of the other columns. */
function leftLost(): ConsultationState {
  const { seatGraceMs, returnMs } = timings;
  const { state } = must(lostThird(), { type: 'tick' }, REACHED_AT + seatGraceMs);
  return movedTo(state, { at: REACHED_AT, returnMs });
}

/** Steps the event of a row and says what became of the whole, in the words of the cells. */
function observe(
  state: ConsultationState,
  { event, after: wait = 0 }: Pick<Row<string>, 'event' | 'after'>,
  read: (state: ConsultationState) => string,
): Expected {
  const outcome = step(state, event, { now: REACHED_AT + wait, timings });
  if (outcome.kind === 'refused') return { outcome: outcome.code, facts: [], effects: [] };
  const { facts, effects, state: next } = outcome;
  const ended = effects.find((effect) => effect.type === 'callEnded');
  const isSame =
    facts.length === 0 &&
    effects.length === 0 &&
    next.callRevision === state.callRevision &&
    next.phase.name === state.phase.name;
  // What changes nothing must truly change nothing.
  if (isSame) expect(next).toEqual(state);
  return {
    outcome: isSame ? '=' : ended === undefined ? read(next) : `ended ${ended.reason}`,
    facts: facts.map(({ fact }) => fact.kind),
    effects: effects.map(({ type }) => type),
  };
}

const phaseOf = ({ phase }: ConsultationState, before: ConsultationState): string =>
  phase.name === 'ended' && before.phase.name !== 'ended' ? `ended ${phase.reason}` : phase.name;
const callOf = ({ call }: ConsultationState): string => call?.phase.name ?? 'none';
function seatOf({ call }: ConsultationState): string {
  const seat = call?.seats.find(({ personId }) => personId === relative);
  if (seat === undefined) return 'none';
  return seat.state === 'left' ? `left ${seat.reason}` : seat.state;
}

function checkTable<Column extends string>(
  table: Table<Column>,
  states: Record<Column, () => ConsultationState>,
  read: (state: ConsultationState, before: ConsultationState) => string,
): void {
  for (const { row, column, cell } of cellsOf(table))
    test(`${row.name} when ${table.columns[column]}: ${cell}`, () => {
      const before = states[column]();
      expect(observe(before, row, (next) => read(next, before))).toEqual(parse(cell));
    });
}

describe('[CNS2] every command in every phase does what the table of the specification says', () => {
  const waiting = () => must(requested(), { type: 'enter', by: patient }, REACHED_AT).state;
  const ended = () => after(active(), { type: 'end', by: doctor });
  const asked = (state: ConsultationState) => ({
    ...state,
    phase: { name: 'requested', since: REACHED_AT } as const,
  });
  checkTable(visitTable, { requested: () => asked(requested()), waiting, active, ended }, (next, before) =>
    phaseOf(next, before),
  );
});

describe('[CNS10] in a thread of colleagues the doctor who was asked decides, and either ends it', () => {
  const begun = () => after(requestedThread(), { type: 'accept', by: colleagueOf(requestedThread()) });
  const colleagueOf = ({ participants, requestedBy }: ConsultationState) =>
    participants.find(({ personId }) => personId !== requestedBy)?.personId ?? doctor;
  const ended = () => after(begun(), { type: 'end', by: doctor });
  checkTable(colleaguesTable, { requested: requestedThread, active: begun, ended }, (next, before) =>
    phaseOf(next, before),
  );
});

describe('[HCH9] in a health channel clips are published, and nothing else happens, whatever is asked', () => {
  const ended = () => after(openedChannel(), { type: 'host.end', reason: 'completed' });
  checkTable(channelTable, { active: openedChannel, ended }, phaseOf);
  for (const command of Object.keys(rights) as CommandType[])
    test(`${command} is nobody’s in it`, () => {
      for (const role of ROLES)
        for (const phase of ['active', 'ended'] as const)
          expect(judge(command, { role, kind: 'health_channel' }, phase)).toBe('forbidden');
    });
  test('time has nothing to do with it', () => expect(dueAt(openedChannel(), timings)).toBeNull());
});

describe('[HCH10] clips are signed in health channels alone', () => {
  test('a clip in a visit is refused', () => {
    const event = { type: 'note.signed', author: doctor, noteId, purpose: 'health_channel' } as const;
    expect(step(active(), event, { now: REACHED_AT, timings })).toMatchObject({ code: 'INVALID' });
  });
});

describe('[CALL1] every event in every state of a call does what the table of the specification says', () => {
  checkTable(callTable, { none: active, ringing, connecting, live, alone }, callOf);
});

describe('[CALL1] every event in every state of a call to two does what the table of the specification says', () => {
  const rung = () => after(active(), addRelative, start());
  checkTable(
    groupCallTable,
    {
      ringing: rung,
      answered: () => after(rung(), answer()),
      rung: rungThird,
      three: liveThree,
      declined,
    },
    callOf,
  );
});

describe('[SEAT10] every event in every state of a seat does what the table of the specification says', () => {
  checkTable(
    seatTable,
    {
      none: () =>
        after(
          active(),
          addRelative,
          { ...start(), people: [patient] },
          answer(),
          join(doctor, desk),
          join(patient, phone),
        ),
      invited: rungThird,
      connecting: accepted,
      present: liveThree,
      reconnecting: lostThird,
      lost: leftLost,
      left: declined,
    },
    seatOf,
  );
});

const initials = new Map([
  [doctor, 'D'],
  [patient, 'P'],
  [relative, 'R'],
]);
function recordingOf({ call }: ConsultationState): string {
  if (call === null || call.recording === null) return 'none';
  const recorded = recordedPeople(call).map((personId) => initials.get(personId) ?? personId);
  return [call.recording.phase.name, ...(recorded.length > 0 ? [recorded.toSorted().join('+')] : [])].join(
    ' ',
  );
}

describe('[RECC1] every event in every state of a recording does what the table of the specification says', () => {
  const asking = () => after(liveThree(), record());
  const running = () => after(asking(), agree(patient), agree(relative));
  checkTable(
    recordingTable,
    {
      none: liveThree,
      asking,
      asked: () => after(asking(), agree(patient)),
      running,
      late: () => thirdJoins(after(rungThird(), record(), agree(patient))),
      paused: () => after(running(), pauseRecording()),
      stopped: () => after(running(), stopRecording()),
    },
    recordingOf,
  );
});

describe('[FUP1] every event in every state of a follow-up does what the table of the specification says', () => {
  const ofFollowUp = ({ call, followUps }: ConsultationState): string => {
    const state = followUps.find((one) => one.followUpId === followUpId)?.state ?? 'none';
    return call === null ? state : `${state} calling`;
  };
  const due = () => {
    const soon = after(active(), plan(REACHED_AT + 1), { type: 'end', by: doctor });
    const { state } = must(soon, { type: 'tick' }, REACHED_AT + 1);
    return { ...state, followUps: state.followUps.map((one) => ({ ...one, since: REACHED_AT })) };
  };
  const begun = () => after(followedUp(), begin);
  checkTable(
    followUpTable,
    {
      active: () => after(active(), plan()),
      planned: followedUp,
      due,
      begun,
      calling: () => after(begun(), start(), answer(), join(doctor, desk), join(patient, phone)),
      done: () => after(begun(), complete()),
      cancelled: () => after(followedUp(), { type: 'followUp.cancel', by: doctor, followUpId }),
      refused: () => after(due(), setContact(true)),
    },
    ofFollowUp,
  );
});

test('[CALL1] the tables of the specification are these tables', () => {
  const path = new URL('../../docs/SPEC.md', import.meta.url);
  const text = readFileSync(path, 'utf8');
  expect(withTables(text), 'run "node scripts/generate-call-table.ts"').toBe(text);
});

test('[CALL1 sabotage] a cell that says something else is noticed', () => {
  const wrong: Cell = '→ live; call.answered';
  const found = observe(ringing(), { event: answer() }, callOf);
  expect(found).toEqual(parse('→ connecting; call.answered'));
  expect(found).not.toEqual(parse(wrong));
});
