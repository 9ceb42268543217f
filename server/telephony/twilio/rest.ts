/** Twilio's REST interface, as much of it as a relay needs (https://www.twilio.com/docs/voice/api). */
import { z } from 'zod';
import { RelayError } from '../ports.ts';
import {
  type ProviderAnswer,
  ProviderHttp,
  type ProviderHttpPace,
  type RequestRules,
} from '../provider-http.ts';
import { isCallSid, isRecordingSid } from './reports.ts';
import type { TwilioSettings } from './settings.ts';

const CallRecord = z.object({
  sid: z.string(),
  parent_call_sid: z.string().nullish(),
  status: z.string(),
  duration: z.string().nullish(),
  end_time: z.string().nullish(),
});
export type CallRecord = z.infer<typeof CallRecord>;
const RecordingRecord = z.object({
  sid: z.string(),
  call_sid: z.string(),
  status: z.string(),
  channels: z.coerce.number().int(),
  date_updated: z.string().nullish(),
});
export type RecordingRecord = z.infer<typeof RecordingRecord>;
const CallsPage = z.object({ calls: z.array(CallRecord), next_page_uri: z.string().nullish() });
const RecordingsPage = z.object({
  recordings: z.array(RecordingRecord),
  next_page_uri: z.string().nullish(),
});
const Failure = z.object({ code: z.number().int() });

/** Where recordings are given out besides the interface itself: Twilio's own hosts, and the S3 of those who keep them there. */
const RECORDING_HOSTS = ['.twilio.com', '.amazonaws.com'];
const REDIRECTIONS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MOST_REDIRECTIONS = 3;
/** A list that goes on beyond this is cut: 100 pages of 200. */
const MOST_PAGES = 100;
const PAGE_SIZE = '200';

