import { unreachable } from '@teleconsult/protocol/unreachable';
import type { AuditTail, AuditVerdict } from '../audit/chain.ts';
import { SqliteAuditReading } from '../storage/sqlite/sqlite-audit.ts';
import { type Command, optionOf, UsageError } from './command.ts';
import { openData } from './data-folder.ts';

/** A number and the hash of its row, as this command says them. */
const ANCHOR = /^(\d{1,15}):([0-9a-f]{64})$/;

export const auditVerify: Command = {
  name: 'audit verify',
  usage: '[--anchor <where it ended before>]',
  purpose:
    'walks the audit trail and says which row was edited, deleted or swapped, and where it ends; keep that elsewhere and give it back as --anchor, so that a trail cut off at its end is found, too',
  takes: ['anchor'],
  async run(context) {
    const anchor = anchorOf(optionOf(context, 'anchor'));
    using data = await openData(context);
    const verdict = await new SqliteAuditReading(data.db).verify(anchor);
    context.say(describe(verdict));
    return verdict.sound ? 0 : 1;
  },
};

function anchorOf(text: string | undefined): AuditTail | null {
  if (text === undefined) return null;
  const [, number, hash] = ANCHOR.exec(text) ?? [];
  if (number === undefined || hash === undefined)
    throw new UsageError('--anchor takes what this command said before: a number, a colon, a hash.');
  return { number: Number(number), hash: Buffer.from(hash, 'hex') };
}

function describe(verdict: AuditVerdict): string {
  if (verdict.sound)
    return `the trail is sound; it ends at ${verdict.tail.number}:${Buffer.from(verdict.tail.hash).toString('hex')}`;
  switch (verdict.what) {
    case 'missing':
      return `NOT sound: row ${verdict.number} is missing`;
    case 'changed':
      return `NOT sound: row ${verdict.number}, or one before it, is not what was written`;
    case 'cut':
      return `NOT sound: row ${verdict.number} and those behind it were cut off`;
    default:
      return unreachable(verdict.what);
  }
}
