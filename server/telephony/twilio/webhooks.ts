/** Twilio's requests to us: each is checked before anything of it is read, and answered with TwiML or a status. */
import type { Clock, Log } from '../../host/ports.ts';
import { isPhoneNumber } from '../numbers.ts';
import type { CallDecision, IncomingPhoneCall, RelayCore, WebhookAnswer, WebhookRequest } from '../ports.ts';
import type { RelayLookup } from '../relay-lookup.ts';
import {
  answered,
  MAX_WEBHOOK_BYTES,
  type Suspicion,
  Suspicions,
  sameText,
  within,
} from '../webhook-guard.ts';
import { type CallContext, contextFrom } from './call-context.ts';
import type { CallsUnderWay } from './calls-under-way.ts';
import { Decisions, type Unavailable } from './decisions.ts';
import type { EndOfCall, Ends } from './ends.ts';
import type { RecordingStart } from './recording-start.ts';
import {
  endingOf,
  isCallSid,
  isDisproved,
  isRecordingSid,
  momentOf,
  TWILIO,
  twilioEvent,
  WITHHELD,
} from './reports.ts';
import type { TwilioSettings } from './settings.ts';
import { isSignedByTwilio } from './signature.ts';
import { Twiml, type WebhookName } from './twiml.ts';

/** Twilio asks again within seconds. Later, the same question comes from somebody who kept it. */
const ASKED_AGAIN_WITHIN_MS = 60_000;
/** Twilio gives up after 15 seconds and asks again; so it does when it is told. */
const ANSWER_WITHIN_MS = 10_000;
/** Reports that a store has not answered yet. Beyond it Twilio is told to come again: what waits here is bounded. */
const MOST_AT_ONCE = 2_000;

export interface TwilioWebhookParts {
  readonly settings: TwilioSettings;
  readonly lookup: RelayLookup;
  readonly calls: CallsUnderWay;
  readonly ends: Ends;
  readonly recordings: RecordingStart;
  readonly log: Log;
  readonly clock: Clock;
  readonly decideTimeoutMs: number;
}

interface Asked {
  readonly core: RelayCore;
  readonly form: URLSearchParams;
  readonly query: URLSearchParams;
}

export class TwilioWebhooks {
  readonly suspicions: Suspicions;
  readonly #parts: TwilioWebhookParts;
  readonly #twiml: Twiml;
  readonly #decisions: Decisions;
  #underWay = 0;

  constructor(parts: TwilioWebhookParts) {
    const { settings, log, clock, decideTimeoutMs } = parts;
    this.#parts = parts;
    this.#twiml = new Twiml(settings);
    this.#decisions = new Decisions({ timeoutMs: decideTimeoutMs, log, clock });
    this.suspicions = new Suspicions({ provider: TWILIO, log, clock });
  }

