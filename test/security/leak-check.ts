import {
  ClientMessageId,
  type RequestInput,
  type RequestName,
  type RouteDefinition,
  routes,
} from '@teleconsult/protocol';
import type { RawClient } from '../helpers/raw-client.ts';
import { pointingRequests, type Targets, unknownIds, validPayloads } from './valid-payloads.ts';

export interface Stranger {
  readonly client: RawClient;
  readonly token: string;
}

type Attempt = () => Promise<{ status: number | 'refused' | 'done'; body: unknown }>;

/**
 * Tries every request and route with ids that leaked, and with ids of nothing. Says each attempt that was not
 * NOT_FOUND (or, for routes of the host application, FORBIDDEN), and each that was answered otherwise than for nothing.
 */
export async function leaks(origin: string, stranger: Stranger, leaked: Targets): Promise<string[]> {
  const found: string[] = [];
  const onNothing = attempts(origin, stranger, unknownIds);
  for (const [what, attempt] of attempts(origin, stranger, leaked)) {
    const real = await attempt();
    const nothing = await onNothing.get(what)?.();
    const { code } = Object(real.body) as { code?: string };
    const isHostRoute = what.startsWith('route') && real.status === 403 && code === 'FORBIDDEN';
    if (code !== 'NOT_FOUND' && !isHostRoute) found.push(`${what}: ${code ?? real.status}`);
    if (JSON.stringify(real) !== JSON.stringify(nothing)) found.push(`${what}: other than for nothing`);
  }
  return found;
}

function attempts(origin: string, stranger: Stranger, targets: Targets): Map<string, Attempt> {
  return new Map([
    ...requestAttempts(stranger, targets),
    ...Object.values<RouteDefinition>(routes).map(
      (route) => [`route ${route.operationId}`, routeAttempt(origin, stranger, route, targets)] as const,
    ),
    ...uploadAttempts(origin, stranger, targets),
  ]);
}

function requestAttempts({ client }: Stranger, targets: Targets): [string, Attempt][] {
  const { consultationId, callId, attachmentId } = targets;
  const clientMessageId = ClientMessageId.parse('message-of-a-stranger');
  const sent: readonly RequestInput<'message.send'>['content'][] = [
    { type: 'file', attachmentId },
    { type: 'image', attachmentId },
    { type: 'voice', attachmentId },
  ];
  const payloads = validPayloads(targets);
  return [
    // Others name nothing of anybody’s; what they answer to whom is the rights matrix’s to check.
    ...pointingRequests.map((name): [string, RequestName, object] => [
      `request ${name}`,
      name,
      payloads[name],
    ]),
    ...sent.map((content): [string, RequestName, object] => [
      `request message.send of ${content.type}`,
      'message.send',
      { consultationId, clientMessageId, content },
    ]),
    ...(['transportId', 'producerId', 'consumerId'] as const).map((id): [string, RequestName, object] => [
      `request seat.resumeConsumer of ${id}`,
      'seat.resumeConsumer',
      { consultationId, callId, consumerId: targets[id] },
    ]),
  ].map(([what, name, payload]): [string, Attempt] => [
    what,
    async () => {
      const reply = await client.emit(name, payload);
      return reply.ok
        ? { status: 'done', body: reply.data }
        : { status: 'refused', body: { ...reply.error, requestId: '' } };
    },
  ]);
}

function routeAttempt(
  origin: string,
  { token }: Stranger,
  route: RouteDefinition,
  targets: Readonly<Record<string, string>>,
): Attempt {
  const path = route.path.replace(/:(\w+)/g, (_whole, name: string) => targets[name] ?? '');
  return async () => answerOf(await fetch(origin + path, requestInit(token, route.method)));
}

const requestInit = (token: string, method: string): RequestInit => ({
  method: method.toUpperCase(),
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  ...(method === 'post' && { body: '{}' }),
});

/** Uploads are no routes of the table: they follow the tus protocol. */
function uploadAttempts(origin: string, { token }: Stranger, targets: Targets): [string, Attempt][] {
  const { consultationId, attachmentId } = targets;
  const tus = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' };
  const metadata = `consultationId ${btoa(consultationId)},kind ${btoa('file')}`;
  const content = { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };
  const at = `/v1/uploads/${attachmentId}`;
  const send = (path: string, init: RequestInit) => async () =>
    answerOf(await fetch(origin + path, { ...init, headers: { ...tus, ...(init.headers as object) } }));
  return [
    [
      'upload POST',
      send('/v1/uploads', {
        method: 'POST',
        headers: { 'upload-length': '10', 'upload-metadata': metadata },
      }),
    ],
    ['upload PATCH', send(at, { method: 'PATCH', headers: content, body: 'x' })],
    ['upload DELETE', send(at, { method: 'DELETE' })],
    // There is nothing to be read there, as tus says in words of its own; and a HEAD has no words at all.
    ['upload GET', async () => named404(await send(at, { method: 'GET' })())],
    ['upload HEAD', async () => named404(await send(at, { method: 'HEAD' })())],
  ];
}

const named404 = ({ status }: { status: number | 'refused' | 'done' }) => ({
  status,
  body: status === 404 ? { code: 'NOT_FOUND' } : null,
});

async function answerOf(response: Response): Promise<{ status: number; body: unknown }> {
  const text = await response.text();
  const isProblem = response.headers.get('content-type')?.includes('problem+json') === true;
  return {
    status: response.status,
    body: isProblem && text !== '' ? { ...(JSON.parse(text) as object), requestId: '' } : text,
  };
}
