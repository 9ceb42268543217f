import { type RouteDefinition, routes } from '@teleconsult/protocol';
import { openApiDocument } from '@teleconsult/server/http/openapi';
import { expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { call } from './rest-client.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { name: string; in: string; required: boolean; schema: object }[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, { description: string }>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const document = openApiDocument() as Document;
const table = Object.values<RouteDefinition>(routes);

const operations = (of: Document) =>
  Object.entries(of.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** Every value below a key of this name, wherever it is. */
function valuesOf(key: string, value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(name === key ? [inner] : []),
    ...valuesOf(key, inner),
  ]);
}

/** References that lead to nothing (RFC 6901, without escapes: the document uses none). */
function unresolved(of: unknown): unknown[] {
  return valuesOf('$ref', of).filter((reference) => {
    if (typeof reference !== 'string' || !reference.startsWith('#/')) return true;
    const target = reference
      .slice(2)
      .split('/')
      .reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], of);
    return target === undefined;
  });
}

test('[REST8] the OpenAPI document has every route of the table and no other, each with its parameters', () => {
  expect(document.openapi).toBe('3.1.0');
  const documented = operations(document);
  expect(documented.map(({ operation }) => operation.operationId).sort()).toEqual(
    table.map(({ operationId }) => operationId).sort(),
  );
  for (const { path, method, operation } of documented) {
    const route = table.find(({ operationId }) => operationId === operation.operationId);
    expect(`${method} ${path}`).toBe(`${route?.method} ${route?.path.replace(/:(\w+)/g, '{$1}')}`);
    const inPath = operation.parameters.filter((parameter) => parameter.in === 'path' && parameter.required);
    expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
    expect('requestBody' in operation).toBe(route?.body !== undefined);
    expect(Object.keys(operation.responses)).toContain(String(route?.status));
    for (const { description } of Object.values(operation.responses)) expect(description).not.toBe('');
  }
});

test('[REST8] every reference of the OpenAPI document leads somewhere', () => {
  expect(valuesOf('$ref', document).length).toBeGreaterThan(0);
  expect(unresolved(document)).toEqual([]);
});

test('[REST8 sabotage] a reference to nothing, or out of the document, is found', () => {
  const broken = { a: { $ref: '#/components/schemas/Nothing' }, b: [{ $ref: 'https://example.org/x' }] };
  expect(unresolved({ ...document, broken })).toHaveLength(2);
});

test('[REST8] the document is served to everybody', async () => {
  await using app = await startTestApp();
  expect(await call(app, 'GET /v1/openapi.json')).toMatchObject({
    status: 200,
    body: JSON.parse(JSON.stringify(document)),
  });
});

const pathOf = (route: RouteDefinition): `/${string}` =>
  route.path
    .replace(':consultationId', `cns_${'z'.repeat(22)}`)
    .replace(':attachmentId', `att_${'z'.repeat(22)}`) as `/${string}`;

/** What each route says to nobody, to the wrong audience, about nothing, and to bodies it cannot read. */
async function provoked(app: TestApp, route: RouteDefinition): Promise<number[]> {
  const method = route.method.toUpperCase() as 'GET';
  const path = pathOf(route);
  const [host, person] = [hostToken(), personToken('somebody')];
  const statuses = [
    (await call(app, `${method} ${path}`)).status,
    (await call(app, `${method} ${path}`, { token: 'x' })).status,
    (await call(app, `${method} ${path}`, { token: person })).status,
    (await call(app, `${method} ${path}?unknown=1`, { token: host })).status,
  ];
  if (route.body === undefined) return statuses;
  for (const body of ['{', '{"x":1}', `{"x":"${'x'.repeat(70_000)}"}`])
    statuses.push((await call(app, `${method} ${path}`, { token: host, body })).status);
  return statuses;
}

test('[REST8] every refusal of every route is one that the document names for it', async () => {
  await using app = await startTestApp();
  // The client throws at a status that is not documented; here it is seen that there were refusals of every kind.
  const statuses = new Set<number>();
  for (const route of table) for (const status of await provoked(app, route)) statuses.add(status);
  expect(statuses).toEqual(new Set([400, 401, 403, 404, 413]));
});
