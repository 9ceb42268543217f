import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCatalogue, facts, requests } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { generatedDocs, outdatedDocs } from '../../scripts/generate-docs.ts';

const root = new URL('../../', import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Every rule id of a text, such as [CALL1]. */
export const ruleIds = (text: string): Set<string> =>
  new Set([...text.matchAll(/\[([A-Z]{2,8}\d+)\]/g)].map(([, id]) => id ?? ''));

function testFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
    .map((name) => join(folder, name));
}

test('[DOC1] the generated documents are what the protocol says now', () => {
  expect(outdatedDocs(), 'run "npm run docs"').toEqual([]);
});

test('[DOC2] PROTOCOL.md names every request and fact, ERRORS.md every code and none besides', () => {
  const docs = generatedDocs();
  for (const name of [...Object.keys(requests), ...Object.keys(facts)])
    expect(docs.get('docs/PROTOCOL.md')).toContain(`### \`${name}\``);
  const documented = [...(docs.get('docs/ERRORS.md') ?? '').matchAll(/^\| `(\w+)`/gm)].map(
    ([, code]) => code,
  );
  expect(new Set(documented)).toEqual(new Set(Object.keys(errorCatalogue)));
});

test('[DOC3] every rule of the specification has a test that names it', () => {
  const rules = ruleIds(read('docs/SPEC.md'));
  const tested = new Set(testFiles('test').flatMap((path) => [...ruleIds(read(path))]));
  expect(rules.size).toBeGreaterThan(50);
  expect([...rules].filter((rule) => !tested.has(rule))).toEqual([]);
});

test('[DOC3 sabotage] a rule without a test is found', () => {
  const tested = ruleIds("test('[CALL1] a title')");
  expect([...ruleIds('- [CALL1] one\n- [CALL99] two')].filter((rule) => !tested.has(rule))).toEqual([
    'CALL99',
  ]);
});

test('[DOC4] every link between the documents leads to a file', () => {
  const documents = [
    'README.md',
    ...readdirSync(join(root, 'docs'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ];
  const broken = documents.flatMap((path) =>
    [...read(path).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .map(([, target]) => join(root, path, '..', target ?? ''))
      .filter((target) => !exists(target)),
  );
  expect(broken).toEqual([]);
});

function exists(path: string): boolean {
  try {
    readdirSync(join(path, '..'));
    return (
      readdirSync(join(path, '..')).includes(path.replace(/\/$/, '').split('/').at(-1) ?? '') ||
      path.endsWith('/')
    );
  } catch {
    return false;
  }
}
