import { z } from 'zod';
import { RelayError } from '../ports.ts';
import { AlibabaRefusal, type AlibabaRpc } from './rpc.ts';

const SubsIds = z.object({ SubsId: z.string().max(10_000) });
const Detail = z.object({
  SecretBindDetailDTO: z
    .object({
      Status: z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]),
      PhoneNoA: z.string().nullish(),
      PhoneNoB: z.string().nullish(),
    })
    .nullish(),
});
type Detail = NonNullable<z.infer<typeof Detail>['SecretBindDetailDTO']>;

/** One X serves 200 pairs at most. */
const MOST_ASKED = 200;

/** A refusal that means the thing asked for is not there, and not that we may not ask. */
const isAboutIt = ({ reason, code }: AlibabaRefusal): boolean =>
  reason === 'not_found' || reason === 'no_number' || code === 'isv.ILLEGAL_ARGUMENT';

/** Questions about bindings at the service. */
export class SubscriptionQueries {
  readonly #rpc: AlibabaRpc;

  constructor(rpc: AlibabaRpc) {
    this.#rpc = rpc;
  }

  async isThere(subsId: string, x: string): Promise<boolean> {
    return (await this.#detail(subsId, x))?.Status === 1;
  }

  /** The binding by X between just these two, or null. */
  async between(a: string, b: string, x: string): Promise<string | null> {
    const answer = SubsIds.safeParse(await this.#rpc.call('QuerySubsId', { PhoneNoX: x }));
    const refs = answer.success ? (answer.data.SubsId.match(/\d{1,20}/g) ?? []) : [];
    for (const ref of refs.slice(0, MOST_ASKED)) {
      const detail = await this.#detail(ref, x);
      if (detail?.Status === 1 && detail.PhoneNoA === a && detail.PhoneNoB === b) return ref;
    }
    return null;
  }

  /** @throws RelayError */
  async checkAccess(): Promise<void> {
    try {
      await this.#rpc.call('QuerySubscriptionDetail', { SubsId: '0', PhoneNoX: '17000000000' });
    } catch (error) {
      if (!(error instanceof RelayError) || error.reason === 'unavailable') throw error;
      const isOfAccess =
        error instanceof AlibabaRefusal &&
        /AccessKey|Signature|TimeStamp|Forbidden|PERMISSION|PARTNER|POOL|ACCOUNT|OUT_OF_SERVICE|UN_SUBSCRIPT/i.test(
          error.code,
        );
      if (isOfAccess || !(error instanceof AlibabaRefusal)) throw error;
    }
  }

  /** null: it is not there. What cannot be read says neither, and is no reason to believe that it is gone. */
  async #detail(subsId: string, x: string): Promise<Detail | null> {
    try {
      const answer = Detail.safeParse(
        await this.#rpc.call('QuerySubscriptionDetail', { SubsId: subsId, PhoneNoX: x }),
      );
      if (!answer.success) throw new RelayError('unavailable', { detail: 'an answer of another shape' });
      return answer.data.SecretBindDetailDTO ?? null;
    } catch (error) {
      if (error instanceof AlibabaRefusal && isAboutIt(error)) return null;
      throw error;
    }
  }
}
