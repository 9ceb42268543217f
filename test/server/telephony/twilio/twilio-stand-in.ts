/** Twilio as its documentation has it: a REST interface on the loopback, calls that follow TwiML, and signed webhooks. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RelayProvider, WebhookAnswer, WebhookRequest } from '@teleconsult/server/telephony/ports';
import {
  ACCOUNT,
  type CallStatus,
  type Delivery,
  FINAL,
  hear,
  hearFrom,
  type Leg,
  PUBLIC,
  type StandInCall,
  TOKEN,
} from './twilio-stand-in.types.ts';
import { readTwiml, type Verb } from './twiml-reader.ts';

export { ACCOUNT, type Delivery, PUBLIC, type StandInCall, TOKEN } from './twilio-stand-in.types.ts';

export class TwilioStandIn implements AsyncDisposable {
  readonly calls = new Map<string, StandInCall>();
  readonly recordings = new Map<string, { callSid: string; channels: number; status: string }>();
  /** Method and path of what was asked by REST, and the form. */
  readonly asked: { method: string; path: string; form: URLSearchParams; authorization: string }[] = [];
  /** Answers of the next requests instead of the right ones. */
  readonly failures: ('down' | 'throttled' | 'slow' | 'broken' | 'forbidden')[] = [];
  isDown = false;
  nextAnswer: 'rings' | 'busy' | 'no_answer' = 'rings';
  provider: RelayProvider | null = null;
  held: Delivery[] | null = null;
  readonly #server = createServer((request, response) => void this.#rest(request, response));
  readonly #clock: () => number;
  readonly #legs = new Map<string, Leg>();
  #minted = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  sid(prefix: 'CA' | 'RE'): string {
    this.#minted += 1;
    return `${prefix}${this.#minted.toString(16).padStart(32, '0')}`;
  }

  /** A webhook as Twilio sends it: signed over the address without its fragment. */
  request(url: string, form: Readonly<Record<string, string>>): WebhookRequest {
    const address = url.split('#')[0] ?? '';
    const signed = Object.keys(form)
      .toSorted()
      .map((key) => key + (form[key] ?? ''));
    const signature = createHmac('sha1', TOKEN)
      .update(address + signed.join(''))
      .digest('base64');
    return {
      method: 'POST',
      path: address.slice(PUBLIC.length),
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
        'x-twilio-signature': signature,
      },
      body: Buffer.from(new URLSearchParams(form).toString()),
      remoteAddress: '127.0.0.1',
    };
  }

  async deliver(request: WebhookRequest): Promise<WebhookAnswer> {
    const path = request.path.split('?')[0] ?? '';
    const webhook = this.provider?.webhooks.find((one) => `/v1/phone/${one.path}` === path);
    if (webhook === undefined) throw new Error(`No webhook at ${path}`);
    return await webhook.handle(request);
  }

  /** Somebody dials X: the number's voice address is asked, and what it says is done. */
  async dial(from: string, to: string, sid = this.sid('CA')): Promise<StandInCall> {
    const call = this.#open(sid, null, from, to);
    const form = {
      AccountSid: ACCOUNT,
      CallSid: sid,
      From: from,
      To: to,
      CallStatus: 'ringing',
      Direction: 'inbound',
    };
    const answer = await this.deliver(this.request(`${PUBLIC}/v1/phone/twilio/voice`, form));
    await this.#follow(call, answer.status === 200 ? readTwiml(answer.body) : null);
    return call;
  }

  legOf(call: StandInCall): StandInCall | null {
    return this.#legs.get(call.sid)?.call ?? null;
  }

  /** The callee picks up, hears the notice if there is one, and is connected. */
  async answer(call: StandInCall): Promise<void> {
    const leg = this.#legs.get(call.sid);
    if (leg === undefined || leg.call.status !== 'ringing') return;
    leg.call.status = 'in-progress';
    leg.call.answeredAt = this.#clock();
    call.status = 'in-progress';
    const form = {
      AccountSid: ACCOUNT,
      CallSid: leg.call.sid,
      ParentCallSid: call.sid,
      CallStatus: 'in-progress',
    };
    const { record = '', recordingStatusCallback = '' } = leg.dial.attributes;
    if (record.startsWith('record-')) this.#beginRecording(call, recordingStatusCallback);
    await hearFrom(leg.call, leg.callee.attributes['url'], (url) => this.deliver(this.request(url, form)));
    await this.#tellLeg(leg, call, 'in-progress');
  }

  async hangUp(call: StandInCall, by: 'caller' | 'callee'): Promise<void> {
    const leg = this.#legs.get(call.sid);
    if (leg === undefined || FINAL.has(leg.call.status)) return await this.#endParent(call);
    const end = leg.call.status === 'in-progress' ? 'completed' : by === 'caller' ? 'canceled' : 'busy';
    if (by === 'caller') this.#close(call, 'completed');
    await this.#endLeg(leg, call, end);
  }

  async #endLeg(leg: Leg, call: StandInCall, status: CallStatus): Promise<void> {
    if (FINAL.has(leg.call.status)) return;
    this.#close(leg.call, status);
    await this.#tellLeg(leg, call, status);
    const { attributes } = leg.dial;
    const seconds = this.#seconds(leg.call);
    const form = {
      AccountSid: ACCOUNT,
      CallSid: call.sid,
      From: call.from,
      To: call.to,
      CallStatus: call.status,
      DialCallSid: leg.call.sid,
      DialCallStatus: status,
      ...(seconds === null ? {} : { DialCallDuration: seconds }),
    };
    const answer = await this.#tell(attributes['action'] ?? '', form);
    // Only somebody who is still there hears what is answered.
    if (!FINAL.has(call.status) && answer?.status === 200) hear(call, readTwiml(answer.body));
    await this.#endParent(call);
    if (call.recording === null) return;
    const sid = this.sid('RE');
    this.recordings.set(sid, { callSid: call.sid, channels: 2, status: 'completed' });
    await this.#tell(call.recording.reportTo, {
      AccountSid: ACCOUNT,
      CallSid: call.sid,
      RecordingSid: sid,
      RecordingStatus: 'completed',
      RecordingUrl: `https://elsewhere.example/${sid}`,
      RecordingChannels: '2',
    });
  }

  async #endParent(call: StandInCall): Promise<void> {
    this.#close(call, 'completed');
    const form = {
      AccountSid: ACCOUNT,
      CallSid: call.sid,
      From: call.from,
      To: call.to,
      CallStatus: 'completed',
    };
    await this.#tell(`${PUBLIC}/v1/phone/twilio/status#rc=3`, form);
  }

  async #tellLeg({ call: leg, callee }: Leg, call: StandInCall, status: string): Promise<void> {
    const seconds = this.#seconds(leg);
    await this.#tell(callee.attributes['statusCallback'] ?? '', {
      AccountSid: ACCOUNT,
      CallSid: leg.sid,
      ParentCallSid: call.sid,
      From: leg.from,
      To: leg.to,
      CallStatus: status,
      Timestamp: new Date(this.#clock()).toUTCString(),
      SequenceNumber: '0',
      CallbackSource: 'call-progress-events',
      ...(FINAL.has(status) && seconds !== null ? { CallDuration: seconds } : {}),
    });
  }

  async #tell(url: string, form: Readonly<Record<string, string>>): Promise<WebhookAnswer | null> {
    const request = this.request(url, form);
    const send = (): Promise<WebhookAnswer> => this.deliver(request);
    if (this.held !== null) {
      this.held.push({ path: request.path, form, send });
      return null;
    }
    const retries = url.includes('#rc=3') ? 3 : 0;
    let answer = await send();
    for (let retry = 0; retry < retries && answer.status >= 500; retry += 1) answer = await send();
    return answer;
  }

  async #follow(call: StandInCall, response: Verb | null): Promise<void> {
    if (response === null) return this.#close(call, 'failed');
    for (const verb of response.children) {
      if (verb.name === 'Reject') return this.#close(call, 'busy');
      if (verb.name === 'Hangup') return this.#close(call, 'completed');
      if (verb.name === 'Dial') return await this.#ring(call, verb);
      call.status = 'in-progress';
      call.heard.push(verb.text);
    }
  }

  async #ring(call: StandInCall, dial: Verb): Promise<void> {
    const [callee] = dial.children;
    if (callee === undefined) throw new Error('A Dial of nobody');
    const leg = {
      call: this.#open(this.sid('CA'), call.sid, dial.attributes['callerId'] ?? '', callee.text),
      dial,
      callee,
    };
    this.#legs.set(call.sid, leg);
    await this.#tellLeg(leg, call, 'initiated');
    await this.#tellLeg(leg, call, 'ringing');
    const answer = this.nextAnswer;
    this.nextAnswer = 'rings';
    if (answer !== 'rings') await this.#endLeg(leg, call, answer === 'busy' ? 'busy' : 'no-answer');
  }

  #open(sid: string, parent: string | null, from: string, to: string): StandInCall {
    const call = {
      sid,
      parent,
      from,
      to,
      startedAt: this.#clock(),
      status: 'ringing',
      answeredAt: null,
      endedAt: null,
      heard: [],
      recording: null,
    } as const;
    const opened: StandInCall = { ...call, heard: [] };
    this.calls.set(sid, opened);
    return opened;
  }

  #close(call: StandInCall, status: CallStatus): void {
    if (FINAL.has(call.status)) return;
    call.status = status;
    call.endedAt = this.#clock();
  }

  #seconds({ answeredAt, endedAt }: StandInCall): string | null {
    return answeredAt === null ? null : String(Math.round(((endedAt ?? this.#clock()) - answeredAt) / 1_000));
  }

  async #rest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
    const url = new URL(request.url ?? '', 'http://127.0.0.1');
    const { method = 'GET', headers } = request;
    this.asked.push({
      method,
      path: url.pathname + url.search,
      form,
      authorization: headers.authorization ?? '',
    });
    const json = (status: number, body: unknown, more: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...more }).end(JSON.stringify(body));
    };
    const failure = this.failures.shift();
    if (failure === 'slow') return;
    if (failure === 'broken') return void response.destroy();
    if (failure === 'throttled')
      return json(429, { code: 20_429, message: 'Too Many Requests' }, { 'retry-after': '0' });
    if (failure === 'forbidden') return json(403, { code: 21_215, message: 'not to +8613800001111' });
    if (failure === 'down' || this.isDown)
      return json(503, { code: 20_503, message: `about +8613800001111` });
    if (headers.authorization !== `Basic ${Buffer.from(`${ACCOUNT}:${TOKEN}`).toString('base64')}`)
      return json(401, { code: 20_003, message: 'Authenticate' });
    const root = `/2010-04-01/Accounts/${ACCOUNT}`;
    if (!url.pathname.startsWith(root)) return json(404, { code: 20_404, message: 'not found' });
    await this.#resource(method, url.pathname.slice(root.length), { url, form, json, response });
  }

  async #resource(
    method: string,
    path: string,
    asked: {
      url: URL;
      form: URLSearchParams;
      json: (status: number, body: unknown) => void;
      response: ServerResponse;
    },
  ): Promise<void> {
    const { url, form, json, response } = asked;
    if (path === '.json') return json(200, { sid: ACCOUNT, status: 'active' });
    if (path === '/Calls.json') return json(200, this.#page(url));
    if (path === '/Recordings.json')
      return json(200, { recordings: this.#recordingList(), next_page_uri: null });
    const call = this.calls.get(/^\/Calls\/(CA\w{32})\.json$/.exec(path)?.[1] ?? '');
    if (call !== undefined && method === 'POST') return await this.#update(call, form, json);
    const recorded = this.calls.get(/^\/Calls\/(CA\w{32})\/Recordings\.json$/.exec(path)?.[1] ?? '');
    if (recorded !== undefined) return this.#record(recorded, form, json);
    const [, sid = '', ending] = /^\/Recordings\/(RE\w{32})\.(json|wav)$/.exec(path) ?? [];
    const recording = this.recordings.get(sid);
    if (recording === undefined) return json(404, { code: 20_404, message: 'not found' });
    if (method === 'DELETE') {
      this.recordings.delete(sid);
      response.writeHead(204).end();
      return;
    }
    if (ending === 'json')
      return json(200, {
        sid,
        call_sid: recording.callSid,
        status: recording.status === 'stuck' ? 'completed' : recording.status,
        channels: recording.channels,
      });
    response.writeHead(200, { 'content-type': 'audio/x-wav' });
    if (recording.status === 'stuck') return void response.write(Buffer.alloc(500, 1));
    response.end(Buffer.alloc(4_044, 1));
  }

  #record(call: StandInCall, form: URLSearchParams, json: (status: number, body: unknown) => void): void {
    if (call.status !== 'in-progress') return json(400, { code: 21_220, message: `about ${call.from}` });
    this.#beginRecording(call, form.get('RecordingStatusCallback') ?? '');
    json(201, { status: 'in-progress' });
  }

  #beginRecording(call: StandInCall, reportTo: string): void {
    const heardBefore = [call, this.legOf(call)].map((one) => [...(one?.heard ?? [])]);
    call.recording = { heardBefore, reportTo };
  }

  async #update(
    call: StandInCall,
    form: URLSearchParams,
    json: (status: number, body: unknown) => void,
  ): Promise<void> {
    if (FINAL.has(call.status))
      return json(400, { code: 21_220, message: `Call ${call.from} is not in-progress` });
    const twiml = form.get('Twiml');
    const isTalking = call.status === 'in-progress';
    if (twiml !== null && !isTalking) return json(400, { code: 21_220, message: 'Call is not in-progress' });
    json(200, { sid: call.sid, status: 'completed' });
    if (twiml !== null) hear(call, readTwiml(twiml));
    const parent = call.parent === null ? call : this.calls.get(call.parent);
    const leg = parent === undefined ? undefined : this.#legs.get(parent.sid);
    if (parent === undefined) return;
    if (call === parent) this.#close(call, 'completed');
    if (leg === undefined || FINAL.has(leg.call.status)) return await this.#endParent(parent);
    await this.#endLeg(leg, parent, leg.call.status === 'in-progress' ? 'completed' : 'canceled');
  }

  #page(url: URL): unknown {
    const parent = url.searchParams.get('ParentCallSid');
    const to = url.searchParams.get('To');
    const status = url.searchParams.get('Status');
    const all = [...this.calls.values()].filter(
      (call) =>
        (parent === null || call.parent === parent) &&
        (to === null || call.to === to) &&
        (status === null || call.status === status),
    );
    // Pages of two, so that there is more than one.
    const from = Number(url.searchParams.get('Page') ?? '0') * 2;
    const next = new URL(url);
    next.searchParams.set('Page', String(from / 2 + 1));
    return {
      calls: all.slice(from, from + 2).map((call) => ({
        sid: call.sid,
        parent_call_sid: call.parent,
        status: call.status,
        duration: this.#seconds(call),
        end_time: call.endedAt === null ? null : new Date(call.endedAt).toUTCString(),
        from: call.from,
        to: call.to,
      })),
      next_page_uri: from + 2 < all.length ? next.pathname + next.search : null,
    };
  }

  #recordingList(): unknown[] {
    return [...this.recordings].map(([sid, { callSid, channels, status }]) => ({
      sid,
      call_sid: callSid,
      status,
      channels,
    }));
  }
}
