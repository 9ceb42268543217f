import type { CallId, ConsultationId, DeviceId, ResumeTicket } from '@teleconsult/protocol';
import type { AwaitedSource, CallToRestore } from '../api.ts';
import type { DeviceStore, Kept } from '../storage/device-store.ts';
import { hint, hinted } from './call-hint.ts';

/** `awaiting`: on, as far as the person is concerned, but the browser asks again for its permission. */
export type KeptWish = 'on' | 'off' | 'awaiting';

export type KeptWishes = Readonly<Record<AwaitedSource, KeptWish>>;

/** What a page needs to go on with the call of the page before it. */
export interface CallRecord extends Kept, KeptWishes {
  readonly version: 1;
  readonly consultationId: ConsultationId;
  readonly callId: CallId;
  /** Null until the first answer to a join: the server wants none before. */
  readonly ticket: ResumeTicket | null;
}

export type CallRecordDraft = Omit<CallRecord, 'version' | 'at'>;

/** Those of a device that has just been asked to switch these on. */
export function wishesOf({ microphone, camera }: Readonly<Record<AwaitedSource, boolean>>): KeptWishes {
  return { microphone: microphone ? 'on' : 'off', camera: camera ? 'on' : 'off' };
}

export interface KeptCallOptions {
  readonly store: Pick<DeviceStore, 'get' | 'set' | 'delete'>;
  /** Tickets are bound to it: what another installation left in the same storage is of no use here. */
  readonly deviceId: DeviceId;
  /** Who it is, at which server; null where nothing may be kept but in the store. */
  readonly owner: () => string | null;
}

const VERSION = 1;
/** No visit lasts a day: what is older was left by a browser that was never opened again in time. */
const USEFUL_FOR_MS = 24 * 3_600_000;
const WISHES: readonly unknown[] = ['on', 'off', 'awaiting'];

/**
 * The call that this device is in, as it is kept over reloads: at most one. A write begins before the method returns,
 * because the page may be gone in the next moment.
 */
export class KeptCall {
  readonly #options: KeptCallOptions;
  /** Undefined until it was read, or written for the first time. */
  #record: CallRecord | null | undefined;
  #reading: Promise<CallRecord | null> | null = null;
  #isFromBefore = false;
  /** The person was signed out: of this call nothing is kept any more. */
  #wiped: CallId | null = null;
  #isClosed = false;
  /** Those that this page has had: what else is kept, another page was given. As many as joins. */
  readonly #tickets = new Set<ResumeTicket | null>([null]);

  constructor(options: KeptCallOptions) {
    this.#options = options;
  }

  /** What is probably kept, known at once; null when nothing is, or it cannot be known yet. */
  get hinted(): CallToRestore | null {
    const owner = this.#options.owner();
    return owner === null || this.#isClosed ? null : hinted(owner);
  }

  /** Null when no call is kept. */
  async read(): Promise<CallRecord | null> {
    if (this.#record !== undefined) return this.#record;
    this.#reading ??= this.#readNow();
    return this.#reading;
  }

  /** What is kept of this call. */
  async find(callId: CallId): Promise<CallRecord | null> {
    const record = await this.read();
    return record?.callId === callId ? record : null;
  }

  /** What another page of this device has kept of this call since; null when none has. */
  async findNewer(callId: CallId): Promise<CallRecord | null> {
    const found = parse(await this.#options.store.get(this.#key));
    return found?.callId === callId && !this.#tickets.has(found.ticket) ? found : null;
  }

  /** False once it is known that nothing is kept of this call. */
  mayHold(callId: CallId): boolean {
    return this.#record === undefined || this.#record?.callId === callId;
  }

  /** True while what is kept was written by a page that is gone. */
  get isFromBefore(): boolean {
    return this.#isFromBefore;
  }

  keep(draft: CallRecordDraft): void {
    if (this.#isClosed || this.#wiped === draft.callId) return;
    if (this.#record && isSame(this.#record, draft)) return;
    this.#isFromBefore &&= this.#record?.callId === draft.callId;
    this.#tickets.add(draft.ticket);
    this.#record = { ...draft, version: VERSION, at: Date.now() };
    void this.#options.store.set(this.#key, this.#record);
    this.#hint(toRestore(this.#record));
  }

  /** The call is over for this device. */
  forget(callId: CallId): void {
    if (this.#isClosed) return;
    // Not read yet: whether it is this call's is not known.
    if (this.#record === undefined) void this.read().then((record) => record && this.forget(callId));
    if (this.#record?.callId === callId) this.#drop();
  }

  /** The server shows another call of this consultation, or none: the one that an earlier page left is over. */
  forgetOthers(consultationId: ConsultationId, callId: CallId | null): void {
    const drop = (record: CallRecord | null | undefined) => {
      if (this.#isClosed || !this.#isFromBefore || record?.consultationId !== consultationId) return;
      if (record.callId !== callId) this.#drop();
    };
    if (this.#record === undefined) void this.read().then(() => drop(this.#record));
    else drop(this.#record);
  }

  /** Nothing is kept any more of the call that is going on; the store is wiped by whoever signs out. */
  wipe(): void {
    this.#wiped = this.#record?.callId ?? null;
    this.#record = null;
    this.#hint(null);
  }

  /** As if the page were loaded anew. */
  readAgain(): void {
    this.#record = undefined;
    this.#reading = null;
  }

  /** From now on nothing changes: another page goes on with it. */
  close(): void {
    this.#isClosed = true;
  }

  #drop(): void {
    this.#record = null;
    void this.#options.store.delete(this.#key);
    this.#hint(null);
  }

  #hint(call: CallToRestore | null): void {
    const owner = this.#options.owner();
    if (owner !== null) hint(owner, call);
  }

  async #readNow(): Promise<CallRecord | null> {
    const found = parse(await this.#options.store.get(this.#key));
    // Written meanwhile: that is newer.
    if (this.#record !== undefined) return this.#record;
    this.#record = found;
    if (found !== null) this.#tickets.add(found.ticket);
    this.#isFromBefore = found !== null;
    if (found === null && this.hinted !== null) this.#hint(null);
    return found;
  }

  get #key(): string {
    return `call/${this.#options.deviceId}`;
  }
}

/** What an app is told of it. */
export const toRestore = ({ consultationId, callId, at }: CallRecord): CallToRestore => ({
  consultationId,
  callId,
  at,
});

function isSame(record: CallRecord, { callId, ticket, microphone, camera }: CallRecordDraft): boolean {
  return (
    record.callId === callId &&
    record.ticket === ticket &&
    record.microphone === microphone &&
    record.camera === camera
  );
}

/** Null when it was written by another version of the SDK, is too old, or makes no sense. */
function parse(value: unknown): CallRecord | null {
  if (typeof value !== 'object' || value === null) return null;
  const record = value as Partial<Record<keyof CallRecord, unknown>>;
  const isWhole =
    record.version === VERSION &&
    typeof record.consultationId === 'string' &&
    typeof record.callId === 'string' &&
    (record.ticket === null || typeof record.ticket === 'string') &&
    WISHES.includes(record.microphone) &&
    WISHES.includes(record.camera) &&
    typeof record.at === 'number' &&
    // A clock that was set back since makes it no older.
    Date.now() - record.at < USEFUL_FOR_MS;
  return isWhole ? (value as CallRecord) : null;
}
