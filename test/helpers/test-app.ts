import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createFakeRecorder, createFakeSfu, type FakeRecorder, type FakeSfu } from '@teleconsult/media';
import type { ConsultationView } from '@teleconsult/protocol';
import { type App, type AppParts, createApp } from '@teleconsult/server/app';
import { findPrlimit } from '@teleconsult/server/attachments/limited-child';
import { createAttachmentTools } from '@teleconsult/server/attachments/process-attachment';
import { DEFAULT_TIMINGS } from '@teleconsult/server/consultation/state';
import type { ConsultationStore } from '@teleconsult/server/host/ports';
import { randomIds } from '@teleconsult/server/host/random-ids';
import { createLog } from '@teleconsult/server/log';
import { DiskJournalFolder } from '@teleconsult/server/recordings/journal-folder';
import { LocalTrackFiles } from '@teleconsult/server/recordings/local-track-files';
import { DiskObjectStore } from '@teleconsult/server/storage/objects/disk';
import { SqliteStore } from '@teleconsult/server/storage/sqlite/sqlite-store';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { tempDir } from './temp-dir.ts';
import { hostToken, testVerifier } from './test-tokens.ts';

export interface TestApp extends AsyncDisposable {
  readonly app: App;
  readonly origin: string;
  readonly dataDir: string;
  readonly store: SqliteStore;
  readonly sfu: FakeSfu;
  readonly recorder: FakeRecorder;
  readonly trackFiles: LocalTrackFiles;
  /** Every line that was logged. */
  readonly logs: string[];
  /** Moves the server's clock; its own ticks see the new time within half a second. */
  advance(ms: number): void;
  /** Through REST, as a host application does. People get names that carry the suffix. */
  createConsultation(suffix?: string): Promise<ConsultationView>;
}

/** What the server of a test has made by itself, for parts that need it. */
export interface OwnParts {
  readonly store: SqliteStore;
  readonly vault: Vault;
  readonly log: AppParts['log'];
  readonly clock: () => number;
  readonly dataDir: string;
}

/** The whole server in this process, on a free port, with real storage and a scripted SFU. */
export async function startTestApp(
  overrides: Partial<AppParts> & {
    dataDir?: string;
    telephonyOf?: (own: OwnParts) => NonNullable<AppParts['telephony']>;
  } = {},
  /** Wraps the store, for failures and sabotage. */
  wrapStore: (store: ConsultationStore) => Partial<ConsultationStore> = () => ({}),
): Promise<TestApp> {
  await using parts = new AsyncDisposableStack();
  const dataDir = overrides.dataDir ?? parts.use(await tempDir()).path;
  const logs: string[] = [];
  let offset = 0;
  const store = parts.adopt(await SqliteStore.open(join(dataDir, 'teleconsult.db')), (opened) =>
    opened.close(),
  );
  const sfu = parts.adopt(createFakeSfu(), (opened) => opened.close());
  const recorder = parts.adopt(createFakeRecorder(), (opened) => opened.close());
  const keys = await openLocalKeyFile({ path: join(dataDir, 'keys', 'k.json'), mayCreate: true, now: 0 });
  const objects = await DiskObjectStore.open(join(dataDir, 'objects'));
  const vault = new Vault(keys);
  const log = createLog({ level: 'info', destination: { write: (line) => void logs.push(line) } });
  const trackFiles = parts.adopt(
    new LocalTrackFiles({
      folder: await DiskJournalFolder.open(join(dataDir, 'recordings')),
      objects,
      vault,
      log,
      clock: () => performance.now(),
    }),
    (opened) => opened.close(),
  );
  const clock = (): number => Date.now() + offset;
  const telephony = overrides.telephonyOf?.({ store, vault, log, clock, dataDir }) ?? null;
  const app = createApp({
    store: overlay<ConsultationStore>(store, wrapStore(store)),
    attachments: store.attachments,
    people: store.people,
    invitations: store.invitations,
    notes: store.notes,
    recordings: store.recordings,
    trackFiles,
    recorder,
    maxRecordingTracks: 64,
    audit: store.audit,
    objects,
    vault,
    sfu,
    tokens: testVerifier(),
    tools: createAttachmentTools({
      nodePath: process.execPath,
      ffmpegPath: process.env['FFMPEG_PATH'] ?? 'ffmpeg',
      prlimitPath: await findPrlimit(),
    }),
    ids: randomIds,
    clock,
    timings: DEFAULT_TIMINGS,
    log,
    allowedOrigins: [],
    requestsPerSecond: 100_000,
    admissionsPerSecond: 100_000,
    webDir: '',
    callWaiting: false,
    turn: { urls: [], secret: null, lifetimeMs: 3_600_000 },
    transcriber: null,
    webhook: null,
    push: null,
    missing: () => [],
    telephony,
    ...overrides,
  });
  parts.defer(() => app.close());
  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  const owned = parts.move();
  return {
    app,
    origin,
    dataDir,
    store,
    sfu,
    recorder,
    trackFiles,
    logs,
    advance: (ms) => {
      offset += ms;
    },
    createConsultation: (suffix) => createConsultation(origin, hostToken(), suffix),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The first object with some methods of the second in place of its own. */
function overlay<T extends object>(base: T, other: Partial<T>): T {
  return new Proxy(base, {
    get(target, name) {
      const value: unknown = Reflect.get(name in other ? other : target, name);
      return typeof value === 'function' ? value.bind(name in other ? other : target) : value;
    },
  });
}

export async function createConsultation(
  origin: string,
  token: string,
  suffix = randomBytes(4).toString('hex'),
): Promise<ConsultationView> {
  const response = await fetch(`${origin}/v1/consultations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      patient: { personId: `patient-${suffix}`, displayName: 'Patient' },
      doctor: { personId: `doctor-${suffix}`, displayName: 'Doctor' },
    }),
  });
  if (response.status !== 201)
    throw new Error(`creating answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as ConsultationView;
}

/** The people of a consultation by role. */
export function peopleOf(view: ConsultationView): { patient: string; doctor: string } {
  const of = (role: 'patient' | 'doctor'): string =>
    view.participants.find((participant) => participant.role === role)?.personId ?? '';
  return { patient: of('patient'), doctor: of('doctor') };
}
