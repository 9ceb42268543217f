import type { Entry } from '@teleconsult/protocol';

export interface SentMessage {
  readonly by: string;
  readonly clientMessageId: string;
  readonly sequence: number;
}

/**
 * What is wrong with a thread, given what was acknowledged (in each sender's order): a gap, a message lost,
 * doubled or out of its sender's order, or an acknowledged sequence that is another message's.
 */
export function transcriptViolations(entries: readonly Entry[], acked: readonly SentMessage[]): string[] {
  const found: string[] = [];
  for (const [index, { sequence }] of entries.entries())
    if (sequence !== index + 1) found.push(`place ${index + 1} holds sequence ${sequence}`);
  const places = new Map<string, number>();
  for (const entry of entries) {
    if (entry.kind !== 'message.sent') continue;
    const key = `${entry.by}/${entry.clientMessageId}`;
    if (places.has(key)) found.push(`${key} is there twice`);
    places.set(key, entry.sequence);
  }
  const lastOf = new Map<string, number>();
  for (const { by, clientMessageId, sequence } of acked) {
    const place = places.get(`${by}/${clientMessageId}`);
    if (place === undefined) {
      found.push(`${by}/${clientMessageId} was acknowledged and is lost`);
      continue;
    }
    if (place !== sequence)
      found.push(`${by}/${clientMessageId} was acknowledged at ${sequence} and is at ${place}`);
    if (place <= (lastOf.get(by) ?? 0)) found.push(`${by}/${clientMessageId} is out of its sender’s order`);
    lastOf.set(by, place);
  }
  return found;
}
