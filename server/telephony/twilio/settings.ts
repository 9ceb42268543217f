import type { PhoneLanguage, PromptId } from '../ports.ts';

/** What the operator sets up. `authToken` and `apiKey` are secrets and go nowhere but into signatures and the REST header. */
export interface TwilioSettings {
  /** `AC` and 32 hexadecimal digits. */
  readonly accountSid: string;
  /** Signs the webhooks; and authenticates requests where there is no API key. */
  readonly authToken: string;
  /** A standard API key for the REST interface, so that the token only checks signatures. */
  readonly apiKey: { readonly sid: string; readonly secret: string } | null;
  /** Origin (and prefix, if any) under which Twilio reaches this server, `https://clinic.example`. Never the Host header. */
  readonly publicUrl: string;
  /** `https://api.twilio.com`, or of an edge and region: `https://api.dublin.ie1.twilio.com`. */
  readonly apiBase: string;
  /** Language of what is said to somebody no binding is known of. */
  readonly language: PhoneLanguage;
  readonly prompts: TwilioPrompts;
}

/** Our own recordings by their addresses (`<base>/<language>/<prompt>.wav`), or texts spoken by Twilio's voices. */
export type TwilioPrompts =
  | { readonly kind: 'play'; readonly base: string }
  | {
      readonly kind: 'say';
      readonly texts: Readonly<Record<PhoneLanguage, Readonly<Record<PromptId, string>>>>;
      /** A voice of the language; null: Twilio's own choice. */
      readonly voices: Readonly<Record<PhoneLanguage, string | null>>;
    };

const isHttps = (text: string): boolean => {
  try {
    const { protocol, hostname, search, hash } = new URL(text);
    const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
    return (protocol === 'https:' || (protocol === 'http:' && isHere)) && search === '' && hash === '';
  } catch {
    return false;
  }
};

/** @throws Error that names the setting that is wrong, never its value */
export function checkTwilioSettings(settings: TwilioSettings): TwilioSettings {
  const { accountSid, authToken, apiKey, publicUrl, apiBase, prompts } = settings;
  if (!/^AC[0-9a-f]{32}$/i.test(accountSid)) throw new Error('The Twilio account SID is not one');
  if (authToken.length < 16) throw new Error('The Twilio auth token is too short to be one');
  if (apiKey !== null && (!/^SK[0-9a-f]{32}$/i.test(apiKey.sid) || apiKey.secret.length < 16))
    throw new Error('The Twilio API key is not one');
  if (!isHttps(publicUrl)) throw new Error('The public URL for Twilio is no https address');
  if (!isHttps(apiBase)) throw new Error('The base of the Twilio interface is no https address');
  if (prompts.kind === 'play' && !isHttps(prompts.base))
    throw new Error('The base of the prompts for Twilio is no https address');
  // The port that everybody means is not written, so that an address has one form.
  const bare = (url: string): string =>
    url.replace(/\/+$/, '').replace(/^(https:\/\/[^/]+):443(?=\/|$)|^(http:\/\/[^/]+):80(?=\/|$)/, '$1$2');
  return { ...settings, publicUrl: bare(publicUrl), apiBase: bare(apiBase) };
}
