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
  /** Those that failed; as many as there are recordings that run or were erased unfetched, at most. */
  readonly #tries = new Map<RecordingId, { readonly failures: number; readonly dueAt: number }>();
  /** Where those lie that were tried: one that is erased meanwhile is to go there, and nothing else would say where it is. */
  readonly #lying = new Map<RecordingId, Fetched>();
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
    const { tapes, callOf, clock, providerOf, log } = this.#parts;
    const known = await tapes.recordings.find({ phoneCallId });
    const isDone = known !== null && known.state !== 'running' && (await this.#isHere(known));
    // A call has one recording. What else is told of it is not thrown away unheard, nor put in the place of the first.
    const isTaken = isDone || known?.state === 'running';
    if (known !== null && isTaken && (await this.#isOther(known, { provider, recordingRef }))) {
      log.error('recording.furtherNotFetched', { recording: known.recordingId });
      return;
    }
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
        if (!known.has(recordingId) && !this.#lying.has(recordingId)) this.#tries.delete(recordingId);
      const isDue = (id: RecordingId): boolean => (this.#tries.get(id)?.dueAt ?? 0) <= clock();
      for (const recording of running) {
        if (this.#isClosed) return;
        if (isDue(recording.recordingId)) await this.#try(recording);
      }
      for (const [recordingId, fetched] of this.#lying) {
        if (this.#isClosed) return;
        if (!known.has(recordingId) && isDue(recordingId)) await this.#letGo(recordingId, fetched);
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
      if (fetched === undefined) return;
      this.#lying.set(recordingId, fetched);
      await this.#fetch(recording, fetched);
      this.#lying.delete(recordingId);
    } catch (error) {
      if (this.#isClosed) return;
      const failures = this.#failed(recordingId);
      log.warn('recording.notFetched', { recording: recordingId, error });
      // Also one that is told of late has its tries.
      const isOver = failures > waitsMs.length && clock() - startedAt >= GIVEN_UP_MS;
      // Once it is here nothing can be lost: it is to go there, whatever refuses that today.
      const isHere = await this.#isHere(recording).catch(() => true);
      if ((isHere || !isLost(error)) && !isOver) return;
      log.error(isHere ? 'recording.notDeletedThere' : 'recording.notFetchedAtAll', {
        recording: recordingId,
      });
      this.#lying.delete(recordingId);
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

  /** It is not waited for any more. Erased here, alone or with its consultation, it is not to stay there. */
  async #letGo(recordingId: RecordingId, { provider, recordingRef }: Fetched): Promise<void> {
    const { store, providerOf, log } = this.#parts;
    try {
      const recording = await store.loadRecording(recordingId);
      if (recording === null || recording.state === 'erased')
        await providerOf(provider)?.deleteRecording(recordingRef);
      this.#lying.delete(recordingId);
      this.#tries.delete(recordingId);
    } catch (error) {
      if (this.#isClosed) return;
      this.#failed(recordingId);
      log.warn('recording.notDeletedThere', { recording: recordingId, error });
    }
  }

  /** How often it has failed, with this time. */
  #failed(recordingId: RecordingId): number {
    const { clock, waitsMs = WAITS_MS } = this.#parts;
    const failures = (this.#tries.get(recordingId)?.failures ?? 0) + 1;
    const waitMs = waitsMs[Math.min(failures, waitsMs.length) - 1] ?? 0;
    this.#tries.set(recordingId, { failures, dueAt: clock() + waitMs });
    return failures;
  }

  async #isOther(known: StoredRecording, told: Pick<Fetched, 'provider' | 'recordingRef'>): Promise<boolean> {
    const { key } = await this.#parts.host.sealing(known.consultationId, null);
    const { fetched } = openRecordingFacts(key, known);
    if (fetched === undefined) return false;
    return fetched.provider !== told.provider || fetched.recordingRef !== told.recordingRef;
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

/**
 * Asking again would change nothing. One that is not there may be made yet, and what is no sound may be the page of somebody
 * in between who said no: it costs its first bytes to ask.
 */
const isLost = (error: unknown): boolean =>
  (error instanceof RelayError && error.reason === 'refused') ||
  (error instanceof AppError && error.code === 'TOO_LARGE');