  /** @param core null: not started, or closed; Twilio asks again */
  async handle(name: WebhookName, request: WebhookRequest, core: RelayCore | null): Promise<WebhookAnswer> {
    const checked = this.#check(request);
    if (typeof checked === 'string') return this.#disbelieved(checked);
    if (core === null || this.#underWay >= MOST_AT_ONCE) return answered(503);
    this.#underWay += 1;
    const answering = this.#answer(name, { core, ...checked }).finally(() => {
      this.#underWay -= 1;
    });
    try {
      return await within(ANSWER_WITHIN_MS, answering);
    } catch (error) {
      this.#parts.log.error('a report of the phone provider could not be kept', {
        event: TWILIO,
        reason: name,
        error,
      });
      return answered(503);
    }
  }

  #check({ method, path, headers, body }: WebhookRequest): Pick<Asked, 'form' | 'query'> | Suspicion {
    if (method !== 'POST') return 'method';
    if (body.byteLength > MAX_WEBHOOK_BYTES) return 'too_large';
    const { settings } = this.#parts;
    const url = `${settings.publicUrl}${path}`;
    if (!path.startsWith('/') || !URL.canParse(url)) return 'malformed';
    const signature = headers['x-twilio-signature'];
    const contentType = headers['content-type'] ?? '';
    if (signature === undefined) return 'signature';
    if (!isSignedByTwilio(settings.authToken, { url, contentType, body, signature })) return 'signature';
    const form = new URLSearchParams(Buffer.from(body).toString('utf8'));
    if (!sameText(form.get('AccountSid') ?? '', settings.accountSid)) return 'account';
    return { form, query: new URL(url).searchParams };
  }

  #answer(name: WebhookName, asked: Asked): Promise<WebhookAnswer> {
    switch (name) {
      case 'voice':
        return this.#voice(asked);
      case 'notice':
        return this.#notice(asked);
      case 'noticed':
        return this.#noticed(asked);
      case 'leg':
        return this.#leg(asked);
      case 'dialled':
        return this.#dialled(asked);
      case 'status':
        return this.#status(asked);
      case 'recording':
        return this.#recording(asked);
      default: {
        const unreachable: never = name;
        return unreachable;
      }
    }
  }

  /** Somebody dials X. */
  async #voice({ core, form }: Asked): Promise<WebhookAnswer> {
    const callRef = form.get('CallSid');
    const from = form.get('From') ?? '';
    const x = form.get('To') ?? '';
    if (!isCallSid(callRef) || !isPhoneNumber(x) || (form.get('Direction') ?? 'inbound') !== 'inbound')
      return this.#notTaken('malformed');
    const isShown = isPhoneNumber(from) && !WITHHELD.has(from) && !isDisproved(form.get('StirVerstat'));
    const call = { provider: TWILIO, callRef, from: isShown ? from : null, x, at: this.#parts.clock() };
    const decision = await this.#decided(core, call);
    return decision === null ? this.#notTaken('replayed') : twiml(this.#spoken(decision, callRef, x));
  }

  /** null: an old question. A store that does not say whether it is one turns the caller away. */
  async #decided(core: RelayCore, call: IncomingPhoneCall): Promise<CallDecision | Unavailable | null> {
    try {
      const isReplayed = await within(this.#parts.decideTimeoutMs, this.#isReplayed(call.callRef));
      return isReplayed ? null : await this.#decisions.ask(core, call);
    } catch (error) {
      this.#parts.log.error('a phone call was turned away: no decision', { event: TWILIO, error });
      return { do: 'unavailable' };
    }
  }

  #spoken(decision: CallDecision | Unavailable, callRef: string, x: Parameters<Twiml['bridge']>[1]): string {
    switch (decision.do) {
      case 'bridge':
        this.#parts.calls.add(callRef, { ...decision, since: this.#parts.clock() });
        return this.#twiml.bridge(decision, x);
      case 'announce':
        return this.#twiml.announce(decision.prompt, decision.language);
      case 'reject':
        return this.#twiml.reject(
          ['busy', 'limit', 'unavailable'].includes(decision.why) ? 'busy' : 'rejected',
        );
      case 'unavailable':
        return this.#twiml.announce('unavailable', this.#parts.settings.language);
      default: {
        const unreachable: never = decision;
        return unreachable;
      }
    }
  }

  /**
   * The answer to this question holds the number of the other, so an old question that somebody kept is not answered
   * again: not after a minute, and not when the call has ended.
   */
  async #isReplayed(callRef: string): Promise<boolean> {
    const { calls, lookup, clock } = this.#parts;
    const known = calls.get(callRef) ?? (await lookup.callOf(TWILIO, callRef));
    return known !== null && (known.ended || clock() - known.since > ASKED_AGAIN_WITHIN_MS);
  }

  async #notice({ query }: Asked): Promise<WebhookAnswer> {
    const context = contextFrom(query);
    if (context === null) return this.#notTaken('malformed');
    return twiml(this.#twiml.notice(context));
  }

  /** Both have heard that it is recorded: now, and no earlier, it is. */
  async #noticed({ core, form, query }: Asked): Promise<WebhookAnswer> {
    const callRef = form.get('ParentCallSid');
    const context = contextFrom(query);
    if (!isCallSid(callRef) || context === null) return this.#notTaken('malformed');
    const endedFor = this.#parts.calls.get(callRef)?.endedFor;
    // Ended while it was said: nobody is connected any more.
    if (endedFor !== undefined) return twiml(this.#farewell({ end: 'unbound', endedFor }, context));
    const call = { callRef, context, at: this.#parts.clock() };
    await this.#parts.recordings.begin(core, call, this.#twiml.recordingReport(context));
    return twiml(this.#twiml.connect());
  }

  /** The dialled leg rings, was answered, has ended. */
  async #leg({ core, form, query }: Asked): Promise<WebhookAnswer> {
    const callRef = form.get('ParentCallSid');
    const context = contextFrom(query);
    if (!isCallSid(callRef) || context === null) return this.#disbelieved('malformed');
    const at = momentOf(form.get('Timestamp'), this.#parts.clock());
    const status = form.get('CallStatus') ?? '';
    const { caller } = context;
    if (status === 'ringing')
      await core.event(twilioEvent({ callRef, context, at }, { type: 'ringing', caller }));
    if (status === 'in-progress')
      await core.event(twilioEvent({ callRef, context, at }, { type: 'answered', caller }));
    const ending = this.#ending(form, context, { status, seconds: form.get('CallDuration') });
    if (ending !== null) await this.#parts.ends.tell(core, { callRef, context, at, ending });
    else this.#endAgain(callRef);
    return answered(204);
  }

  /** A call that was ended while Twilio was still being told to ring: what we said then may not have reached it. */
  #endAgain(callRef: string): void {
    const call = this.#parts.calls.get(callRef);
    if (call === undefined || call.ended || call.endedFor === undefined) return;
    this.#parts.ends.bringAbout(callRef, call.endedFor).catch((error: unknown) => {
      this.#parts.log.error('a phone call that was ended goes on', { event: TWILIO, error });
    });
  }

  /** The other leg is over; the caller is still there and hears why. */
  async #dialled({ core, form, query }: Asked): Promise<WebhookAnswer> {
    const callRef = form.get('CallSid');
    const context = contextFrom(query);
    if (!isCallSid(callRef) || context === null) return this.#notTaken('malformed');
    const status = form.get('DialCallStatus') ?? '';
    const ending = this.#ending(form, context, { status, seconds: form.get('DialCallDuration') });
    const end = ending ?? { end: 'failed', talkMs: 0 };
    const told = await this.#parts.ends.tell(core, {
      callRef,
      context,
      at: this.#parts.clock(),
      ending: end,
    });
    return twiml(this.#farewell(told, context));
  }

  #farewell({ end, endedFor }: EndOfCall, { language }: CallContext): string {
    if (endedFor !== undefined)
      return endedFor === null ? this.#twiml.hangUp() : this.#twiml.announce(endedFor, language);
    switch (end) {
      case 'busy':
      case 'no_answer':
      case 'time_over':
        return this.#twiml.announce(end, language);
      case 'declined':
        return this.#twiml.announce('busy', language);
      case 'failed':
      case 'lost':
        return this.#twiml.announce('unavailable', language);
      case 'unbound':
        return this.#twiml.announce('visit_ended', language);
      case 'completed':
      case 'cancelled':
        return this.#twiml.hangUp();
      default: {
        const unreachable: never = end;
        return unreachable;
      }
    }
  }

  /** The caller has gone: of a call that never came to the dialling, or whose other reports were lost, this is the end. */
  async #status({ core, form }: Asked): Promise<WebhookAnswer> {
    const callRef = form.get('CallSid');
    if (!isCallSid(callRef)) return this.#disbelieved('malformed');
    const isOver = ['completed', 'busy', 'failed', 'no-answer', 'canceled'].includes(
      form.get('CallStatus') ?? '',
    );
    const known = isOver ? await this.#parts.ends.stillOpen(callRef) : null;
    if (known === null) return answered(204);
    const ending = await this.#parts.ends.found(callRef);
    // The other leg goes on for a moment: Twilio tells this again.
    if (ending === null) return answered(503);
    const at = momentOf(form.get('Timestamp'), this.#parts.clock());
    await this.#parts.ends.tell(core, { callRef, context: known, at, ending });
    return answered(204);
  }

  async #recording({ core, form, query }: Asked): Promise<WebhookAnswer> {
    const callRef = form.get('CallSid');
    const recordingRef = form.get('RecordingSid');
    const context = contextFrom(query);
    if (!isCallSid(callRef) || context === null) return this.#disbelieved('malformed');
    if (form.get('RecordingStatus') !== 'completed') return answered(204);
    if (!isRecordingSid(recordingRef)) return this.#disbelieved('malformed');
    const reported = { callRef, context, at: this.#parts.clock() };
    await core.event(twilioEvent(reported, { type: 'recorded', recordingRef }));
    return answered(204);
  }

  #ending(
    form: URLSearchParams,
    { maxTalkSeconds }: CallContext,
    leg: { status: string; seconds: string | null },
  ) {
    return endingOf(leg.status, {
      seconds: leg.seconds,
      sipCode: form.get('SipResponseCode'),
      maxTalkSeconds,
    });
  }

  #notTaken(what: Suspicion): WebhookAnswer {
    this.suspicions.add(what);
    return twiml(this.#twiml.reject('rejected'));
  }

  #disbelieved(what: Suspicion): WebhookAnswer {
    this.suspicions.add(what);
    if (what === 'method') return answered(405);
    if (what === 'too_large') return answered(413);
    return answered(what === 'malformed' ? 400 : 403);
  }
}

const twiml = (body: string): WebhookAnswer => answered(200, body, 'text/xml; charset=utf-8');
