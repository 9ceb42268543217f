/** What the stand-in for Twilio keeps of its calls, and how it follows what is said to them. */
import type { WebhookAnswer } from '@teleconsult/server/telephony/ports';
import { readTwiml, type Verb } from './twiml-reader.ts';

export const ACCOUNT = `AC${'a'.repeat(32)}`;
export const TOKEN = 'token-of-the-stand-in-0123456789';
export const PUBLIC = 'https://clinic.example';

export type CallStatus =
  | 'ringing'
  | 'in-progress'
  | 'completed'
  | 'busy'
  | 'no-answer'
  | 'canceled'
  | 'failed';
export interface StandInCall {
  readonly sid: string;
  readonly parent: string | null;
  readonly from: string;
  readonly to: string;
  readonly startedAt: number;
  status: CallStatus;
  answeredAt: number | null;
  endedAt: number | null;
  /** What was said to whoever is on this leg. */
  readonly heard: string[];
  /** Since it is recorded: what was said to both until then, and where the recording is reported. */
  recording: { readonly heardBefore: readonly (readonly string[])[]; readonly reportTo: string } | null;
}

export interface Delivery {
  readonly path: string;
  readonly form: Readonly<Record<string, string>>;
  send(): Promise<WebhookAnswer>;
}

export interface Leg {
  readonly call: StandInCall;
  readonly dial: Verb;
  readonly callee: Verb;
}

export const FINAL: ReadonlySet<string> = new Set(['completed', 'busy', 'no-answer', 'canceled', 'failed']);

export function hear(call: StandInCall, response: Verb): void {
  for (const verb of response.children)
    if (verb.name === 'Say' || verb.name === 'Play') call.heard.push(verb.text);
}

/** What a callee hears before the two are connected, from one address to the next. */
export async function hearFrom(
  call: StandInCall,
  url: string | undefined,
  ask: (url: string) => Promise<WebhookAnswer>,
): Promise<void> {
  for (let next = url; next !== undefined; ) {
    const { status, body } = await ask(next);
    const response = status === 200 ? readTwiml(body) : null;
    if (response !== null) hear(call, response);
    next = response?.children.find(({ name }) => name === 'Redirect')?.text;
  }
}
