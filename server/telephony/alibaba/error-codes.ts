import type { RelayErrorReason } from '../ports.ts';

/** `Code` of an answer (https://help.aliyun.com/document_detail/109196.html), as far as there is something to do about it. */
const REASONS: ReadonlyMap<string, RelayErrorReason> = new Map(
  Object.entries<RelayErrorReason>({
    'isv.NO_AVAILABLE_NUMBER': 'no_number',
    'isv.NO_USED_BY_OTHERS': 'no_number',
    'isv.NO_NOT_EXIST': 'no_number',
    'isv.BIND_CONFLICT': 'no_number',
    'isv.FLOW_LIMIT': 'unavailable',
    'isp.SYSTEM_ERROR': 'unavailable',
    'isp.UNKNOWN_ERR_CODE': 'unavailable',
    'isp.DAO_EXCEPTION': 'unavailable',
    'isp.VENDOR_UNAVAILABLE': 'unavailable',
    'isv.VENDOR_BIND_FAILED': 'unavailable',
    // The account, not what was asked for: it never becomes `not_found`.
    'isv.ACCOUNT_NOT_EXISTS': 'refused',
    'isv.PARTNER_NOT_EXIST': 'refused',
  }),
);

/** Codes of the gateway before the service (throttling by user, by interface; down). */
const BUSY = /^(?:Throttling|ServiceUnavailable|InternalError|SystemBusy)/;
const GONE =
  /(?:SUBS|SUBSCRIPTION|SUBSID|BIND|RECORD|CALL)\w*_?(?:NOT_EXISTS?|NOT_FOUND|IS_EMPTY)|NO_SUBS_EXIST/i;

export function reasonOf(code: string): RelayErrorReason {
  const known = REASONS.get(code);
  if (known !== undefined) return known;
  if (BUSY.test(code)) return 'unavailable';
  return GONE.test(code) ? 'not_found' : 'refused';
}

/** Turned away before anything was done. */
export const isThrottling = (code: string): boolean =>
  code === 'isv.FLOW_LIMIT' || code.startsWith('Throttling');

/** A code that may be shown: an answer could be anything. */
export const shownCode = (code: string): string =>
  /^[A-Za-z][A-Za-z._]{0,63}$/.test(code) ? code : 'an unknown code';
