/** Reads the environment, builds the parts, joins them, and stops them in the reverse order. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  createFakeRecorder,
  createFakeSfu,
  createFfmpegRecorder,
  createMediasoupSfu,
  findProgram,
  type MediaLogger,
  SEAT_BITRATE,
  type Sfu,
  type TrackRecorder,
} from '@teleconsult/media';
import { createApp } from './app.ts';
import { findPrlimit } from './attachments/limited-child.ts';
import { createAttachmentTools } from './attachments/process-attachment.ts';
import { type Config, readConfig } from './config.ts';
import { DEVELOPMENT_KID, demonstration, developmentSecret, links } from './development.ts';
import { randomIds } from './host/random-ids.ts';
import { DevelopmentIssuer } from './identity/development-issuer.ts';
import { TokenVerifier } from './identity/tokens.ts';
import { createLog } from './log.ts';
import { pushSettings } from './notify/push-keys.ts';
import { DiskJournalFolder } from './recordings/journal-folder.ts';
import { LocalTrackFiles } from './recordings/local-track-files.ts';
import { HttpTranscriber } from './speech/http-transcriber.ts';
import { steadyClock } from './steady-clock.ts';
import { FolderLock } from './storage/folder-lock.ts';
import { openObjectStore } from './storage/objects/open-object-store.ts';
import { SqliteStore } from './storage/sqlite/sqlite-store.ts';
import { openTelephony } from './telephony/open-telephony.ts';
import { ServerKeys } from './vault/server-keys.ts';
import { finishShredding } from './vault/shred.ts';
import { Vault } from './vault/vault.ts';

/** A stop that takes longer is cut off; what was acknowledged is on disk already. */
const STOP_LIMIT_MS = 30_000;
/** Consultations whose erasing was cut off are looked for again after this. */
const FINISH_ERASING_MS = 3_600_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function run(config: Config): Promise<void> {
  const log = createLog({ level: config.LOG_LEVEL });
  process.on('unhandledRejection', (error) => log.error('bug.unhandled', { error }));
  await using parts = new AsyncDisposableStack();

  mkdirSync(config.DATA_DIR, { recursive: true, mode: 0o700 });
  parts.adopt(new FolderLock(config.DATA_DIR), (lock) => lock.close());
  const database = join(config.DATA_DIR, 'teleconsult.db');
  const clock = steadyClock();
  const keys = parts.adopt(
    await ServerKeys.open({
      dataFolder: config.DATA_DIR,
      hasData: existsSync(database),
      kms: config.kms,
      log,
      clock,
    }),
    (opened) => opened.close(),
  );
  // From here on: a start may take a while, and one that is told of a new key must not end for it.
  process.on('SIGHUP', () => void keys.look());
  const store = parts.adopt(await SqliteStore.open(database), (opened) => opened.close());
  const objects = parts.use(
    await openObjectStore(config.objectPlaces, {
      dataDir: config.DATA_DIR,
      clock,
      now: Date.now,
      report: (news) =>
        log.warn(`objects.${news.kind}`, 'which' in news ? { reason: news.which } : { count: news.count }),
    }),
  );
  parts.defer(() => keys.stopRotation());
  await keys.startRotation({ values: store.wrappedValues, pid: process.pid, now: Date.now });
  const sfu = parts.adopt(await openSfu(config, log), (opened) => opened.close());
  const secret = config.TOKEN_KEYS === undefined ? developmentSecret(config.DATA_DIR) : null;
  const identity = { issuer: config.TOKEN_ISSUER, audience: config.TOKEN_AUDIENCE };
  const tokens = new TokenVerifier({
    ...identity,
    keys:
      config.TOKEN_KEYS ??
      (secret === null ? [] : [{ kid: DEVELOPMENT_KID, algorithm: 'HS256', material: secret }]),
  });
  const stopping = new AbortController();
  const { SPEECH_URL: speechUrl, SPEECH_TOKEN: speechToken = null } = config;
  const transcriber =
    speechUrl === undefined
      ? null
      : parts.adopt(new HttpTranscriber({ url: speechUrl, token: speechToken }), (opened) => opened.close());
  const vault = new Vault(keys.provider);
  const trackFiles = parts.adopt(
    new LocalTrackFiles({
      folder: await DiskJournalFolder.open(join(config.DATA_DIR, 'recordings')),
      objects: objects.store,
      vault,
      log,
      clock,
    }),
    (opened) => opened.close(),
  );
  const recorder = await openRecorder(config, log);
  if (recorder !== null) parts.defer(() => recorder.close());
  const app = createApp({
    store,
    attachments: store.attachments,
    people: store.people,
    invitations: store.invitations,
    notes: store.notes,
    recordings: store.recordings,
    trackFiles,
    recorder,
    maxRecordingTracks: config.MAX_RECORDING_TRACKS,
    audit: store.audit,
    objects: objects.store,
    vault,
    sfu,
    tokens,
    tools: createAttachmentTools({
      signal: stopping.signal,
      nodePath: process.execPath,
      ffmpegPath: config.ffmpegPath,
      prlimitPath: await findPrlimit(),
    }),
    ids: randomIds,
    clock,
    timings: {
      ringMs: config.RING_MS,
      connectMs: config.CONNECT_MS,
      seatGraceMs: config.SEAT_GRACE_MS,
      returnMs: config.RETURN_MS,
      callerGraceMs: config.CALLER_GRACE_MS,
      waitingMs: config.WAITING_MS,
      recallMs: config.RECALL_MS,
      recordingAnswerMs: config.RECORDING_ANSWER_MS,
      followUpMs: config.FOLLOW_UP_MS,
    },
    log,
    allowedOrigins: config.ALLOWED_ORIGINS,
    requestsPerSecond: config.REQUESTS_PER_SECOND,
    admissionsPerSecond: config.ADMISSIONS_PER_SECOND,
    webDir: config.WEB_DIR,
    callWaiting: config.CALL_WAITING === 'doctors',
    turn: {
      urls: config.TURN_URLS,
      secret: config.TURN_SECRET ?? null,
      lifetimeMs: config.TURN_LIFETIME_MS,
    },
    telephony:
      config.phone === null
        ? null
        : openTelephony(config.phone, {
            store: store.phone,
            vault,
            ids: randomIds,
            clock,
            log,
            folder: join(config.DATA_DIR, 'phone-calls'),
          }),
    transcriber,
    webhook:
      config.WEBHOOK_URL === undefined || config.WEBHOOK_SECRET === undefined
        ? null
        : { url: config.WEBHOOK_URL, secret: config.WEBHOOK_SECRET },
    push: await pushSettings(config),
    valuesToRewrap: () => keys.progress?.remaining ?? 0,
    objectsAway: () => objects.awayCount(),
    missing: () => [
      ...(store.alive ? [] : ['store']),
      ...objects.missing(),
      ...(sfu.health().aliveWorkers > 0 ? [] : ['media worker']),
    ],
  });
  parts.defer(() => app.close());
  // Comes first: what is being converted is given up, stays complete, and is converted after the next start.
  parts.defer(() => stopping.abort());

  const origin = await app.listen({ host: config.LISTEN_HOST, port: config.PORT });
  // Behind everything else: without its key nobody opens what is still to be deleted, and the bucket may be away.
  const finishErasing = (): void =>
    void finishShredding({
      records: store.erasure,
      objects: objects.store,
      letGo: (id) => app.host.letGo(id),
      log,
    }).catch((error: unknown) => log.error('consultation.eraseNotFinished', { error }));
  finishErasing();
  const erasing = setInterval(finishErasing, FINISH_ERASING_MS);
  parts.defer(() => clearInterval(erasing));
  log.info('server.listening');
  say(`teleconsult listens on ${origin}`);
  if (secret !== null && !config.production && config.DEVELOPMENT_ISSUER !== false) {
    const issuer = new DevelopmentIssuer({
      ...identity,
      production: config.production,
      kid: DEVELOPMENT_KID,
      secret,
    });
    const opened = links(origin, issuer, await demonstration(app.host));
    say('\nOpen each link in a browser of its own (they hold development tokens, good for 12 hours):');
    say(`\n  patient  ${opened.patient}\n\n  doctor   ${opened.doctor}\n`);
    say('Two more people, to try invitations with (another doctor, and a relative of the patient):');
    say(`\n  colleague  ${opened.colleague}\n\n  relative   ${opened.relative}\n`);
    say(
      `For the REST interface (${origin}/v1/openapi.json), as the host application:\n\n  ${opened.hostToken}\n`,
    );
  }
  await stopAsked();
  log.info('server.stopping');
  setTimeout(() => {
    log.error('server.stopLimit');
    process.exit(1);
  }, STOP_LIMIT_MS).unref();
}

