import { AppError, type ConsultationId, type RecordingId } from '@teleconsult/protocol';
import type { Clock, Log } from '../../host/ports.ts';
import type { RecordingStore, StoredRecording } from '../../recordings/ports.ts';
import { phoneCallIdOf, recordingIdOf } from '../../recordings/purposes.ts';
import { openRecordingFacts, type RecordingFacts } from '../../recordings/sealed-facts.ts';
import type { ConsultationKey } from '../../vault/consultation-key.ts';
import type { PhoneRecordings as WantedRecordings } from '../bindings/ports.ts';
import { RelayError, type RelayProvider } from '../ports.ts';
import type { PhoneTapes } from './phone-tapes.ts';
import type { CallOf } from './taped-call.ts';

export interface ProviderRecordingsParts {
  readonly store: RecordingStore;
  readonly host: {
    sealing(id: ConsultationId, by: null): Promise<{ readonly key: ConsultationKey }>;
  };
  readonly callOf: CallOf;
  readonly tapes: Pick<PhoneTapes, 'importTape' | 'recordings'>;
  /** null: this provider is not used any more. */
  readonly providerOf: (name: string) => Pick<RelayProvider, 'fetchRecording' | 'deleteRecording'> | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly waitsMs?: readonly number[];
}

/** Some providers have a recording ready a quarter of an hour after its call; the last wait comes again and again. */
const WAITS_MS = [5_000, 30_000, 120_000, 600_000, 3_600_000];
/** Providers keep recordings for a week at least; what could not be fetched by then is given up. */
const GIVEN_UP_MS = 7 * 24 * 3_600_000;

type Wish = Parameters<WantedRecordings['wanted']>[0];
type Fetched = NonNullable<RecordingFacts['fetched']>;

/**
 * Fetches what providers have recorded, one after the other, behind everything else. What is to be fetched is what the store
 * says is: a recording that runs and names where it lies. It ends when it is sealed here and deleted there, so that neither
 * a stop of the server nor a provider that is away forgets one.
 */
export class ProviderRecordings implements WantedRecordings {
  readonly #parts: ProviderRecordingsParts;
  /** Those that failed; as many as there are recordings that run, at most. */
  readonly #tries = new Map<RecordingId, { readonly failures: number; readonly dueAt: number }>();
  #running: Promise<void> | null = null;
  #isAsked = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | null = null;
  /** When the store itself could not be asked: to be asked again. */
  #askAgainAt: number | null = null;

  constructor(parts: ProviderRecordingsParts) {
    this.#parts = parts;
  }

  /** @throws AppError NOT_FOUND, or what may be tried again; RelayError of deleting what was erased here */
  async wanted({ provider, recordingRef, phoneCallId, bindingId }: Wish): Promise<void> {
    const { tapes, callOf, clock, providerOf } = this.#parts;
    const known = await tapes.recordings.find({ phoneCallId });
    const isDone = known !== null && known.state !== 'running' && (await this.#isHere(known));
    if (known?.state === 'erased' || isDone) {
      await providerOf(provider)?.deleteRecording(recordingRef);
      return;
    }
    const call = await callOf({ phoneCallId, bindingId });
    const later = { fetched: { provider, recordingRef, bindingId }, endedAt: call?.endedAt ?? clock() };
    const ids = { phoneCallId, bindingId, startedAt: call?.startedAt ?? clock() };
    await tapes.recordings.begin(ids, 'phone.importRecording', later);
    this.#tries.delete(recordingIdOf(phoneCallId));
    this.look();
  }

  /** There may be something to fetch: after a start, and when a recording is wanted. */
  look(): void {
    this.#isAsked = true;
    if (this.#isClosed || this.#running !== null) return;
    this.#running = this.#work().finally(() => {
      this.#running = null;
      if (this.#isAsked) this.look();
      else this.#wakeUp();
    });
  }

  /** With the tapes, whose imports end then; what is not here is fetched after the next start. May be called twice. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  async #work(): Promise<void> {
    const { store, log, clock, waitsMs = WAITS_MS } = this.#parts;
    this.#isAsked = false;
    this.#askAgainAt = null;
    try {
      const running = (await store.runningRecordings()).filter(({ purpose }) => purpose === 'phone_call');
      const known = new Set(running.map(({ recordingId }) => recordingId));
      for (const recordingId of this.#tries.keys())
        if (!known.has(recordingId)) this.#tries.delete(recordingId);
      for (const recording of running) {
        if (this.#isClosed) return;
        if ((this.#tries.get(recording.recordingId)?.dueAt ?? 0) <= clock()) await this.#try(recording);
      }
    } catch (error) {
      log.warn('recording.notFetched', { error });
      this.#askAgainAt = clock() + (waitsMs[0] ?? 0);
    }
  }

  async #try(recording: StoredRecording): Promise<void> {
    const { host, log, clock, tapes, waitsMs = WAITS_MS } = this.#parts;
    const { recordingId, consultationId, startedAt } = recording;
    try {
      const { key } = await host.sealing(consultationId, null);
      const { fetched } = openRecordingFacts(key, recording);
      if (fetched !== undefined) await this.#fetch(recording, fetched);
    } catch (error) {
      if (this.#isClosed) return;
      const failures = (this.#tries.get(recordingId)?.failures ?? 0) + 1;
      const waitMs = waitsMs[Math.min(failures, waitsMs.length) - 1] ?? 0;
      this.#tries.set(recordingId, { failures, dueAt: clock() + waitMs });
      log.warn('recording.notFetched', { recording: recordingId, error });
      // Also one that is told of late has its tries.
      const isOver = failures > waitsMs.length && clock() - startedAt >= GIVEN_UP_MS;
      if (!isLost(error) && !isOver) return;
      log.error('recording.notFetchedAtAll', { recording: recordingId });
      await tapes.recordings.end(recording, recording.endedAt ?? clock());
    }
  }

  async #fetch(
    recording: StoredRecording,
    { provider: name, recordingRef, bindingId }: Fetched,
  ): Promise<void> {
    const { tapes, providerOf, clock } = this.#parts;
    const { startedAt } = recording;
    const provider = providerOf(name);
    const phoneCallId = phoneCallIdOf(recording);
    if (provider === null || phoneCallId === null) throw new AppError('NOT_CONFIGURED');
    const endedAt = recording.endedAt ?? clock();
    if (!(await this.#isHere(recording))) {
      const sound = await provider.fetchRecording(recordingRef);
      await tapes.importTape({ phoneCallId, bindingId, startedAt, endedAt, goesOn: true, ...sound });
    }
    // It is sealed and survives a power cut: now, and no earlier, it may go there.
    await provider.deleteRecording(recordingRef);
    await tapes.recordings.end(recording, endedAt);
  }

  async #isHere({ recordingId }: StoredRecording): Promise<boolean> {
    const files = await this.#parts.store.filesOf(recordingId);
    return files.some(({ kind, state }) => kind === 'track' && state === 'whole');
  }

  #wakeUp(): void {
    const due = [...this.#tries.values()].map((one) => one.dueAt);
    if (this.#askAgainAt !== null) due.push(this.#askAgainAt);
    if (this.#isClosed || due.length === 0) return;
    const dueAt = Math.min(...due);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), Math.max(50, dueAt - this.#parts.clock()));
    this.#timer.unref();
  }
}

/** Asking again would change nothing. One that is not there may be made yet. */
const isLost = (error: unknown): boolean =>
  (error instanceof RelayError && error.reason === 'refused') ||
  (error instanceof AppError && ['TOO_LARGE', 'UNSUPPORTED_MEDIA'].includes(error.code));
