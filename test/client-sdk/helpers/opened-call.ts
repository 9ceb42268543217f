import type { Call, ClientOptions } from '@teleconsult/client-sdk';
import { clientOf } from './clients.ts';
import { eventually } from './eventually.ts';
import { FakeMedia } from './fake-media.ts';
import { ScriptedCall } from './scripted-call.ts';
import type { ScriptedServer } from './scripted-server.ts';
import { ScriptedThread } from './scripted-thread.ts';

type CallChanges = ConstructorParameters<typeof ScriptedCall>[2];

/** A client with fake media that follows a consultation with a scripted call. */
export async function opened(
  server: ScriptedServer,
  changes: CallChanges = {},
  options: Partial<ClientOptions> = {},
) {
  const thread = new ScriptedThread(server);
  const scripted = new ScriptedCall(server, thread, changes);
  const media = new FakeMedia();
  const client = clientOf(server, { media, ...options });
  await client.connect();
  return { thread, scripted, media, client, consultation: await client.open(thread.id) };
}

type Opened = Awaited<ReturnType<typeof opened>>;

/** The call, once it rings here. */
export async function ringing({ scripted, consultation }: Opened): Promise<Call> {
  scripted.ring();
  await eventually(
    () => consultation.call?.view.state,
    (state) => state === 'ringing',
  );
  if (consultation.call === null) throw new Error('no call');
  return consultation.call;
}

/** The call, answered here; a video call with the camera on, and everything sent. */
export async function answered(here: Opened, server: ScriptedServer): Promise<Call> {
  const call = await ringing(here);
  await call.accept();
  const sources = here.scripted.view.media === 'video' ? 2 : 1;
  await eventually(
    () => server.payloads('seat.produce').length,
    (count) => count === sources,
  );
  // Answers come in order: after this one nothing is under way any more.
  await here.client.listConsultations();
  return call;
}
