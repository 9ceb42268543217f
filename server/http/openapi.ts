import {
  errorCatalogue,
  PROTOCOL_VERSION,
  Problem,
  type RouteDefinition,
  routes,
} from '@teleconsult/protocol';
import { z } from 'zod';

/** The OpenAPI 3.1 document of the REST interface, made from the protocol's route table. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of Object.values<RouteDefinition>(routes)) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'teleconsult',
      version: `${PROTOCOL_VERSION}`,
      description: 'REST interface for the host application’s server and for participants’ pages.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: { Problem: schema(Problem) },
    },
  };
}

function operation(route: RouteDefinition): object {
  const { operationId, summary, audience, params, query, headers, body, status, response } = route;
  // Whatever takes a body can be sent one that is too large.
  const errors = body === undefined ? route.errors : [...route.errors, 'TOO_LARGE' as const];
  return {
    operationId,
    summary,
    description: `For: ${audience.join(', ')}.`,
    parameters: [
      ...Object.entries(params).map(([name, type]) => ({
        name,
        in: 'path',
        required: true,
        schema: schema(type),
      })),
      ...Object.entries(query?.shape ?? {}).map(([name, type]) => ({
        name,
        in: 'query',
        required: false,
        schema: schema(type as z.ZodType),
      })),
      ...Object.entries(headers ?? {}).map(([name, { required, description }]) => ({
        name,
        in: 'header',
        required,
        description,
        schema: { type: 'string' },
      })),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: schema(body) } } } }),
    responses: {
      [status]: { description: 'Done.', ...content(response) },
      ...(response === 'bytes' ? ranges(response) : {}),
      ...Object.fromEntries(
        [...byStatus(errors)].map(([code, description]) => [
          code,
          {
            description,
            content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
          },
        ]),
      ),
    },
  };
}

function content(response: RouteDefinition['response']): object {
  if (response === 'empty') return {};
  if (response === 'bytes')
    return { content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } };
  return { content: { 'application/json': { schema: schema(response) } } };
}

/** RFC 9110 §15.3.7 and §15.5.17. */
const ranges = (response: 'bytes'): object => ({
  206: { description: 'The range that was asked for.', ...content(response) },
  416: { description: 'The range lies outside the content.' },
});

function byStatus(codes: RouteDefinition['errors']): Map<string, string> {
  const statuses = new Map<string, string>();
  for (const code of codes) {
    const { httpStatus, message } = errorCatalogue[code];
    const line = `${code}: ${message}`;
    const known = statuses.get(String(httpStatus));
    statuses.set(String(httpStatus), known === undefined ? line : `${known} ${line}`);
  }
  return statuses;
}

const schema = (type: z.ZodType): object => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' });
  return rest;
};
