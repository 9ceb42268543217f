import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Sfu, TrackRecorder } from '@teleconsult/media';
import type { ConsultationId, FollowUpId } from '@teleconsult/protocol';
import type { AttachmentTools } from './attachments/process-attachment.ts';
import type { AuditTrail } from './audit/ports.ts';
import { NetworkChecks } from './checks/network-checks.ts';
import { standingOf } from './consultation/rights.ts';
import type { Timings } from './consultation/state.ts';
import { viewForPhones } from './consultation/view.ts';
import type { Stepped } from './host/batch.ts';
import { ConsultationHost } from './host/host.ts';
import type {
  AttachmentStore,
  Clock,
  ConsultationKeys,
  ConsultationStore,
  IdGenerator,
  Log,
} from './host/ports.ts';
import { createHttpApp } from './http/http-app.ts';
import type { TokenVerifier } from './identity/tokens.ts';
import { Invitations } from './invitations/invitations.ts';
import { NearbyColleagues } from './invitations/nearby-colleagues.ts';
import type { InvitationStore } from './invitations/ports.ts';
import { Metrics } from './metrics.ts';
import { Dictations } from './notes/dictations.ts';
import { noteRequests } from './notes/note-requests.ts';
import { Notes } from './notes/notes.ts';
import type { NoteStore } from './notes/ports.ts';
import { Notifier } from './notify/notifier.ts';
import type { PushSettings, WebhookSettings } from './notify/settings.ts';
import { People } from './people/people.ts';
import type { PeopleStore } from './people/ports.ts';
import { keptWhileSigned } from './playback/kept-while-signed.ts';
import { Playback } from './playback/playback.ts';
import { CallRecordings, type RecoverableTrackFiles } from './recordings/call-recordings.ts';
import type { RecordingStore } from './recordings/ports.ts';
import { Gateway } from './signalling/gateway.ts';
import { createHandlers } from './signalling/handlers/index.ts';
import type { Transcriber } from './speech/transcriber.ts';
import { Transcripts } from './speech/transcripts.ts';
import type { ObjectStore } from './storage/objects/object-store.ts';
import { relayMetrics } from './telephony/embedded/relay-metrics.ts';
import { BindingsHost } from './telephony/host-adapter.ts';
import { MaskedPhones } from './telephony/phone-desk.ts';
import type { OpenTelephony, Telephony } from './telephony/telephony.ts';
import { TurnCredentials, type TurnSettings } from './turn/turn-credentials.ts';
import { AttachmentLibrary } from './uploads/attachment-library.ts';
import { UploadDataStore } from './uploads/upload-data-store.ts';
import { UploadParts } from './uploads/upload-parts.ts';
import type { Vault } from './vault/vault.ts';
import { Presence } from './waiting/presence.ts';
import { WaitingRooms } from './waiting/waiting-rooms.ts';

const SWEEP_MS = 3_600_000;
/**
 * Connections that the system accepts while the process is busy. After a restart everybody comes in the same seconds, and
 * who does not fit in is heard again only after one, three or seven. The system may allow fewer (`somaxconn`).
 */
const PENDING_CONNECTIONS = 4_096;
/** A device that keeps its connection open may delay the stop for this long. */
const CLOSE_CONNECTIONS_MS = 5_000;

/** What an application is made of. Whoever opened a part closes it, after the application is closed. */
export interface AppParts {
  readonly store: ConsultationStore;
  readonly attachments: AttachmentStore;
  readonly people: PeopleStore;
  readonly invitations: InvitationStore;
  readonly notes: NoteStore;
  readonly recordings: RecordingStore;
  readonly trackFiles: RecoverableTrackFiles;
  /** null: calls cannot be recorded here. */
  readonly recorder: TrackRecorder | null;
  /** Most tracks of calls that are recorded at the same time. */
  readonly maxRecordingTracks: number;
  readonly audit: AuditTrail;
  readonly objects: ObjectStore;
  readonly vault: Vault & ConsultationKeys;
  readonly sfu: Sfu;
  readonly tokens: TokenVerifier;
  readonly tools: AttachmentTools;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly timings: Timings;
  readonly log: Log;
  readonly allowedOrigins: readonly string[];
  readonly requestsPerSecond: number;
  readonly admissionsPerSecond: number;
  readonly webDir: string;
  /** Whether doctors in a call are rung for a second one. */
  readonly callWaiting: boolean;
  readonly turn: TurnSettings;
  /** Left out or null: no masked calls. */
  readonly telephony?: OpenTelephony | null | undefined;
  /** null: voice messages stay sound. */
  readonly transcriber: Transcriber | null;
  /** Signed webhooks to the host application; null: none. */
  readonly webhook: WebhookSettings | null;
  /** Web Push; null: none. */
  readonly push: PushSettings | null;
  /** How many values have to be sealed anew under the current key; 0 where it is left out. */
  readonly valuesToRewrap?: () => number;
  /** Objects in the second store that wait to come home. */
  readonly objectsAway?: () => number;
  /** Names of parts that are not there, for readiness. */
  readonly missing: () => readonly string[];
}

