/** What the contract of `RelayProvider` needs around an adapter: people who dial, and the reports on their way. */
import { inspect } from 'node:util';
import type { Log, LogFields } from '@teleconsult/server/host/ports';
import { isPhoneNumber, type PhoneNumber } from '@teleconsult/server/telephony/numbers';
import type {
  BindingChange,
  BindRequest,
  BoundRelay,
  RelayProvider,
} from '@teleconsult/server/telephony/ports';
import { newBindingId, type ScriptedCore } from './relay.core.ts';

export function number(text: string): PhoneNumber {
  if (!isPhoneNumber(text)) throw new Error('no number');
  return text;
}

export const ANN = number('+8613800001111');
export const BOB = number('+8613900002222');
export const CARA = number('+8613700003333');
export const STRANGER = number('+8613600004444');
export const X = number('+8617000005555');
export const OTHER_X = number('+8617000006666');
export const EVERYBODY = [ANN, BOB, CARA, STRANGER, X, OTHER_X] as const;

export interface Dialled {
  readonly callRef: string;
  readonly got: 'ringing' | 'turned_away';
  /** Who is rung, and what they see. */
  readonly rung: { readonly to: string; readonly shows: string } | null;
  answer(): Promise<void>;
  hangUp(by: 'caller' | 'callee'): Promise<void>;
}

/** A report on its way from the provider to us. */
export interface ReportOnItsWay {
  /** Whether it was taken; otherwise the provider tells it again. */
  send(): Promise<boolean>;
  /** Others' attempts at the same report: unsigned, changed, from elsewhere. Whether one was believed shows in the core. */
  readonly forgeries: readonly (() => Promise<unknown>)[];
}

export interface RelayUnderTest extends AsyncDisposable {
  readonly provider: RelayProvider;
  readonly core: ScriptedCore;
  readonly log: WrittenLog;
  now(): number;
  advance(ms: number): void;
  dial(from: PhoneNumber | null, x: PhoneNumber): Promise<Dialled>;
  /** What the next person who is rung does; otherwise it rings. */
  next(answer: 'busy' | 'no_answer'): void;
  /** Reports wait from now on. */
  hold(): void;
  /** What waited; later ones are told at once. */
  release(): readonly ReportOnItsWay[];
  /** Requests to the provider fail from now on, or no longer. */
  outage(isDown: boolean): void;
  /** How many bindings the provider holds; null: it holds none ever. */
  held(): number | null;
}

/** A log that keeps what it was given, and its errors with all they hold. */
export class WrittenLog implements Log {
  #written: string[] = [];
  info = (step: string, fields?: LogFields): void => this.#write(step, fields);
  warn = (step: string, fields?: LogFields): void => this.#write(step, fields);
  error = (step: string, fields?: LogFields): void => this.#write(step, fields);
  get text(): string {
    return this.#written.join('\n');
  }
  #write(step: string, fields?: LogFields): void {
    this.#written.push(`${step} ${inspect(fields, { depth: 10 })}`);
  }
}

/** Digits of no number of the test, neither whole nor as it is written within the country. */
export function numbersIn(text: string): string[] {
  return EVERYBODY.flatMap((one) => [one.slice(1), one.slice(3)]).filter((digits) => text.includes(digits));
}

export const bindRequest = (under: RelayUnderTest, change: Partial<BindRequest> = {}): BindRequest => ({
  bindingId: newBindingId(),
  a: ANN,
  b: BOB,
  x: under.provider.capabilities.chooses === 'us' ? X : null,
  expiresAt: under.now() + 3_600_000,
  direction: 'both',
  recorded: false,
  ringMs: 20_000,
  maxTalkMs: 1_800_000,
  ...change,
});

/** Binds as the bindings do: the provider, then the store. */
export async function bind(under: RelayUnderTest, change: Partial<BindRequest> = {}): Promise<BoundRelay> {
  const request = bindRequest(under, change);
  const bound = await under.provider.bind(request);
  under.core.bound(request, bound);
  return bound;
}

export async function change(under: RelayUnderTest, bound: BoundRelay, to: BindingChange): Promise<void> {
  await under.provider.change(bound, to);
  under.core.changed(bound.bindingId, to);
}

/** The store first: from then on nobody is connected whatever the provider does. */
export async function unbind(under: RelayUnderTest, bound: BoundRelay): Promise<void> {
  under.core.unbound(bound.bindingId);
  await under.provider.unbind(bound, 'visit_ended');
}
