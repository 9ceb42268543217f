/** The examples as their README starts them: built and served by Vite, in front of a real server. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { FloatingCall } from '@teleconsult/client-sdk/ui';
import type { ConsultationView } from '@teleconsult/protocol';
import type { Browser } from 'playwright-core';
import { DESK, launchBrowser, Person } from '../e2e/browser.ts';
import { eventually } from '../helpers/eventually.ts';
import { freePort, startServerProcess } from '../helpers/server-process.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../helpers/test-app.ts';
import { hostToken, personToken } from '../helpers/test-tokens.ts';

export const EXAMPLES = ['plain-page', 'react', 'vue'] as const;
export type ExampleName = (typeof EXAMPLES)[number];

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const VITE = fileURLToPath(new URL('../../node_modules/vite/bin/vite.js', import.meta.url));

const viteArguments = (command: 'build' | 'preview', example: ExampleName, outDir: string): string[] => [
  VITE,
  command,
  `examples/${example}`,
  '--config',
  'examples/vite.config.ts',
  '--outDir',
  outDir,
];

export async function buildExample(example: ExampleName, outDir: string): Promise<void> {
  await promisify(execFile)(process.execPath, [...viteArguments('build', example, outDir), '--emptyOutDir'], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] },
    timeout: 60_000,
  });
}

/** Serves a built example with the headers that its configuration names; answers its origin. */
async function serve(
  example: ExampleName,
  outDir: string,
  server: string,
): Promise<AsyncDisposable & { origin: string }> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const child = spawn(
    process.execPath,
    [...viteArguments('preview', example, outDir), '--host', '127.0.0.1', '--port', String(port)],
    {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], TELECONSULT_URL: server },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const ended = once(child, 'exit');
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-10_000);
    });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  try {
    await eventually('the example is served', async () => (await fetch(origin)).ok, {
      withinMs: 20_000,
      lastSeen: () => output,
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { origin, [Symbol.asyncDispose]: stop };
}

export interface ExampleVisit extends AsyncDisposable {
  readonly browser: Browser;
  readonly origin: string;
  readonly server: string;
  readonly view: ConsultationView;
  readonly doctor: Person;
  readonly patient: Person;
}

/** A doctor and a patient, each with the example in a browser profile of their own. */
export async function startExample(example: ExampleName): Promise<ExampleVisit> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const server = stack.use(
    await startServerProcess({
      dataDir: dir.path,
      port: await freePort(),
      env: { TELECONSULT_MEDIA: 'mediasoup' },
    }),
  );
  const dist = stack.use(await tempDir());
  await buildExample(example, dist.path);
  const { origin } = stack.use(await serve(example, dist.path, server.origin));
  const browser = stack.use(await launchBrowser());
  const view = await createConsultation(server.origin, hostToken());
  const people = peopleOf(view);
  const open = async (personId: string): Promise<Person> =>
    stack.use(
      await Person.open(
        browser,
        `${origin}/#token=${personToken(personId)}&consultation=${view.consultationId}`,
        DESK,
      ),
    );
  const doctor = await open(people.doctor);
  const patient = await open(people.patient);
  const owned = stack.move();
  return {
    browser,
    origin,
    server: server.origin,
    view,
    doctor,
    patient,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What the floating element of a page shows, and the call of its client. */
export interface FloatingSeen {
  readonly state: string;
  readonly callId: string | null;
  readonly isRestored: boolean;
  readonly microphoneOn: boolean;
  readonly cameraOn: boolean;
  /** Of the others, as this page sees them. */
  readonly others: readonly { readonly state: string; readonly microphoneOn: boolean }[];
}

export function floatingOf(person: Person): Promise<FloatingSeen> {
  return person.page.evaluate(() => {
    const element = document.querySelector<FloatingCall>('teleconsult-floating-call');
    const call = element?.client?.activeCall ?? null;
    const self = element?.client?.personId;
    return {
      state: element?.state ?? 'missing',
      callId: call?.id ?? null,
      isRestored: call?.isRestored ?? false,
      microphoneOn: call?.microphoneOn ?? false,
      cameraOn: call?.cameraOn ?? false,
      others: (call?.view.seats ?? [])
        .filter(({ personId }) => personId !== self)
        .map(({ state, microphoneOn }) => ({ state, microphoneOn })),
    };
  });
}

export async function floatingBecomes(
  person: Person,
  what: string,
  isSo: (seen: FloatingSeen) => boolean,
): Promise<FloatingSeen> {
  let seen: FloatingSeen | undefined;
  return await eventually(
    what,
    async () => {
      seen = await floatingOf(person);
      return isSo(seen) && seen;
    },
    { withinMs: 20_000, lastSeen: () => ({ ...seen, errors: person.errors }) },
  );
}
