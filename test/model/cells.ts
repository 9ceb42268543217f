/**
 * Cells of the tables that say what happens. A cell is `=` (the present state is answered and nothing changes), the
 * code of a refusal, or `→ next state; facts and effects in order`. Facts have a dot in their name, effects none.
 */
import type { ErrorCode } from '@teleconsult/protocol';
import type { ConsultationEvent } from '@teleconsult/server/consultation/commands';

export type Cell = '=' | ErrorCode | `→ ${string}`;

export interface Row<Column extends string> {
  readonly name: string;
  readonly event: ConsultationEvent;
  /** Milliseconds that have passed since the state of the column was reached; 0 when left out. */
  readonly after?: number;
  readonly cells: Readonly<Record<Column, Cell>>;
}

export interface Table<Column extends string> {
  readonly title: string;
  /** The name of a column to what it stands for. */
  readonly columns: Readonly<Record<Column, string>>;
  readonly rows: readonly Row<Column>[];
}

export interface Expected {
  readonly outcome: string;
  readonly facts: readonly string[];
  readonly effects: readonly string[];
}

/** What a cell asks for. */
export function parse(cell: Cell): Expected {
  const [outcome = '', ...rest] = cell.split('; ');
  return {
    outcome: outcome.replace('→ ', ''),
    facts: rest.filter((name) => name.includes('.')),
    effects: rest.filter((name) => !name.includes('.')),
  };
}

/** All of a table's cells with their names. */
export const cellsOf = <Column extends string>({ rows }: Table<Column>) =>
  rows.flatMap((row) =>
    (Object.entries(row.cells) as [Column, Cell][]).map(([column, cell]) => ({ row, column, cell })),
  );

/** The table as Markdown: facts and effects are left to the tests, outcomes are for people. */
export function toMarkdown<Column extends string>({ title, columns, rows }: Table<Column>): string {
  const names = Object.keys(columns) as Column[];
  const lines = [
    [title, ...names.map((name) => columns[name])],
    ['---', ...names.map(() => '---')],
    ...rows.map(({ name, cells }) => [name, ...names.map((column) => show(cells[column]))]),
  ];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function show(cell: Cell): string {
  if (cell === '=') return '–';
  const { outcome, facts } = parse(cell);
  if (!cell.startsWith('→')) return `\`${outcome}\``;
  const [state = '', reason] = outcome.split(' ');
  const next = reason === undefined ? state : `${state} (${reason})`;
  const told = facts.filter((fact) => fact !== 'call.ended' && fact !== 'consultation.ended');
  return [`→ ${next}`, ...told.map((fact) => `\`${fact}\``)].join(', ');
}
