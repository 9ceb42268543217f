/** Long enough for a consultation, an attachment and a part; short enough for a file name on every system. */
export const MAX_OBJECT_KEY_LENGTH = 200;

const keyShape = /^[A-Za-z0-9_-]+(?:\/[A-Za-z0-9_-]+)*$/;
const prefixShape = /^[A-Za-z0-9/_-]*$/;

/**
 * Accepts names such as `cns_…/att_…/original`: letters, digits, `_` and `-`, in parts divided by single slashes.
 * There is no dot, so there is no way out of the store's folder.
 * @throws TypeError otherwise; keys are made by the server, never taken from a request
 */
export function parseObjectKey(key: string): string {
  if (key.length > MAX_OBJECT_KEY_LENGTH || !keyShape.test(key))
    throw new TypeError('This is no object key.');
  return key;
}

/** Accepts what may begin an object key, the empty text included. */
export function parseObjectKeyPrefix(prefix: string): string {
  if (prefix.length > MAX_OBJECT_KEY_LENGTH || !prefixShape.test(prefix))
    throw new TypeError('This is no beginning of an object key.');
  return prefix;
}