export class TwilioRest {
  readonly #http: ProviderHttp;
  readonly #settings: TwilioSettings;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(settings: TwilioSettings, pace: Partial<ProviderHttpPace> = {}) {
    const { apiKey, accountSid, authToken } = settings;
    const user = apiKey === null ? `${accountSid}:${authToken}` : `${apiKey.sid}:${apiKey.secret}`;
    this.#settings = settings;
    this.#http = new ProviderHttp(pace);
    this.#headers = {
      authorization: `Basic ${Buffer.from(user).toString('base64')}`,
      accept: 'application/json',
      'user-agent': 'teleconsult',
    };
  }

  /** Resolves when the account is there and active. @throws RelayError */
  async checkAccount(): Promise<void> {
    const account = z.object({ status: z.string() }).safeParse(await this.#json('GET', this.#path('.json')));
    if (!account.success || account.data.status !== 'active')
      throw new RelayError('refused', { detail: 'the account is not active' });
  }

  /** Puts a running call to other TwiML, or ends it. `gone`: it has ended or never was. @throws RelayError */
  async updateCall(
    sid: string,
    what: { twiml: string } | { status: 'completed' },
  ): Promise<'done' | 'gone' | 'wrong_state'> {
    if (!isCallSid(sid)) return 'gone';
    const fields = 'twiml' in what ? { Twiml: what.twiml } : { Status: what.status };
    const answer = await this.#send('POST', this.#path(`/Calls/${sid}.json`), new URLSearchParams(fields));
    if (answer.status < 300) return 'done';
    if (answer.status === 404) return 'gone';
    // 21220: the call is not in a state in which it can be redirected. 20001 and others are ours.
    if (answer.status === 400 && failureCode(answer) === 21_220) return 'wrong_state';
    throw refusal(answer);
  }

  /**
   * Records a running call from now on, the caller in the left channel. Not asked twice: there would be two of it.
   * @throws RelayError
   */
  async startRecording(sid: string, reportTo: string): Promise<void> {
    const fields = new URLSearchParams({
      RecordingChannels: 'dual',
      RecordingTrack: 'both',
      Trim: 'do-not-trim',
      RecordingStatusCallback: reportTo,
      RecordingStatusCallbackMethod: 'POST',
      RecordingStatusCallbackEvent: 'completed absent',
    });
    const once = { repeatsUnanswered: false };
    const answer = await this.#send('POST', this.#path(`/Calls/${sid}/Recordings.json`), fields, once);
    if (answer.status >= 300) throw refusal(answer);
  }

  /** @param filter as Twilio names it, for example `ParentCallSid`, `To`, `Status`, `StartTime>` */
  async *calls(filter: Readonly<Record<string, string>>, signal?: AbortSignal): AsyncGenerator<CallRecord> {
    for await (const page of this.#pages('/Calls.json', filter, signal)) yield* read(CallsPage, page).calls;
  }

  async *recordings(
    filter: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): AsyncGenerator<RecordingRecord> {
    for await (const page of this.#pages('/Recordings.json', filter, signal))
      yield* read(RecordingsPage, page).recordings;
  }

  /** @throws RelayError `not_found` */
  async recording(sid: string): Promise<RecordingRecord> {
    if (!isRecordingSid(sid)) throw new RelayError('not_found');
    return read(RecordingRecord, await this.#json('GET', this.#path(`/Recordings/${sid}.json`)));
  }

  /**
   * Its sound as WAV. The address is made here and never taken from a report; where Twilio sends us on from there, our
   * credentials do not come along.
   * @throws RelayError `not_found`, `unavailable`
   */
  async openRecording(sid: string, channels: 1 | 2): Promise<AsyncIterable<Uint8Array>> {
    if (!isRecordingSid(sid)) throw new RelayError('not_found');
    const sound = { accept: 'audio/x-wav', 'user-agent': 'teleconsult' };
    let url = `${this.#settings.apiBase}${this.#path(`/Recordings/${sid}.wav?RequestedChannels=${channels}`)}`;
    let headers: Readonly<Record<string, string>> = { ...this.#headers, ...sound };
    for (let hops = 0; ; hops += 1) {
      const { response, body, discard } = await this.#http.open({ method: 'GET', url, headers });
      const { status } = response;
      if (status === 200) return body;
      const location = response.headers.get('location');
      discard();
      if (status === 404 || status === 410) throw new RelayError('not_found');
      const next =
        REDIRECTIONS.has(status) && hops < MOST_REDIRECTIONS ? this.#followed(url, location) : null;
      // A server that is busy, or a key that is wrong today: the recording is still there.
      if (next === null) throw new RelayError('unavailable', { detail: `http ${status}` });
      url = next;
      headers = sound;
    }
  }

  async deleteRecording(sid: string): Promise<void> {
    if (!isRecordingSid(sid)) return;
    const answer = await this.#send('DELETE', this.#path(`/Recordings/${sid}.json`));
    if (answer.status >= 300 && answer.status !== 404) throw refusal(answer);
  }

  close(): void {
    this.#http.close();
  }

  /** Over TLS (as the interface is), to hosts that give out recordings; null: nowhere else. */
  #followed(from: string, location: string | null): string | null {
    if (location === null || !URL.canParse(location, from)) return null;
    const url = new URL(location, from);
    const base = new URL(this.#settings.apiBase);
    if (url.protocol !== base.protocol || url.username !== '' || url.password !== '') return null;
    const isAllowed =
      url.hostname === base.hostname ||
      (url.port === '' && RECORDING_HOSTS.some((end) => url.hostname.endsWith(end)));
    return isAllowed ? url.href : null;
  }

  async *#pages(
    path: string,
    filter: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): AsyncGenerator<unknown> {
    let next: string | null = this.#path(
      `${path}?${new URLSearchParams({ ...filter, PageSize: PAGE_SIZE }).toString()}`,
    );
    for (let pages = 0; next !== null && pages < MOST_PAGES; pages += 1) {
      const page: unknown = await this.#json('GET', next, signal);
      yield page;
      const { next_page_uri } = read(z.object({ next_page_uri: z.string().nullish() }), page);
      // It stays within our account, whatever is answered.
      next = next_page_uri?.startsWith(this.#path('/')) === true ? next_page_uri : null;
    }
  }

  async #json(method: 'GET', path: string, signal?: AbortSignal): Promise<unknown> {
    const answer = await this.#send(method, path, undefined, signal === undefined ? {} : { signal });
    if (answer.status >= 300) throw refusal(answer);
    try {
      return JSON.parse(answer.text);
    } catch {
      throw new RelayError('unavailable', { detail: 'no JSON' });
    }
  }

  #send(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    form?: URLSearchParams,
    rules: RequestRules = {},
  ): Promise<ProviderAnswer> {
    const url = `${this.#settings.apiBase}${path}`;
    const headers =
      form === undefined
        ? this.#headers
        : { ...this.#headers, 'content-type': 'application/x-www-form-urlencoded' };
    const body = form === undefined ? {} : { body: form.toString() };
    return this.#http.send(() => ({ method, url, headers, ...body }), rules);
  }

  #path(rest: string): string {
    return `/2010-04-01/Accounts/${this.#settings.accountSid}${rest}`;
  }
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  // What was wrong with it stays out: it may hold numbers.
  if (!parsed.success) throw new RelayError('unavailable', { detail: 'an answer of another shape' });
  return parsed.data;
}

function failureCode(answer: ProviderAnswer): number | null {
  try {
    const parsed = Failure.safeParse(JSON.parse(answer.text));
    return parsed.success ? parsed.data.code : null;
  } catch {
    return null;
  }
}

/** Twilio's message quotes numbers; its code does not. */
function refusal(answer: ProviderAnswer): RelayError {
  if (answer.status === 404) return new RelayError('not_found');
  const code = failureCode(answer);
  return new RelayError('refused', {
    detail: `http ${answer.status}${code === null ? '' : `, code ${code}`}`,
  });
}
