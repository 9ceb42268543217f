import type { PhoneNumber } from '@teleconsult/server/telephony/numbers';
import {
  type BindingChange,
  type BindRequest,
  type BoundRelay,
  type FetchedRecording,
  type PromptId,
  type RelayCapabilities,
  type RelayCore,
  RelayError,
  type RelayErrorReason,
  type RelayProvider,
} from '@teleconsult/server/telephony/ports';

type Asked = 'bind' | 'change' | 'unbind' | 'endCall' | 'deleteRecording';

/** A provider of either family that remembers what it was asked for, and fails when it is told to. */
export class FakeProvider implements RelayProvider {
  readonly name: string;
  readonly capabilities: RelayCapabilities;
  readonly webhooks = [];
  readonly reconcile = null;
  /** What was asked, in order: the question and the binding or call. */
  readonly asked: { readonly what: Asked; readonly id: string; readonly why?: PromptId | null }[] = [];
  readonly held = new Map<string, BindRequest>();
  core: RelayCore | null = null;
  /** Every question fails so while this is set. */
  failing: RelayErrorReason | null = null;
  /** Questions wait for this. */
  slow: Promise<void> = Promise.resolve();
  /** What a provider that chooses gives out next. */
  readonly next: PhoneNumber[] = [];

  constructor(name = 'sip', capabilities: Partial<RelayCapabilities> = {}) {
    this.name = name;
    this.capabilities = {
      routing: 'server',
      chooses: 'us',
      changes: new Set(['a', 'b', 'expiresAt', 'direction', 'recorded'] as const),
      recording: 'stereo',
      ringEvents: true,
      endsCalls: true,
      announcements: 'inline',
      webhookProof: 'in_process',
      minLifetimeMs: 0,
      ...capabilities,
    };
  }

  async start(core: RelayCore): Promise<void> {
    this.core = core;
  }

  async bind(request: BindRequest): Promise<BoundRelay> {
    await this.#ask('bind', request.bindingId);
    const known = this.held.get(request.bindingId);
    const x = known?.x ?? request.x ?? this.next.shift() ?? null;
    if (x === null) throw new RelayError('no_number');
    if (known === undefined) this.held.set(request.bindingId, { ...request, x });
    return { bindingId: request.bindingId, ref: `ref-${request.bindingId}`, x };
  }

  async change({ bindingId }: BoundRelay, change: BindingChange): Promise<void> {
    await this.#ask('change', bindingId);
    const known = this.held.get(bindingId);
    if (known === undefined) throw new RelayError('not_found');
    this.held.set(bindingId, { ...known, ...change });
  }

  async unbind({ bindingId }: BoundRelay, why: PromptId): Promise<void> {
    await this.#ask('unbind', bindingId, why);
    this.held.delete(bindingId);
  }

  endCall(callRef: string, why: PromptId | null): Promise<void> {
    return this.#ask('endCall', callRef, why);
  }

  fetchRecording(): Promise<FetchedRecording> {
    return Promise.reject(new RelayError('not_found'));
  }

  deleteRecording(recordingRef: string): Promise<void> {
    return this.#ask('deleteRecording', recordingRef);
  }

  async check(): Promise<void> {
    if (this.failing !== null) throw new RelayError(this.failing);
  }

  async close(): Promise<void> {
    this.core = null;
  }

  count(what: Asked): number {
    return this.asked.filter((one) => one.what === what).length;
  }

  async #ask(what: Asked, id: string, why: PromptId | null = null): Promise<void> {
    this.asked.push({ what, id, why });
    await this.slow;
    if (this.failing !== null) throw new RelayError(this.failing);
  }
}