export interface App {
  readonly host: ConsultationHost;
  /** Starts to listen and answers the origin that is reached. Port 0 takes a free one. */
  listen(address: { host: string; port: number }): Promise<string>;
  /** Stops taking requests, tells the devices, and waits for what is being done. May be called twice. */
  close(): Promise<void>;
}

/** Joins the parts. Nothing listens and no time passes before `listen`. */
export function createApp(parts: AppParts): App {
  const { log, sfu } = parts;
  // Listens before the gateway is made, which takes its own path (long polling) out of what earlier listeners get.
  const http = createServer({ requestTimeout: 120_000, headersTimeout: 20_000 }, (request, response) =>
    web(request, response),
  );
  const metrics = new Metrics({
    connections: () => gateway.connections,
    calls: () => host.media.size,
    mediaWorkers: () => sfu.health().aliveWorkers,
    ...(parts.valuesToRewrap === undefined ? {} : { valuesToRewrap: parts.valuesToRewrap }),
    ...(parts.objectsAway === undefined ? {} : { objectsAway: parts.objectsAway }),
    recordedTracks: () => parts.recorder?.running ?? 0,
    phones: async () => (await telephony?.figures()) ?? null,
  });
  const gateway = new Gateway({
    http,
    tokens: parts.tokens,
    log,
    allowedOrigins: parts.allowedOrigins,
    requestsPerSecond: parts.requestsPerSecond,
    admissionsPerSecond: parts.admissionsPerSecond,
    onHandled: (handled) => metrics.observe(handled),
    onAdmission: (outcome) => metrics.observeAdmission(outcome),
    isEngaged: (personId) => host.calls.isEngaged(personId),
  });
  const { publisher } = gateway;
  const turn = new TurnCredentials(parts.turn, parts.clock);
  const waiting = new WaitingRooms({ ...parts, publisher });
  const presence = new Presence({ publisher });
  const people = new People({ ...parts, publisher });
  const host: ConsultationHost = new ConsultationHost({
    ...parts,
    keys: parts.vault,
    publisher,
    turn,
    showsRead: (personId) => people.showsRead(personId),
    attachmentContent: (id, by, attachmentId) => library.sendable(id, by, attachmentId),
    observers: [
      // Before whoever records: a telephone hears of the recording first.
      (change) => telephony?.callChanged(change),
      (change) => waiting.handleChange(change),
      (change) => presence.handleChange(change),
      (change) => notifier.handleChange(change),
      (change) => callRecordings.handleChange(change),
      (change) => followVisits(telephony, change),
    ],
    onTracks: (callId) => callRecordings.handleTracks(callId),
    phones: { carryOut: (id, effect) => telephony?.legs?.carryOut(id, effect) },
    checkRecorder: () => callRecordings.check(),
    onQuality: (report) => metrics.observeQuality(report),
  });
  const telephony: Telephony | null =
    parts.telephony?.({
      host: new BindingsHost({ host, publisher, log }),
      calls: host.phones,
      rooms: host.media,
      recordings: {
        ...parts,
        store: parts.recordings,
        files: parts.trackFiles,
        host,
        publisher,
        measuring: () => playback.fileFinished(),
      },
    }) ?? null;
  if (telephony !== null && telephony.relayFigures !== null)
    relayMetrics(metrics.registry, telephony.relayFigures);
  const phones = new MaskedPhones({
    host,
    book: telephony?.book ?? null,
    recording: telephony?.recording ?? 'off',
    rings: telephony !== null && telephony.legs !== null,
  });
  const notifier = new Notifier({ ...parts, host, publisher, peopleService: people });
  const checks = new NetworkChecks({ ...parts, turn });
  const uploads = new UploadParts(parts);
  const library = new AttachmentLibrary({ ...parts, host, parts: uploads });
  const dataStore = new UploadDataStore({ ...parts, host, parts: uploads, library });
  const invitations = new Invitations({ ...parts, host });
  const nearby = new NearbyColleagues({ ...parts, host });
  const transcripts = new Transcripts({ ...parts, host, library });
  const playback = new Playback({
    ...parts,
    store: parts.recordings,
    files: parts.trackFiles,
    host,
    publisher,
    isHeld: (id, recordingId) => notes.isHeld(id, recordingId),
    signed: {
      signedNote: (id, noteId) => notes.signedNote(id, noteId),
      signedNotes: (id) => notes.signedNotes(id),
    },
  });
  const callRecordings: CallRecordings = new CallRecordings({
    ...parts,
    store: parts.recordings,
    files: parts.trackFiles,
    maxTracks: parts.maxRecordingTracks,
    host,
    publisher,
    measuring: () => playback.fileFinished(),
  });
  const hasFollowUp = async (id: ConsultationId, followUpId: FollowUpId): Promise<boolean> =>
    (await host.followUps.board(id, null)).followUps.some((planned) => planned.followUpId === followUpId);
  const dictations = new Dictations({
    ...parts,
    host,
    publisher,
    files: parts.trackFiles,
    hasFollowUp,
    measuring: () => playback.fileFinished(),
    view: (recordingId, by) => playback.viewOf(recordingId, by),
    inTurn: (recordingId, task) => playback.inTurn(recordingId, task),
  });
  const notes = new Notes({
    ...parts,
    host,
    publisher,
    hasFollowUp,
    isResult: async (id, noteId) =>
      (await host.followUps.board(id, null)).followUps.some((followUp) => followUp.noteId === noteId),
    checkAudio: (audio, of) => dictations.checkAudio(audio, of),
    eraseDictation: (id, recordingId) => playback.eraseDictation(id, recordingId),
  });
  const services = {
    host,
    people,
    waiting,
    presence,
    invitations,
    nearby,
    checks,
    transcripts,
    recordings: playback,
    notes: keptWhileSigned(playback, noteRequests(notes, dictations)),
    phones,
    now: parts.clock,
  };
  const web = createHttpApp({
    ...parts,
    host,
    library,
    dataStore,
    metrics,
    playback,
    dictations,
    phones,
    phoneWebhooks: telephony?.webhooks ?? [],
  });

  let sweeper: NodeJS.Timeout | null = null;
  let closing: Promise<void> | null = null;
  const sweep = (): void => {
    const sweeping = [
      library.sweep(),
      invitations.sweep(),
      playback.sweep(),
      dictations.sweep(),
      notes.tellWhatIsNotTold(),
    ];
    for (const swept of sweeping) swept.catch((error: unknown) => log.error('sweep.failed', { error }));
  };

  return {
    host,
    async listen({ host: address, port }) {
      await callRecordings.recover();
      await host.start();
      await callRecordings.callsTakenUp();
      await notifier.start();
      await playback.start();
      await notes.tellWhatIsNotTold();
      await telephony?.start();
      gateway.start({
        handlers: createHandlers(services),
        onDevice: (session, type) => {
          const { personId, deviceId, onlyConsultation } = session;
          presence.handleDevice(session, type);
          if (type === 'device.lost') checks.handleDeviceLost(session);
          host.calls.connection({ type, personId, deviceId }, onlyConsultation).catch((error: unknown) => {
            log.error('presence.failed', { error });
          });
        },
      });
      sweep();
      sweeper = setInterval(sweep, SWEEP_MS);
      sweeper.unref();
      await listening(http, address, port);
      const { port: taken } = http.address() as AddressInfo;
      const name = address.includes(':') ? `[${address}]` : address;
      return `http://${name}:${taken}`;
    },
    close() {
      closing ??= (async () => {
        if (sweeper !== null) clearInterval(sweeper);
        await stopped(http, () => gateway.close());
        await telephony?.close();
        await callRecordings.close();
        presence.close();
        nearby.close();
        await waiting.close();
        checks.closeAll();
        await dictations.close();
        await playback.close();
        await library.close();
        await notifier.close();
        await host.close();
      })();
      return closing;
    },
  };
}

/** Relay numbers follow the visit they belong to. */
function followVisits(telephony: Telephony | null, { before, after }: Stepped): void {
  if (telephony === null || after.kind !== 'visit') return;
  if (standingOf(before) !== standingOf(after) || before.participants !== after.participants)
    telephony.consultationChanged(viewForPhones(after));
}

function listening(http: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen({ port, host, backlog: PENDING_CONNECTIONS }, () => {
      http.off('error', reject);
      resolve();
    });
  });
}

/** Socket.IO closes the HTTP server with itself; connections that linger are cut after a moment. */
async function stopped(http: Server, close: () => Promise<void>): Promise<void> {
  const cut = setTimeout(() => http.closeAllConnections(), CLOSE_CONNECTIONS_MS);
  http.closeIdleConnections();
  try {
    await close();
    if (http.listening) await new Promise<void>((resolve) => http.close(() => resolve()));
  } finally {
    clearTimeout(cut);
  }
}
