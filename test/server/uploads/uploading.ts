import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConsultationId } from '@teleconsult/protocol';
import type { AppParts } from '@teleconsult/server/app';
import { peopleOf, startTestApp, type TestApp } from '../../helpers/test-app.ts';
import { personToken } from '../../helpers/test-tokens.ts';
import { startVisit, type Visit } from '../../helpers/visit.ts';
import { attachmentTools } from './samples.ts';
import { TusClient } from './tus-client.ts';

/** A visit whose people can upload. */
export interface Uploading extends AsyncDisposable {
  readonly app: TestApp;
  readonly visit: Visit;
  readonly id: ConsultationId;
  readonly patient: TusClient;
  readonly doctor: TusClient;
}

export type UploadingOptions = Partial<AppParts> & { dataDir?: string };

export async function startUploading(options: UploadingOptions = {}): Promise<Uploading> {
  await using stack = new AsyncDisposableStack();
  const app = stack.use(await startTestApp({ tools: await attachmentTools(), ...options }));
  const visit = stack.use(await startVisit(app));
  const people = peopleOf(visit.view);
  const owned = stack.move();
  return {
    app,
    visit,
    id: visit.id,
    patient: new TusClient(app.origin, personToken(people.patient)),
    doctor: new TusClient(app.origin, personToken(people.doctor)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The same server and people again, over the folder that an earlier one has left. */
export async function restart(
  { visit, id }: Pick<Uploading, 'visit' | 'id'>,
  options: UploadingOptions & { dataDir: string },
) {
  const app = await startTestApp({ tools: await attachmentTools(), ...options });
  const people = peopleOf(visit.view);
  return {
    app,
    id,
    patient: new TusClient(app.origin, personToken(people.patient)),
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}

/** Names of the objects on disk that belong to uploads or attachments. */
export async function objectsIn(dataDir: string, folder: 'uploads' | 'attachments'): Promise<string[]> {
  const names = await readdir(join(dataDir, 'objects'), { recursive: true });
  return names.filter((name) => (name.split('/').at(-1) ?? '').startsWith(`${folder}.`));
}
