import { randomBytes } from 'node:crypto';
import type {
  ClientMessageId,
  ConsultationId,
  Entry,
  MessageDraft,
  Participant,
  PersonId,
} from '@teleconsult/protocol';
import { RawClient } from '../../helpers/raw-client.ts';
import type { TestApp } from '../../helpers/test-app.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { textDraft } from '../../helpers/visit.ts';

export const newId = (): ClientMessageId => `message-${randomBytes(8).toString('hex')}` as ClientMessageId;

export const say = (client: RawClient, consultationId: ConsultationId, text: string, replyTo?: number) =>
  client.request('message.send', {
    consultationId,
    clientMessageId: newId(),
    content: textDraft(text),
    ...(replyTo === undefined ? {} : { replyTo }),
  });

export const send = (
  client: RawClient,
  consultationId: ConsultationId,
  content: MessageDraft,
  clientMessageId = newId(),
) => client.request('message.send', { consultationId, clientMessageId, content });

/** The whole thread as a device reads it, by pages. */
export async function threadOf(client: RawClient, consultationId: ConsultationId): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (;;) {
    const page = await client.request('thread.page', {
      consultationId,
      afterSequence: entries.at(-1)?.sequence ?? 0,
      limit: 7,
    });
    entries.push(...page.entries);
    if (!page.hasMore) return entries;
  }
}

/** The whole thread as the host application reads it. */
export async function restThread(origin: string, id: ConsultationId): Promise<Entry[]> {
  const response = await fetch(`${origin}/v1/consultations/${id}/thread?limit=200`, {
    headers: { authorization: `Bearer ${hostToken()}` },
  });
  return ((await response.json()) as { entries: Entry[] }).entries;
}

/** Draws a person in and connects them. */
export async function join(app: TestApp, id: ConsultationId, name: string): Promise<RawClient> {
  const participant: Participant = { personId: name as PersonId, role: 'relative', displayName: 'Relative' };
  await app.app.host.addParticipant(id, participant);
  return RawClient.connect(app.origin, personToken(name));
}
