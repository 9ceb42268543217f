/** A second opinion of what comes after a visit, by the table of follow-ups. It shares no line with the domain. */
import type { FollowUpId } from '@teleconsult/protocol';
import type { ConsultationEvent } from '@teleconsult/server/consultation/commands';
import { type Cell, parse } from './cells.ts';
import { type FollowUpColumn, followUpTable } from './follow-up-table.ts';
import type { Model, ModelFollowUp } from './model-state.ts';

const DAY = 86_400_000;
const FIVE_YEARS = 5 * 366 * DAY;
const MOST = 50;

type FollowUpEvent = Extract<ConsultationEvent, { type: `followUp.${string}` | 'contact.set' }>;
type Answer = { readonly code: string } | { readonly model: Model; readonly hangsUp?: boolean };

const refused = (code: string): Answer => ({ code });

/** Whether calls are possible after the end. */
export const isFollowedUp = ({ phase, followUps }: Model): boolean =>
  phase === 'ended' && followUps.some(({ state }) => state === 'in_progress');

const changed = (model: Model, id: FollowUpId, how: Partial<ModelFollowUp>): Model => ({
  ...model,
  followUps: model.followUps.map((one) => (one.id === id ? { ...one, ...how } : one)),
});

/** What an event leads to. Roles were looked at before. */
export function followUpEvent(model: Model, event: FollowUpEvent, now: number): Answer {
  if (event.type === 'contact.set') {
    if (model.contactRefused === event.refused) return { model };
    const isObeyed = event.refused && isFollowedUp(model);
    const followUps = model.followUps.map((one) =>
      isObeyed && one.state === 'in_progress' ? { ...one, state: 'due' as const, since: now } : one,
    );
    return {
      model: { ...model, contactRefused: event.refused, followUps },
      hangsUp: isObeyed && model.call !== null,
    };
  }
  const isVisit = model.phase === 'active' || model.phase === 'ended';
  const isAfter = event.type === 'followUp.begin' || event.type === 'followUp.complete';
  if (!isVisit || (isAfter && model.phase !== 'ended')) return refused('WRONG_STATE');
  const isAhead = (dueAt: number) => dueAt > now && dueAt <= now + FIVE_YEARS;
  if (event.type === 'followUp.plan') {
    if (model.followUps.some(({ client }) => client === event.clientFollowUpId)) return { model };
    if (!isAhead(event.dueAt)) return refused('INVALID');
    if (model.followUps.length >= MOST) return refused('WRONG_STATE');
    const { followUpId: id, clientFollowUpId: client, dueAt } = event;
    const planned: ModelFollowUp = { id, client, dueAt, state: 'planned', since: now };
    return { model: { ...model, followUps: [...model.followUps, planned] } };
  }
  const followUp = model.followUps.find(({ id }) => id === event.followUpId);
  if (followUp === undefined) return refused('NOT_FOUND');
  const column = columnOf(model, followUp);
  switch (event.type) {
    case 'followUp.change': {
      const cell = cellOf('the doctor moves it to another day', column);
      if (!cell.startsWith('→')) return refused(cell);
      if (event.dueAt === followUp.dueAt) return { model };
      if (!isAhead(event.dueAt)) return refused('INVALID');
      return {
        model: changed(model, followUp.id, {
          dueAt: event.dueAt,
          state: 'planned',
          ...renewed(followUp, now),
        }),
      };
    }
    case 'followUp.cancel':
      return byTable(model, followUp, 'the doctor cancels it', now);
    case 'followUp.begin': {
      const others = model.followUps.some(({ id, state }) => id !== followUp.id && state === 'in_progress');
      if (model.contactRefused) return refused('FORBIDDEN');
      if (others && (column === 'planned' || column === 'due')) return refused('WRONG_STATE');
      return byTable(model, followUp, 'the doctor begins it', now);
    }
    case 'followUp.complete': {
      if (column === 'done') return event.outcome === followUp.outcome ? { model } : refused('WRONG_STATE');
      const row = event.outcome === 'refused' ? 'refused' : 'reached';
      const after = byTable(model, followUp, `the doctor completes it: ${row}`, now);
      return 'code' in after
        ? after
        : { model: changed(after.model, followUp.id, { outcome: event.outcome }) };
    }
  }
}

/** A planned one that is moved was planned before; one that was due is planned anew. */
const renewed = ({ state }: ModelFollowUp, now: number): { since?: number } =>
  state === 'due' ? { since: now } : {};

function columnOf(model: Model, { state }: ModelFollowUp): FollowUpColumn {
  switch (state) {
    case 'planned':
    case 'due':
      return model.contactRefused ? 'refused' : state;
    case 'in_progress':
      return model.call === null ? 'begun' : 'calling';
    case 'done':
    case 'cancelled':
      return state;
  }
}

function cellOf(row: string, column: FollowUpColumn): Cell {
  const cell = followUpTable.rows.find(({ name }) => name === row)?.cells[column];
  if (cell === undefined) throw new Error(`The table has no row "${row}".`);
  return cell;
}

function byTable(model: Model, followUp: ModelFollowUp, row: string, now: number): Answer {
  const cell = cellOf(row, columnOf(model, followUp));
  if (cell === '=') return { model };
  if (!cell.startsWith('→')) return refused(cell);
  const state = parse(cell).outcome as ModelFollowUp['state'];
  return { model: changed(model, followUp.id, { state, since: now }) };
}

/** What time does to follow-ups. */
export function followUpsTicked(model: Model, now: number): Model {
  const isDue = ({ state, dueAt, since }: ModelFollowUp): boolean =>
    (state === 'planned' && now >= dueAt) ||
    (state === 'in_progress' && model.call === null && now >= since + DAY);
  return {
    ...model,
    followUps: model.followUps.map((one) => (isDue(one) ? { ...one, state: 'due', since: now } : one)),
  };
}
