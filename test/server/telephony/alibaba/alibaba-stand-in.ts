/** Alibaba's number service as its documentation has it: signed RPC on the loopback, bindings that route, unsigned reports. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RelayProvider, WebhookAnswer, WebhookRequest } from '@teleconsult/server/telephony/ports';

export const KEY_ID = 'LTAIstandin';
export const KEY_SECRET = 'secret-of-the-stand-in';
export const POOL = 'FC100000123456';
export const REPORT_SECRET = 'r3port-Secret_0123456789abcdefghijkl';
export const SOURCE = '203.0.113.7';

export interface Subscription {
  readonly id: string;
  a: string;
  b: string;
  readonly x: string;
  expiration: string;
  restrict: string;
  isRecorded: boolean;
  readonly outId: string;
  status: 0 | 1;
  readonly fields: Readonly<Record<string, string>>;
}

export interface StandInCall {
  readonly id: string;
  readonly from: string;
  readonly subscription: Subscription | null;
  readonly isAtoB: boolean;
  readonly to: string | null;
  readonly calledAt: number;
  answeredAt: number | null;
  isOver: boolean;
}

export interface Delivery {
  readonly kind: string;
  readonly records: readonly Readonly<Record<string, unknown>>[];
  send(): Promise<WebhookAnswer>;
}

/** Beijing time, written in another way than the adapter writes it. */
export const beijing = (at: number): string =>
  new Intl.DateTimeFormat('sv-SE', {
    timeZone: 'Asia/Shanghai',
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(at);

const encoded = (text: string): string =>
  new URLSearchParams({ t: text })
    .toString()
    .slice(2)
    .replaceAll('+', '%20')
    .replaceAll('*', '%2A')
    .replaceAll('%7E', '~');

export class AlibabaStandIn implements AsyncDisposable {
  readonly subscriptions = new Map<string, Subscription>();
  readonly asked: Readonly<Record<string, string>>[] = [];
  readonly urls: string[] = [];
  /** What becomes of the next requests. */
  readonly failures: ('down' | 'throttled' | 'slow' | 'lost' | { code: string; more?: object })[] = [];
  readonly recordings = new Map<string, Buffer>();
  isDown = false;
  nextAnswer: 'rings' | 'busy' | 'no_answer' = 'rings';
  /** X the service gives where it chooses. */
  pool = ['17000005555', '17000006666'];
  provider: RelayProvider | null = null;
  held: Delivery[] | null = null;
  readonly #nonces = new Set<string>();
  readonly #clock: () => number;
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  #base = '';
  #minted = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#base = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this.#base;
  }

  get base(): string {
    return this.#base;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** 16 digits and more, as the service's are: some are no safe integers. */
  #id(): string {
    this.#minted += 1;
    return `10000430680341${String(9_900 + this.#minted)}`;
  }

  /** Somebody dials X. Numbers are written as within the country. */
  async dial(from: string, x: string): Promise<StandInCall> {
    const now = this.#clock();
    const found = [...this.subscriptions.values()].find(
      (one) =>
        one.status === 1 &&
        one.x === x &&
        (one.a === from || one.b === from) &&
        one.expiration > beijing(now),
    );
    const isAtoB = found?.a === from;
    const isBarred = found?.restrict === (isAtoB ? 'CONTROL_AX_DISABLE' : 'CONTROL_BX_DISABLE');
    const to = found === undefined || isBarred ? null : isAtoB ? found.b : found.a;
    const id = `43612633712c${this.#id().slice(-8)}`;
    const call = {
      id,
      from,
      subscription: found ?? null,
      isAtoB,
      to,
      calledAt: now,
      answeredAt: null,
      isOver: false,
    };
    const cause = found === undefined ? 2 : isBarred ? 3 : 0;
    const started = {
      ...this.#record(call),
      unconnected_cause: cause,
      ...(cause === 0 ? {} : { call_type: 4 }),
    };
    await this.#tell('start', [started]);
    if (cause !== 0) {
      await this.#tell('end', [
        { ...started, ...this.#times(call), release_dir: 0, release_cause: 1, control_msg: 'NO_SUBS_EXIST' },
      ]);
      return { ...call, isOver: true };
    }
    await this.#tell('ring', [{ ...this.#record(call), ring_time: beijing(now) }]);
    const answer = this.nextAnswer;
    this.nextAnswer = 'rings';
    const ringing: StandInCall = call;
    if (answer !== 'rings') await this.#end(ringing, answer === 'busy' ? 17 : 19, 2);
    return ringing;
  }

  async answer(call: StandInCall): Promise<void> {
    if (call.isOver || call.to === null) return;
    call.answeredAt = this.#clock();
    // Numbers as texts, as this report has them.
    const { call_type, sub_id, ...record } = this.#record(call);
    const now = beijing(this.#clock());
    await this.#tell('pickup', [
      { ...record, call_type: String(call_type), sub_id: String(sub_id), start_time: now },
    ]);
  }

  async hangUp(call: StandInCall, by: 'caller' | 'callee'): Promise<void> {
    await this.#end(call, 16, by === 'caller' ? 1 : 2);
  }

  request(kind: string, records: unknown, from = SOURCE, secret = REPORT_SECRET): WebhookRequest {
    // The service writes its 64-bit ids as bare numbers.
    const body = JSON.stringify(records).replaceAll(/"sub(s?)_id":"#(\d+)"/g, '"sub$1_id":$2');
    return {
      method: 'POST',
      path: `/v1/phone/alibaba/${secret}/${kind}`,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(body),
      remoteAddress: from,
    };
  }

  async deliver(request: WebhookRequest): Promise<WebhookAnswer> {
    const kind = request.path.split('/').at(-1) ?? '';
    const webhook = this.provider?.webhooks.find(({ path }) => path.endsWith(`/${kind}`));
    if (webhook === undefined) throw new Error(`No webhook for ${kind}`);
    return await webhook.handle(request);
  }

  async #end(call: StandInCall, cause: number, direction: number): Promise<void> {
    if (call.isOver || call.to === null) return;
    call.isOver = true;
    await this.#tell('end', [
      {
        ...this.#record(call),
        ...this.#times(call),
        release_cause: cause,
        release_dir: direction,
        unconnected_cause: 0,
        control_msg: 'OK',
        record_url: 'https://elsewhere.example/record.mp3',
      },
    ]);
    if (call.answeredAt === null || call.subscription?.isRecorded !== true) return;
    this.recordings.set(call.id, Buffer.alloc(6_000, 7));
    const { id, calledAt, subscription } = call;
    await this.#tell('recording', [
      {
        pool_key: POOL,
        call_id: id,
        call_time: calledAt,
        subs_id: `#${subscription.id}`,
        out_id: subscription.outId,
      },
    ]);
  }

  #record({ id, from, subscription, isAtoB, calledAt }: StandInCall) {
    return {
      id: 101_456_851_000,
      phone_no: subscription?.a ?? from,
      secret_no: subscription?.x ?? '17000005555',
      peer_no: subscription?.b ?? '',
      pool_key: POOL,
      partner_key: POOL,
      city: '北京',
      sub_id: `#${subscription?.id ?? '0'}`,
      out_id: subscription?.outId ?? '',
      call_id: id,
      call_type: isAtoB ? 0 : 1,
      call_time: beijing(calledAt),
      control_type: 'CONTINUE',
    };
  }

  #times({ calledAt, answeredAt }: StandInCall) {
    const now = this.#clock();
    return {
      call_out_time: beijing(calledAt),
      ring_time: beijing(calledAt),
      free_ring_time: beijing(calledAt),
      start_time: beijing(answeredAt ?? now),
      release_time: beijing(now),
    };
  }

  async #tell(kind: string, records: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    const send = (): Promise<WebhookAnswer> => this.deliver(this.request(kind, records));
    if (this.held !== null) return void this.held.push({ kind, records, send });
    // Once, and three times more.
    for (let time = 0; time < 4; time += 1) if ((await send()).status === 200) return;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.urls.push(request.url ?? '');
    const json = (status: number, body: object): void => {
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify({ RequestId: 'R', ...body }));
    };
    const file = /^\/records\/([\w-]+)\.mp3/.exec(request.url ?? '')?.[1];
    if (file !== undefined) {
      const bytes = this.recordings.get(file);
      return void (bytes === undefined ? response.writeHead(404).end() : response.writeHead(200).end(bytes));
    }
    const given = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
    this.asked.push(given);
    const failure = this.failures.shift();
    if (failure === 'slow') return;
    if (failure === 'throttled')
      return json(400, { Code: 'Throttling.User', Message: 'Request was denied due to user flow control.' });
    if (failure === 'down' || this.isDown)
      return json(503, { Code: 'ServiceUnavailable', Message: 'about 13800001111' });
    if (typeof failure === 'object')
      return json(200, { Code: failure.code, Message: 'about 13800001111', ...failure.more });
    const refused = this.#refusal(request.method ?? '', given);
    if (refused !== null) return json(400, { Code: refused, Message: refused });
    const [status, answer] = this.#act(given);
    if (failure === 'lost') return void response.destroy();
    json(status, answer);
  }

  #refusal(method: string, { Signature = '', ...given }: Record<string, string>): string | null {
    const query = Object.keys(given)
      .toSorted()
      .map((key) => `${encoded(key)}=${encoded(given[key] ?? '')}`)
      .join('&');
    const text = `${method}&%2F&${encoded(query)}`;
    const right = createHmac('sha1', `${KEY_SECRET}&`).update(text).digest('base64');
    if (given['AccessKeyId'] !== KEY_ID) return 'InvalidAccessKeyId.NotFound';
    if (Signature !== right) return 'SignatureDoesNotMatch';
    if (given['Version'] !== '2017-05-25') return 'InvalidVersion';
    const nonce = given['SignatureNonce'] ?? '';
    if (this.#nonces.has(nonce)) return 'SignatureNonceUsed';
    this.#nonces.add(nonce);
    const at = Date.parse(given['Timestamp'] ?? '');
    return Math.abs(at - this.#clock()) < 900_000 ? null : 'InvalidTimeStamp.Expired';
  }

  #act(given: Readonly<Record<string, string>>): [number, object] {
    const ok = (more: object = {}): [number, object] => [200, { Code: 'OK', Message: 'OK', ...more }];
    const no = (code: string): [number, object] => [200, { Code: code, Message: `${code} 13800001111` }];
    const one = this.subscriptions.get(given['SubsId'] ?? '');
    switch (given['Action']) {
      case 'BindAxb':
        return this.#bind(given, ok, no);
      case 'UpdateSubscription':
        if (one === undefined || one.status === 0 || one.x !== given['PhoneNoX'])
          return no('isv.SUBS_NOT_EXIST');
        if (given['OperateType'] === 'updateNoA') one.a = given['PhoneNoA'] ?? '';
        if (given['OperateType'] === 'updateNoB') one.b = given['PhoneNoB'] ?? '';
        if (given['OperateType'] === 'updateExpire') one.expiration = given['Expiration'] ?? '';
        if (given['OperateType'] === 'updateCallRestrict') one.restrict = given['CallRestrict'] ?? '';
        if (given['OperateType'] === 'updateIsRecordingEnabled')
          one.isRecorded = given['IsRecordingEnabled'] === 'true';
        return ok();
      case 'UnbindSubscription':
        if (one === undefined || one.status === 0 || one.x !== given['SecretNo'])
          return no('isv.ILLEGAL_ARGUMENT');
        one.status = 0;
        return ok({ ChargeId: true });
      case 'QuerySubscriptionDetail': {
        if (one === undefined || one.x !== given['PhoneNoX']) return no('isv.SUBS_NOT_EXIST');
        const { id, a, b, x, status, expiration } = one;
        return ok({
          SecretBindDetailDTO: {
            SubsId: id,
            PhoneNoA: a,
            PhoneNoB: b,
            PhoneNoX: x,
            Status: status,
            ExpireDate: expiration,
          },
        });
      }
      case 'QuerySubsId': {
        const ids = [...this.subscriptions.values()].filter(
          ({ x, status }) => x === given['PhoneNoX'] && status === 1,
        );
        return ok({ SubsId: ids.map(({ id }) => id).join(',') });
      }
      case 'QueryRecordFileDownloadUrl':
        if (!this.recordings.has(given['CallId'] ?? '')) return no('isv.RECORD_NOT_EXIST');
        return ok({ DownloadUrl: `${this.#base}/records/${given['CallId']}.mp3?Expires=1&Signature=x` });
      default:
        return no('InvalidAction.NotFound');
    }
  }

  #bind(
    given: Readonly<Record<string, string>>,
    ok: (more: object) => [number, object],
    no: (code: string) => [number, object],
  ) {
    const { PhoneNoA: a = '', PhoneNoB: b = '', PhoneNoX, Expiration = '' } = given;
    if (!/^1\d{10}$|^0\d{9,11}$/.test(a) || !/^1\d{10}$|^0\d{9,11}$/.test(b))
      return no('isv.MOBILE_NUMBER_ILLEGAL');
    if (Expiration <= beijing(this.#clock() + 60_000)) return no('isv.EXPIRE_DATE_ILLEGAL');
    const active = [...this.subscriptions.values()].filter(({ status }) => status === 1);
    const isFree = (x: string): boolean =>
      !active.some((one) => one.x === x && [one.a, one.b].some((number) => number === a || number === b));
    if (PhoneNoX !== undefined && !this.pool.includes(PhoneNoX)) return no('isv.NO_NOT_EXIST');
    if (PhoneNoX !== undefined && !isFree(PhoneNoX)) return no('isv.BIND_CONFLICT');
    const x = PhoneNoX ?? this.pool.find(isFree);
    if (x === undefined) return no('isv.NO_AVAILABLE_NUMBER');
    const id = this.#id();
    this.subscriptions.set(id, {
      id,
      a,
      b,
      x,
      expiration: Expiration,
      restrict: given['CallRestrict'] ?? 'CONTROL_CLEAR_DISABLE',
      isRecorded: given['IsRecordingEnabled'] === 'true',
      outId: given['OutId'] ?? '',
      status: 1,
      fields: given,
    });
    return ok({ SecretBindDTO: { SubsId: id, SecretNo: x, Extension: '130' } });
  }
}
