/** Requests to Alibaba's number service (dyplsapi, version 2017-05-25). */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../host/ports.ts';
import { RelayError } from '../ports.ts';
import {
  type OpenedAnswer,
  type ProviderAnswer,
  ProviderHttp,
  type ProviderHttpPace,
} from '../provider-http.ts';
import { isThrottling, reasonOf, shownCode } from './error-codes.ts';
import { canonicalQuery, type RpcParameters, rpcSignature } from './rpc-signature.ts';
import type { AlibabaSettings } from './settings.ts';

const Answer = z.looseObject({ Code: z.string() });
type Answer = z.infer<typeof Answer>;

/** What the service refused, with its own code: some mean that a thing is there already. */
export class AlibabaRefusal extends RelayError {
  readonly code: string;
  constructor(code: string) {
    super(reasonOf(code), { detail: shownCode(code) });
    this.code = code;
  }
}

export class AlibabaRpc {
  readonly #settings: AlibabaSettings;
  readonly #clock: Clock;
  readonly #http: ProviderHttp;

  constructor({
    settings,
    clock,
    pace,
  }: { settings: AlibabaSettings; clock: Clock; pace: Partial<ProviderHttpPace> }) {
    this.#settings = settings;
    this.#clock = clock;
    this.#http = new ProviderHttp(pace);
  }

  /**
   * POST, so that numbers stay out of addresses and logs of proxies.
   * @param repeats whether it may be sent again when it may have been done although no answer came
   * @throws AlibabaRefusal when the service says no, RelayError `unavailable`
   */
  async call(action: string, parameters: RpcParameters, { repeats = true } = {}): Promise<Answer> {
    const { endpoint } = this.#settings;
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      'user-agent': 'teleconsult',
    };
    const answer = await this.#http.send(
      () => ({ method: 'POST', url: `${endpoint}/`, headers, body: this.#signed(action, parameters) }),
      { isBusy, isTurnedAway, repeatsUnanswered: repeats },
    );
    const read = readAnswer(answer);
    if (read === null) throw new RelayError('unavailable', { detail: 'an answer of another shape' });
    if (read.Code !== 'OK') throw new AlibabaRefusal(read.Code);
    return read;
  }

  /** An address the service handed out. @throws RelayError */
  async open(url: string): Promise<OpenedAnswer> {
    return await this.#http.open({ method: 'GET', url, headers: { 'user-agent': 'teleconsult' } });
  }

  close(): void {
    this.#http.close();
  }

  #signed(action: string, parameters: RpcParameters): string {
    const { accessKeyId, accessKeySecret, poolKey, regionId } = this.#settings;
    const all = {
      ...parameters,
      PoolKey: poolKey,
      Action: action,
      Version: '2017-05-25',
      Format: 'JSON',
      RegionId: regionId,
      AccessKeyId: accessKeyId,
      SignatureMethod: 'HMAC-SHA1',
      SignatureVersion: '1.0',
      // New in each attempt: the service refuses one it has seen.
      SignatureNonce: randomUUID(),
      Timestamp: new Date(this.#clock()).toISOString().replace(/\.\d{3}Z$/, 'Z'),
    };
    return canonicalQuery({ ...all, Signature: rpcSignature('POST', all, accessKeySecret) });
  }
}

function readAnswer({ text }: ProviderAnswer): Answer | null {
  try {
    const parsed = Answer.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Throttled requests are answered 400 with a code. */
const isBusy = (answer: ProviderAnswer): boolean => {
  const code = readAnswer(answer)?.Code;
  return code !== undefined && code !== 'OK' && reasonOf(code) === 'unavailable';
};

const isTurnedAway = (answer: ProviderAnswer): boolean => isThrottling(readAnswer(answer)?.Code ?? '');
