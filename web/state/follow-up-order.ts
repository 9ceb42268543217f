import type { FollowUp, FollowUpState } from '@teleconsult/protocol';
import { MAX_FOLLOW_UP_MS } from '@teleconsult/protocol/limits';

const RANK: Readonly<Record<FollowUpState, number>> = {
  in_progress: 0,
  due: 1,
  planned: 2,
  done: 3,
  cancelled: 3,
};

/** What is to be done comes first: under way, due, planned by date; then what is over, newest first. */
export function followUpOrder(followUps: readonly FollowUp[]): readonly FollowUp[] {
  return [...followUps].sort((a, b) => {
    const rank = RANK[a.state] - RANK[b.state];
    if (rank !== 0) return rank;
    return RANK[a.state] === 3 ? b.since - a.since : a.dueAt - b.dueAt;
  });
}

/** A follow-up is due in the morning of its day. */
const MORNING_HOUR = 9;
/** One for today must still lie ahead when it reaches the server. */
const SOON_MS = 5 * 60_000;

/** The moment of a day as a date field has it (`2026-03-10`), by the reader's calendar; null: not a day one may choose. */
export function dueAtOf(date: string, now = Date.now()): number | null {
  const [year, month, day] = date.split('-').map(Number);
  if (year === undefined || month === undefined || day === undefined) return null;
  const dueAt = new Date(year, month - 1, day, MORNING_HOUR).getTime();
  if (!Number.isFinite(dueAt) || dateOf(dueAt) !== date) return null;
  if (date === dateOf(now)) return Math.max(dueAt, now + SOON_MS);
  return dueAt > now && dueAt - now <= MAX_FOLLOW_UP_MS ? dueAt : null;
}

export function dateOf(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
