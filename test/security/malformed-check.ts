import type { Reply } from '@teleconsult/protocol';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { CANARY, everyMalformed, type Malformed } from './malformed.ts';

const BODY_KEYS = ['code', 'message', 'retryable', 'requestId'];
const REQUEST_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const REFUSED_WITHIN_MS = 5_000;

/**
 * Sends every malformed event with and without an acknowledgement and says what was not as documented. It stops
 * at the first connection that is lost. An empty list is the claim: all were refused and the server lives.
 */
export async function complaintsAbout({
  origin,
  token,
}: {
  origin: string;
  token: string;
}): Promise<string[]> {
  const complaints: string[] = [];
  await using client = await RawClient.connect(origin, token);
  let sentWithoutAck = 0;
  for (const malformed of everyMalformed()) {
    const name = `${String(malformed.event).slice(0, 40)} with ${malformed.what}`;
    try {
      client.socket.emit(malformed.event, ...malformed.args);
      sentWithoutAck += 1;
      complaints.push(...judge(name, malformed, await client.emit(malformed.event, ...malformed.args)));
    } catch (error) {
      return [...complaints, `${name}: ${String(error)}`];
    }
  }
  const refused = () => client.of('request.refused');
  await eventually(
    'a refusal of every event without acknowledgement',
    () => refused().length >= sentWithoutAck,
    {
      withinMs: REFUSED_WITHIN_MS,
      lastSeen: () => `${refused().length} of ${sentWithoutAck}`,
    },
  ).catch((error: unknown) => complaints.push(String(error)));
  for (const { event, error } of refused()) complaints.push(...judgeBody(`${event} without ack`, error));
  const others = client.facts.filter(({ name }) => name !== 'request.refused');
  if (others.length > 0) complaints.push(`facts that nobody asked for: ${JSON.stringify(others)}`);
  await using fresh = await RawClient.connect(origin, token);
  for (const each of [client, fresh])
    await each.request('consultation.list', {}).catch((error: unknown) => complaints.push(String(error)));
  return complaints;
}

function judge(name: string, { expected }: Malformed, reply: Reply<unknown>): string[] {
  if (reply.ok) return [`${name}: was accepted`];
  const complaints = judgeBody(name, reply.error);
  if (!expected.includes(reply.error.code)) complaints.push(`${name}: answered ${reply.error.code}`);
  return complaints;
}

/** An error carries what the protocol says and nothing of what was sent. */
export function judgeBody(name: string, body: object): string[] {
  const complaints: string[] = [];
  const { detail: _detail, ...rest } = body as Record<string, unknown>;
  if (JSON.stringify(Object.keys(rest).sort()) !== JSON.stringify([...BODY_KEYS].sort()))
    complaints.push(`${name}: the error has ${Object.keys(body).join(', ')}`);
  if (!REQUEST_ID.test(String(rest['requestId']))) complaints.push(`${name}: no request id`);
  if (JSON.stringify(body).includes(CANARY)) complaints.push(`${name}: repeats what was sent`);
  return complaints;
}
