import { type ErrorDefinition, errorCatalogue } from '@teleconsult/protocol';

/** docs/ERRORS.md. */
export function errorsMarkdown(): string {
  const rows = Object.entries<ErrorDefinition>(errorCatalogue).map(
    ([code, { httpStatus, retryable, message }]) =>
      `| \`${code}\` | ${httpStatus === 0 ? 'SDK only' : httpStatus} | ${retryable ? 'yes' : 'no'} | ${message} |`,
  );
  return [
    '# Errors',
    '',
    '<!-- Generated from protocol/errors.ts by "npm run docs". Do not edit. -->',
    '',
    'The same codes over the socket (in the acknowledgement) and over REST (RFC 9457 problem details, with the code',
    'as `code`). `requestId` names the request in the server’s log. *Retryable* means that the same call may succeed',
    'later without being changed.',
    '',
    '| code | HTTP | retryable | meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
