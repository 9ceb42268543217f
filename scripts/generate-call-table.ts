/** Writes the tables of consultation, call and seat into docs/SPEC.md, from the data that the tests check `step` with. */
import { readFileSync, writeFileSync } from 'node:fs';
import { callTable } from '../test/model/call-table.ts';
import { toMarkdown } from '../test/model/cells.ts';
import { channelTable } from '../test/model/channel-table.ts';
import { colleaguesTable, visitTable } from '../test/model/consultation-table.ts';
import { followUpTable } from '../test/model/follow-up-table.ts';
import { endingRules, groupCallTable } from '../test/model/group-call-table.ts';
import { recordingTable } from '../test/model/recording-table.ts';
import { seatTable } from '../test/model/seat-table.ts';

const LEGEND = 'A dash answers the present state and changes nothing.';

const endings = [
  '| when seats are left while | and what remains is | the call |',
  '| --- | --- | --- |',
  ...endingRules.map(({ when, remains, outcome }) => `| ${when} | ${remains} | ${outcome} |`),
].join('\n');

/** The name of a pair of markers → what stands between them. */
const sections: ReadonlyMap<string, string> = new Map([
  [
    'consultation-table',
    [
      toMarkdown(visitTable),
      toMarkdown(colleaguesTable),
      toMarkdown(channelTable),
      toMarkdown(followUpTable),
      LEGEND,
    ].join('\n\n'),
  ],
  [
    'call-table',
    [toMarkdown(callTable), toMarkdown(groupCallTable), endings, toMarkdown(recordingTable), LEGEND].join(
      '\n\n',
    ),
  ],
  ['seat-table', [toMarkdown(seatTable), LEGEND].join('\n\n')],
]);

/** The specification with its tables as they are now. Throws when a marker is missing. */
export function withTables(specification: string): string {
  let text = specification;
  for (const [name, table] of sections) {
    const begin = `<!-- ${name}:begin -->`;
    const end = `<!-- ${name}:end -->`;
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from === -1 || to < from) throw new Error(`docs/SPEC.md has no markers ${name}.`);
    text = `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`;
  }
  return text;
}

if (import.meta.main) {
  const path = new URL('../docs/SPEC.md', import.meta.url);
  const before = readFileSync(path, 'utf8');
  const after = withTables(before);
  if (process.argv.includes('--check')) {
    if (after !== before)
      console.error('docs/SPEC.md is out of date: run "node scripts/generate-call-table.ts".');
    process.exitCode = after === before ? 0 : 1;
  } else {
    writeFileSync(path, after);
    console.log(after === before ? 'The tables were up to date.' : 'Written: docs/SPEC.md');
  }
}