function openSfu(config: Config, log: ReturnType<typeof createLog>): Promise<Sfu> {
  if (config.MEDIA === 'fake') return Promise.resolve(createFakeSfu());
  const { workerBin, MEDIA_ANNOUNCED_ADDRESS: announcedAddress } = config;
  return createMediasoupSfu({
    ...(workerBin === undefined ? {} : { workerBin }),
    ...(announcedAddress === undefined ? {} : { announcedAddress }),
    workers: config.MEDIA_WORKERS,
    listenIp: config.MEDIA_LISTEN_IP,
    firstPort: config.MEDIA_FIRST_PORT,
    maxIncomingBitrate: SEAT_BITRATE,
    initialOutgoingBitrate: 1_000_000,
    logger: mediaLogger(log),
  });
}

/** Null where there is no recording program: everything else works, and who asks for a recording is told. */
async function openRecorder(
  config: Config,
  log: ReturnType<typeof createLog>,
): Promise<TrackRecorder | null> {
  if (config.MEDIA === 'fake') return createFakeRecorder();
  const { ffmpegPath } = config;
  if ((await findProgram(ffmpegPath)) === null) {
    log.warn('recording.noProgram');
    return null;
  }
  return createFfmpegRecorder({ ffmpegPath, logger: mediaLogger(log) });
}

const mediaLogger = (log: ReturnType<typeof createLog>): MediaLogger => ({
  info: (event) => log.info(event),
  warn: (event) => log.warn(event),
  error: (event) => log.error(event),
});

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
function stopAsked(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        resolve();
        process.once(signal, () => process.exit(1));
      });
  });
}

try {
  await run(readConfig(process.env));
} catch (error) {
  process.stderr.write(
    `teleconsult does not start: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  process.exitCode = 1;
}
