/**
 * Receives reports. Alibaba signs nothing, so a report is believed for its secret address, its sender's network, and what
 * it says: our pool, and a binding we made. It waits 700 ms and tells again after 1, 5 and 10 minutes what was not
 * answered 200; then it is lost.
 */
import { PhoneBindingId } from '@teleconsult/protocol';
import { z } from 'zod';
import type { Clock, Log } from '../../host/ports.ts';
import type { RelayCore, RelayEvent, WebhookAnswer, WebhookRequest } from '../ports.ts';
import type { RelayLookup } from '../relay-lookup.ts';
import {
  AddressList,
  answered,
  MAX_WEBHOOK_BYTES,
  type Suspicion,
  Suspicions,
  sameText,
  within,
} from '../webhook-guard.ts';
import {
  ALIBABA,
  callerByType,
  callerNumber,
  eventOf,
  isOfCall,
  Report,
  type ReportKind,
} from './reports.ts';
import type { AlibabaSettings } from './settings.ts';

/** Leaves time for the way back within the 700 ms. */
const ANSWER_WITHIN_MS = 600;
/** Reports of one request that are kept at once. */
const AT_ONCE = 32;
/** Requests whose reports a store has not kept yet, answered or not: what waits here is bounded. */
const MOST_UNDER_WAY = 200;

export interface ReportReceiverParts {
  readonly settings: AlibabaSettings;
  readonly lookup: RelayLookup;
  readonly log: Log;
  readonly clock: Clock;
}

export class ReportReceiver {
  readonly suspicions: Suspicions;
  readonly #parts: ReportReceiverParts;
  readonly #sources: AddressList;
  #underWay = 0;

  constructor(parts: ReportReceiverParts) {
    this.#parts = parts;
    this.#sources = new AddressList(parts.settings.reportSources);
    this.suspicions = new Suspicions({ provider: ALIBABA, log: parts.log, clock: parts.clock });
  }

  async handle(kind: ReportKind, request: WebhookRequest, core: RelayCore | null): Promise<WebhookAnswer> {
    const suspicion = this.#suspicionOf(request);
    if (suspicion !== null) {
      this.suspicions.add(suspicion);
      // As if there were nothing here.
      return answered(suspicion === 'too_large' ? 413 : 404);
    }
    if (core === null || this.#underWay >= MOST_UNDER_WAY) return later();
    const reports = listOf(request.body);
    if (reports === null) {
      this.suspicions.add('malformed');
      return done();
    }
    this.#underWay += 1;
    const keeping = this.#keep(kind, reports, core).finally(() => {
      this.#underWay -= 1;
    });
    try {
      await within(ANSWER_WITHIN_MS, keeping);
      return done();
    } catch (error) {
      this.#parts.log.error('a report of the phone provider could not be kept', {
        event: ALIBABA,
        reason: kind,
        error,
      });
      return later();
    }
  }

  #suspicionOf({ method, path, body, remoteAddress }: WebhookRequest): Suspicion | null {
    if (!this.#sources.has(remoteAddress)) return 'source';
    const [pathname = ''] = path.split('?');
    if (!sameText(pathname.split('/').at(-2) ?? '', this.#parts.settings.reportSecret)) return 'secret';
    if (method !== 'POST') return 'method';
    return body.byteLength > MAX_WEBHOOK_BYTES ? 'too_large' : null;
  }

  /** All are tried; one that cannot be kept makes all come again, which changes nothing for the others. */
  async #keep(kind: ReportKind, reports: readonly unknown[], core: RelayCore): Promise<void> {
    const failed: unknown[] = [];
    for (let from = 0; from < reports.length; from += AT_ONCE) {
      const batch = reports.slice(from, from + AT_ONCE);
      const kept = await Promise.allSettled(batch.map((report) => this.#keepOne(kind, report, core)));
      for (const outcome of kept) if (outcome.status === 'rejected') failed.push(outcome.reason);
    }
    if (failed.length > 0) throw failed[0];
  }

  async #keepOne(kind: ReportKind, given: unknown, core: RelayCore): Promise<void> {
    const parsed = Report.safeParse(given);
    if (!parsed.success) return this.suspicions.add('malformed');
    const report = parsed.data;
    if (!isOfCall(report)) return;
    const event = await this.#eventOf(kind, report);
    if (event !== null) await core.event(event);
  }

  async #eventOf(kind: ReportKind, report: Report): Promise<RelayEvent | null> {
    const { settings, lookup, clock } = this.#parts;
    const pools = [report.pool_key, report.partner_key].filter((key) => typeof key === 'string');
    const ref = report.sub_id ?? report.subs_id ?? null;
    const isOurPool = pools.some((key) => sameText(key, settings.poolKey));
    const bindingId = isOurPool && ref !== null ? await this.#bindingOf(ref, report) : null;
    if (bindingId === null) {
      this.suspicions.add('not_ours');
      return null;
    }
    const number = callerNumber(report);
    const caller = (number === null ? null : await lookup.partyOf(bindingId, number)) ?? callerByType(report);
    const told = eventOf(kind, report, { caller, now: clock() });
    if (told === null) {
      this.suspicions.add('malformed');
      return null;
    }
    const eventId = `${ALIBABA}:${report.call_id}:${told.what.type}`;
    return { eventId, provider: ALIBABA, callRef: report.call_id, bindingId, phoneCallId: null, ...told };
  }

  async #bindingOf(ref: string, { out_id }: Report): Promise<PhoneBindingId | null> {
    const ours = PhoneBindingId.safeParse(out_id);
    // Bindings of ours have our id; one with another's is none, whatever it is called there.
    if (!ours.success && (out_id ?? '') !== '') return null;
    return await this.#parts.lookup.bindingOf(ALIBABA, ref, ours.success ? ours.data : null);
  }
}

const done = (): WebhookAnswer => answered(200, '{"code":0,"msg":"received"}', 'application/json');
/** Only the status makes it come again; the code is looked at for being a number. */
const later = (): WebhookAnswer => answered(503, '{"code":1,"msg":"again, please"}', 'application/json');

function listOf(body: Uint8Array): readonly unknown[] | null {
  try {
    const list = z.array(z.unknown()).safeParse(JSON.parse(Buffer.from(body).toString('utf8'), exactIds));
    return list.success ? list.data : null;
  } catch {
    return null;
  }
}

/** Ids are 64 bits wide, more than a number holds here: their digits are taken as they were written. */
function exactIds(key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return (key === 'sub_id' || key === 'subs_id') && typeof value === 'number'
    ? (context?.source ?? value)
    : value;
}
