import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { Dictation, HealthChannel, Records } from '@teleconsult/client-sdk/records';
import type { Participant, PersonId } from '@teleconsult/protocol';
import { messages } from '../i18n/language.ts';
import { Changes } from './changes.ts';
import type { RecordsPlace } from './records-place.ts';
import type { Sdk } from './sdk.ts';

/** The doctor's health channel as the page shows it. It is opened when it is first asked for, and kept with its client. */
export class ChannelModel implements RecordsPlace {
  readonly changes = new Changes();
  readonly #open: () => Promise<HealthChannel>;
  readonly #client: TeleconsultClient;
  #channel: HealthChannel | null = null;
  #opening: Promise<Records> | null = null;
  #isShown = false;

  constructor(client: TeleconsultClient, sdk: Pick<Sdk, 'openHealthChannel'>) {
    this.#client = client;
    this.#open = () => sdk.openHealthChannel(client);
    // The host application may end it; the next that is asked for is another.
    client.on('consultation', ({ consultationId, phase }) => {
      if (phase === 'ended' && consultationId === this.records?.consultationId) this.#let();
    });
    // It is in no list: that it ended while this device was away is told by asking for it.
    client.on('connection', ({ state }) => {
      if (state === 'connected' && this.#channel !== null) void this.#look().catch(() => undefined);
    });
  }

  get self(): Participant | undefined {
    return this.#channel?.consultation.participants[0];
  }

  get records(): Records | null {
    return this.#channel?.records ?? null;
  }

  get isConnected(): boolean {
    return this.#client.connection === 'connected';
  }

  get dictation(): Dictation | null {
    return this.records?.dictations.find(({ state }) => state !== 'finished') ?? null;
  }

  get isDictating(): boolean {
    const state = this.dictation?.state;
    return state === 'recording' || state === 'paused';
  }

  isSelf(personId: PersonId | null): boolean {
    return personId !== null && personId === this.self?.personId;
  }

  readonly namer = (personId: string): string => this.nameOf(personId as PersonId);

  nameOf(personId: PersonId | null): string {
    return this.isSelf(personId) ? messages().you : messages().productName;
  }

  /** Fetched once, however many ask at the same time; after a failure it can be asked again. */
  openRecords(): Promise<Records> {
    this.#opening ??= this.#load().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  /** Its dialog is open. */
  show(): void {
    this.#isShown = true;
  }

  /** Its dialog is closed: a microphone that nobody sees must not listen on. What was said is kept, and can be continued. */
  rest(): void {
    this.#isShown = false;
    this.#pause();
  }

  #pause(): void {
    for (const dictation of this.records?.dictations ?? [])
      if (dictation.state === 'recording') dictation.pause();
  }

  async #look(): Promise<void> {
    const known = this.#channel;
    const { consultation, records } = await this.#open();
    if (records !== known?.records) records.close();
    if (this.#channel === known && consultation.consultationId !== known?.consultation.consultationId)
      this.#let();
  }

  #let(): void {
    this.#pause();
    this.records?.close();
    this.#channel = null;
    this.#opening = null;
    this.changes.announce();
  }

  async #load(): Promise<Records> {
    if (this.#channel === null) {
      this.#channel = await this.#open();
      const announce = (): void => {
        // A microphone that was waited for may come after the dialog has gone.
        if (!this.#isShown) this.#pause();
        this.changes.announce();
      };
      for (const event of ['recordings', 'notes', 'dictations'] as const)
        this.#channel.records.on(event, announce);
    }
    const { records } = this.#channel;
    await records.load();
    this.changes.announce();
    return records;
  }
}

const channels = new WeakMap<TeleconsultClient, ChannelModel>();

/** The one of this client: a dictation goes on in it though the dialog was closed in between. */
export function channelOf(client: TeleconsultClient, sdk: Pick<Sdk, 'openHealthChannel'>): ChannelModel {
  const channel = channels.get(client) ?? new ChannelModel(client, sdk);
  channels.set(client, channel);
  return channel;
}
