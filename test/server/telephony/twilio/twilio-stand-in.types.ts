/** What the stand-in for Twilio keeps of its calls. */
import type { WebhookAnswer } from '@teleconsult/server/telephony/ports';
import type { Verb } from './twiml-reader.ts';

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
