/** What Twilio is told to do with a call (https://www.twilio.com/docs/voice/twiml). */
import type { PhoneNumber } from '../numbers.ts';
import type { PhoneLanguage, PromptId } from '../ports.ts';
import {
  type Bridge,
  type CallContext,
  contextOf,
  contextQuery,
  ringSeconds,
  talkSeconds,
} from './call-context.ts';
import type { TwilioSettings } from './settings.ts';
import { element, type XmlElement, xmlDocument } from './xml.ts';

export const WEBHOOKS = ['voice', 'notice', 'noticed', 'leg', 'dialled', 'status', 'recording'] as const;
export type WebhookName = (typeof WEBHOOKS)[number];

/** Twilio asks again when we answer 5xx, do not connect or are slow (connection overrides); the fragment is never sent. */
const TRY_AGAIN = '#rc=3&rp=5xx,ct,rt';
const LANGUAGES: Readonly<Record<PhoneLanguage, string>> = { zh: 'zh-CN', en: 'en-US' };

export class Twiml {
  readonly #settings: TwilioSettings;

  constructor(settings: TwilioSettings) {
    this.#settings = settings;
  }

  /**
   * Says the notice to the caller, then rings the other; the other hears the notice before the two are connected. `record`
   * would begin when the other picks up, with their first words and before the notice: the recording is begun after it.
   */
  bridge(decision: Bridge, x: PhoneNumber): string {
    const context = contextOf(decision);
    const callee = element(
      'Number',
      {
        statusCallback: this.#address('leg', context),
        statusCallbackEvent: 'initiated ringing answered completed',
        statusCallbackMethod: 'POST',
        url: decision.recorded ? this.#address('notice', context) : undefined,
        method: decision.recorded ? 'POST' : undefined,
      },
      decision.to,
    );
    const dial = element(
      'Dial',
      {
        callerId: x,
        answerOnBridge: true,
        timeout: ringSeconds(decision.ringMs),
        timeLimit: talkSeconds(decision.maxTalkMs),
        action: this.#address('dialled', context),
        method: 'POST',
        record: 'do-not-record',
      },
      callee,
    );
    const notice = decision.recorded ? [this.#prompt('recorded', decision.language)] : [];
    return respond(...notice, dial);
  }

  /** The notice for the callee. When it was said we are asked again, and only then is it recorded. */
  notice(context: CallContext): string {
    const said = element('Redirect', { method: 'POST' }, this.#address('noticed', context));
    return respond(this.#prompt('recorded', context.language), said);
  }

  /** Nothing more is to be said to the callee: the two are connected. */
  connect(): string {
    return respond();
  }

  /** Where the recording of a call is reported. */
  recordingReport(context: CallContext): string {
    return this.#address('recording', context);
  }

  announce(prompt: PromptId, language: PhoneLanguage): string {
    return respond(this.#prompt(prompt, language), element('Hangup'));
  }

  hangUp(): string {
    return respond(element('Hangup'));
  }

  reject(reason: 'rejected' | 'busy'): string {
    return respond(element('Reject', { reason }));
  }

  #prompt(prompt: PromptId, language: PhoneLanguage): XmlElement {
    const { prompts } = this.#settings;
    if (prompts.kind === 'play')
      return element('Play', {}, `${prompts.base.replace(/\/+$/, '')}/${language}/${prompt}.wav`);
    const voice = prompts.voices[language] ?? undefined;
    return element('Say', { language: LANGUAGES[language], voice }, prompts.texts[language][prompt]);
  }

  #address(webhook: WebhookName, context: CallContext): string {
    return `${this.#settings.publicUrl}/v1/phone/twilio/${webhook}?${contextQuery(context)}${TRY_AGAIN}`;
  }
}

const respond = (...verbs: readonly XmlElement[]): string => xmlDocument(element('Response', {}, ...verbs));
