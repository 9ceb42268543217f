/** Writes the documents that are made from the protocol, or with --check says which are out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { openApiDocument } from '../server/http/openapi.ts';
import { asyncApiDocument } from './docs/asyncapi.ts';
import { errorsMarkdown } from './docs/errors-markdown.ts';
import { protocolMarkdown } from './docs/protocol-markdown.ts';

/** Path under the repository's root → what it must hold. */
export const generatedDocs = (): ReadonlyMap<string, string> =>
  new Map([
    ['docs/PROTOCOL.md', protocolMarkdown()],
    ['docs/ERRORS.md', errorsMarkdown()],
    ['docs/asyncapi.json', `${JSON.stringify(asyncApiDocument(), null, 2)}\n`],
    ['docs/openapi.json', `${JSON.stringify(openApiDocument(), null, 2)}\n`],
  ]);

const root = new URL('../', import.meta.url);

/** Paths whose content is not what would be generated. */
export const outdatedDocs = (): string[] =>
  [...generatedDocs()].flatMap(([path, text]) => (readOrEmpty(path) === text ? [] : [path]));

function readOrEmpty(path: string): string {
  try {
    return readFileSync(new URL(path, root), 'utf8');
  } catch {
    return '';
  }
}

if (import.meta.main) {
  const outdated = outdatedDocs();
  if (process.argv.includes('--check')) {
    for (const path of outdated) console.error(`${path} is out of date: run "npm run docs".`);
    process.exitCode = outdated.length === 0 ? 0 : 1;
  } else {
    for (const [path, text] of generatedDocs()) writeFileSync(new URL(path, root), text);
    console.log(outdated.length === 0 ? 'The documents were up to date.' : `Written: ${outdated.join(', ')}`);
  }
}
