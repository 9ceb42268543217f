import { Problem, type RouteDefinition, routes } from '@teleconsult/protocol';
import type { TestApp } from '../../helpers/test-app.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON, or the text of what is none. */
  readonly body: unknown;
}

export interface Call {
  readonly token?: string;
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Documented {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { responses: object }>>>>;
}

/** Speaks REST, and throws when an answer is not what the OpenAPI document and the problem format promise. */
export async function call(
  { origin }: Pick<TestApp, 'origin'>,
  request: `${Uppercase<string>} /${string}`,
  { token, body, headers = {} }: Call = {},
): Promise<Answer> {
  const [method = '', path = ''] = request.split(' ');
  const response = await fetch(origin + path, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true && text !== '';
  const answer: Answer = {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : text,
  };
  if (response.status >= 400 && method !== 'HEAD') {
    checkProblem(request, answer);
    await checkDocumented(origin, method, path, response.status);
  }
  return answer;
}

/** RFC 9457 with a code and the request id, and nothing else (S11). */
function checkProblem(request: string, { status, headers, body }: Answer): void {
  const problem = Problem.strict().parse(body);
  const isRight =
    headers.get('content-type')?.startsWith('application/problem+json') === true &&
    problem.requestId === headers.get('x-request-id') &&
    problem.status === status;
  if (!isRight) throw new Error(`${request}: ${JSON.stringify(body)} is not the problem of ${status}`);
}

async function checkDocumented(origin: string, method: string, path: string, status: number): Promise<void> {
  const route = Object.values<RouteDefinition>(routes).find((each) => isOf(each, method, path));
  if (route === undefined) return;
  const { paths } = (await (await fetch(`${origin}/v1/openapi.json`)).json()) as Documented;
  const operation = paths[route.path.replace(/:(\w+)/g, '{$1}')]?.[route.method];
  if (operation === undefined || !(String(status) in operation.responses))
    throw new Error(`${route.operationId} answered ${status}, which the OpenAPI document does not name`);
}

function isOf(route: RouteDefinition, method: string, path: string): boolean {
  const pattern = new RegExp(`^${route.path.replace(/:\w+/g, '[^/]+')}$`);
  return route.method.toUpperCase() === method && pattern.test(path.split('?')[0] ?? '');
}
