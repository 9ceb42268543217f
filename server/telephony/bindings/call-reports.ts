import { type PhoneCallEnd, RelayError, type RelayEvent, type RelayParty } from '../ports.ts';
import { type PhoneContext, providerOf } from './context.ts';
import { COUNTED_MS, GRACE_MS } from './decisions.ts';
import type { RefusedCalls } from './refused-calls.ts';
import type { StoredBinding, StoredPhoneCall } from './store.ts';

/** Silent calls that one tick gives up. */
const SILENT_LIMIT = 200;

export interface CallReportsParts extends PhoneContext {
  readonly refused: RefusedCalls;
  readonly onNews: () => void;
  /** Its calls are beyond a limit, and its provider connects them by itself. */
  readonly onOverLimit: (binding: StoredBinding) => Promise<void>;
}

/**
 * What providers tell of calls. A call only moves on, so it does not matter how often and in which order something is
 * told: what came late changes nothing but how long was talked.
 */
export class CallReports {
  readonly #parts: CallReportsParts;
  /** Turned away calls are counted once; these were. */
  readonly #blocked = new Set<string>();

  constructor(parts: CallReportsParts) {
    this.#parts = parts;
  }

  async event(event: RelayEvent): Promise<void> {
    const { store, recordings, host } = this.#parts;
    const binding = await store.bindings.binding(event.bindingId);
    // Forged, or of a binding that was forgotten long ago.
    if (binding === null || binding.provider !== event.provider) return;
    const { what } = event;
    switch (what.type) {
      case 'blocked':
        return this.#countBlocked(event.eventId, what.why);
      case 'ringing':
        await this.#callOf(event, binding, what.caller);
        return;
      case 'answered': {
        const call = await this.#callOf(event, binding, what.caller);
        if (call !== null) await this.#answered(call, event.at);
        return;
      }
      case 'ended': {
        const call = await this.#callOf(event, binding, what.caller);
        if (call !== null) await this.end(call, { at: event.at, end: what.end, talkMs: what.talkMs });
        return;
      }
      case 'recorded': {
        const call = await this.#known(event);
        const { recordingRef } = what;
        const { provider: name } = event;
        // Nobody here keeps it, so it is not to lie there either.
        if (recordings === null) return providerOf(this.#parts, name).deleteRecording(recordingRef);
        // Its call may be told of later than its recording: it is told again then, and not lost.
        if (call === null) throw new RelayError('not_found', { detail: 'the call of a recording' });
        const { phoneCallId, bindingId, consultationId } = call;
        return recordings.wanted({ provider: name, recordingRef, phoneCallId, bindingId, consultationId });
      }
      case 'not_recorded': {
        const call = await this.#known(event);
        if (call !== null && (await store.calls.markNotRecorded(call.phoneCallId, what.why)))
          host.changed(call.consultationId);
        return;
      }
      default: {
        const unreachable: never = what;
        return unreachable;
      }
    }
  }

  /** Ends a call once. */
  async end(
    call: Pick<StoredPhoneCall, 'phoneCallId' | 'consultationId' | 'startedAt' | 'notRecorded'>,
    { at, end, talkMs }: { readonly at: number; readonly end: PhoneCallEnd; readonly talkMs: number },
  ): Promise<void> {
    const { store, log, host, onNews } = this.#parts;
    const { phoneCallId, consultationId, startedAt, notRecorded } = call;
    const talked = Math.max(0, Math.round(talkMs));
    const fact = {
      type: 'phone.callEnded',
      phoneCallId,
      reason: end,
      talkMs: talked,
      // Of a call in which nobody talked nothing is missing.
      ...(notRecorded !== null && talked > 0 && { notRecorded }),
    } as const;
    const endedAt = Math.max(startedAt, this.#notLater(at));
    const news = { by: null, at: endedAt, fact };
    if (!(await store.calls.endCall(phoneCallId, { at: endedAt, end, talkMs: talked, news }))) return;
    log.info('phone.callEnded', { consultation: consultationId, reason: end, ms: talked });
    host.changed(consultationId);
    onNews();
  }

  /** Gives up calls of which nothing was heard for too long: a report was lost, or a server. */
  async giveUpSilent(): Promise<void> {
    const { store, clock } = this.#parts;
    for (const call of await store.calls.silent(clock(), SILENT_LIMIT)) await this.#lose(call);
  }

  /** The calls of a provider that had begun before a moment are lost: it has been restarted. */
  async lose(provider: string, before: number): Promise<void> {
    for (const call of await this.#parts.store.calls.running(provider))
      if (call.startedAt < before) await this.#lose(call);
  }

  #lose(call: StoredPhoneCall): Promise<void> {
    const at = this.#parts.clock();
    const talkMs = call.answeredAt === null ? 0 : Math.min(at - call.answeredAt, call.maxTalkMs);
    return this.end(call, { at, end: 'lost', talkMs });
  }

  async #answered(call: StoredPhoneCall, at: number): Promise<void> {
    const { store, host, onNews } = this.#parts;
    const { phoneCallId, consultationId, startedAt, maxTalkMs } = call;
    const answeredAt = Math.max(startedAt, this.#notLater(at));
    const deadlineAt = answeredAt + maxTalkMs + GRACE_MS;
    const fact = { type: 'phone.callAnswered', phoneCallId } as const;
    const news = { by: null, at: answeredAt, fact };
    if (!(await store.calls.answerCall(phoneCallId, { at: answeredAt, deadlineAt, news }))) return;
    host.changed(consultationId);
    onNews();
  }

  /** The call, which a provider that connects by itself tells of first here. */
  async #callOf(
    event: RelayEvent,
    binding: StoredBinding,
    caller: RelayParty,
  ): Promise<StoredPhoneCall | null> {
    const known = await this.#known(event);
    if (known !== null) return known;
    const { store, ids, settings, onNews } = this.#parts;
    const { provider, callRef, bindingId } = event;
    // What we decide we know; such a call was never decided here.
    if (providerOf(this.#parts, provider).capabilities.routing === 'server') return null;
    const at = this.#notLater(event.at);
    const phoneCallId = ids.phoneCallId();
    await store.calls.reportCall({
      phoneCallId,
      provider,
      callRef,
      bindingId,
      caller,
      at,
      // Its reports may come late by half an hour; its talk is limited by the provider.
      deadlineAt: at + settings.ringMs + settings.maxTalkMs + 30 * GRACE_MS,
      maxTalkMs: settings.maxTalkMs,
      news: {
        by: binding.people[caller],
        at,
        fact: { type: 'phone.callStarted', bindingId, phoneCallId },
      },
    });
    onNews();
    if (await store.calls.isOverLimit(bindingId, settings.limits, at - COUNTED_MS))
      await this.#parts.onOverLimit(binding);
    return store.calls.callByRef(provider, callRef);
  }

  /** By our own id where the provider knows it, else by its own; never one of another binding. */
  async #known({ provider, callRef, phoneCallId, bindingId }: RelayEvent): Promise<StoredPhoneCall | null> {
    const { calls } = this.#parts.store;
    const call =
      phoneCallId === null ? await calls.callByRef(provider, callRef) : await calls.call(phoneCallId);
    return call?.bindingId === bindingId && call.provider === provider ? call : null;
  }

  #countBlocked(eventId: string, why: Parameters<RefusedCalls['count']>[0]): void {
    if (this.#blocked.has(eventId)) return;
    // Forgotten all at once: a report that comes after that counts twice at worst.
    if (this.#blocked.size >= 10_000) this.#blocked.clear();
    this.#blocked.add(eventId);
    this.#parts.refused.count(why);
  }

  /** A provider's clock may be ahead of ours. */
  #notLater(at: number): number {
    return Math.round(Math.min(at, this.#parts.clock()));
  }
}
