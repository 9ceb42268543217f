import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { facts, requests } from '@teleconsult/protocol';
import { isErrorCode } from '@teleconsult/protocol/errors';
import { Settings } from '@teleconsult/server/config';
import { DEFAULT_TIMINGS } from '@teleconsult/server/consultation/state';
import { describe, expect, test } from 'vitest';
import { english } from '../../client-sdk/ui/words-en.ts';
import { CONTENT_SECURITY_POLICY } from '../../examples/vite.config.ts';

const root = new URL('../../', import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const RESUME = read('docs/RESUME.md');
const EMBEDDING = read('docs/EMBEDDING.md');
const BOTH = RESUME + EMBEDDING;

/** What stands between fences of these languages. */
const blocks = (text: string, languages: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`(?:${languages})\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, code]) => code ?? '',
  );

/** What stands in back-quotes in running text. */
const quoted = (text: string): string[] =>
  [...text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? '');

const isIn = (files: readonly string[], code: string): boolean => files.some((file) => file.includes(code));

const exampleFiles = (): string[] =>
  readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => read(`examples/${name}`));

describe('RESUME.md and EMBEDDING.md', () => {
  test('[DOC5] every failure that can be simulated has its row in RESUME.md, and none besides', () => {
    const [, union = ''] =
      /^export type SimulatedFailure =([^;]+);/m.exec(read('client-sdk/resume-api.ts')) ?? [];
    const failures = [...union.matchAll(/'([\w-]+)'/g)].map(([, name]) => name);
    const [, section = ''] = /^## Trying it out\n([\s\S]*?)^## /m.exec(RESUME) ?? [];
    const rows = [...section.matchAll(/^\| `([\w-]+)` \| .+ \| .+ \| .+ \|$/gm)].map(([, name]) => name);
    expect(failures.length).toBeGreaterThan(5);
    expect(rows.length).toBe(failures.length);
    expect(new Set(rows)).toEqual(new Set(failures));
  });

  test('[DOC6] every TypeScript block is part of an example, and so is compiled', () => {
    const examples = exampleFiles();
    const code = blocks(BOTH + read('README.md'), 'ts|tsx');
    expect(code.length).toBeGreaterThan(8);
    expect(code.filter((block) => !isIn(examples, block.trimEnd()))).toEqual([]);
  });

  test('[DOC6 sabotage] a block that differs in one word is found', () => {
    expect(isIn(exampleFiles(), 'client.restoreCalls()')).toBe(false);
  });

  test('[DOC7] settings, codes, methods and words that they name are those of the code', () => {
    const names = [...BOTH.matchAll(/\bTELECONSULT_([A-Z_]+)\b/g)].map(([, name]) => name ?? '');
    expect(names.filter((name) => !(name in Settings.shape))).toEqual([]);
    const codes = quoted(RESUME).filter((word) => /^[A-Z][A-Z_]{4,}$/.test(word));
    expect(codes.length).toBeGreaterThan(4);
    expect(codes.filter((code) => !code.startsWith('TELECONSULT_') && !isErrorCode(code))).toEqual([]);

    const api = read('client-sdk/api.ts') + read('client-sdk/call-api.ts') + read('client-sdk/resume-api.ts');
    const members = quoted(BOTH).flatMap((code) =>
      [...code.matchAll(/\b(?:client|call|consultation)\.([a-z]\w+)/g)].map(([, member]) => member ?? ''),
    );
    const wire = new Set([...Object.keys(facts), ...Object.keys(requests)]);
    expect(new Set(members).size).toBeGreaterThan(8);
    const isKnown = (member: string): boolean =>
      new RegExp(`^ {2}(?:readonly )?${member}[(?:<]`, 'm').test(api) || wire.has(`call.${member}`);
    expect(members.filter((member) => !isKnown(member))).toEqual([]);

    const somebody = 'Wang Li';
    for (const words of [
      english.stillPicture(somebody),
      english.otherInterrupted(somebody),
      english.otherLost(somebody, '10:42'),
      english.restoring,
      english.moved,
      english.goOn,
      english.continueHere,
    ])
      expect(RESUME).toContain(`"${words}"`);
  });

  test('[DOC7] times that RESUME.md names are the defaults', () => {
    const { seatGraceMs, returnMs } = DEFAULT_TIMINGS;
    expect(RESUME).toContain(`\`TELECONSULT_SEAT_GRACE_MS\`, ${seatGraceMs / 1000} s`);
    expect(RESUME).toContain(`\`TELECONSULT_RETURN_MS\`, ${returnMs / 60_000} min`);
  });

  test('[DOC9] each way of coming back has a picture, which no sign in it cuts short', () => {
    const [, section = ''] = /^## Coming back\n([\s\S]*?)^## /m.exec(RESUME) ?? [];
    const ways = section.split(/^### /m).slice(1);
    expect(ways.length).toBe(6);
    for (const way of ways) {
      const [picture = '', ...more] = blocks(way, 'mermaid');
      expect(more).toEqual([]);
      expect(picture).toMatch(/^sequenceDiagram\n/);
      // Mermaid ends a message at each of these.
      expect(picture).not.toMatch(/[;#]/);
      const declared = [...picture.matchAll(/^ {2}(?:participant|actor) (\w+) as /gm)].map(
        ([, name]) => name,
      );
      const used = [...picture.matchAll(/^ {2}(\w+)-{1,2}(?:>>|x)(\w+): /gm)].flatMap(([, from, to]) => [
        from,
        to,
      ]);
      expect(new Set(declared)).toEqual(new Set(used));
    }
  });

  test('[DOC8] the content security policy that EMBEDDING.md gives is the one that the examples run under', () => {
    expect(EMBEDDING).toContain(`\nContent-Security-Policy: ${CONTENT_SECURITY_POLICY}\n`);
  });
});
