/**
 * Signature 1.0 of Alibaba Cloud's RPC interfaces
 * (https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism): HMAC-SHA1 over the method and the sorted,
 * percent-encoded parameters, encoded once more.
 */
import { createHmac } from 'node:crypto';

/** RFC 3986 percent-encoding: only letters, digits and `-_.~` stay. */
export const percentEncoded = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

export type RpcParameters = Readonly<Record<string, string>>;

/** Sorted by name, percent-encoded: what is signed, and what is sent. */
export const canonicalQuery = (parameters: RpcParameters): string =>
  Object.entries(parameters)
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${percentEncoded(name)}=${percentEncoded(value)}`)
    .join('&');

export function rpcSignature(
  method: 'GET' | 'POST',
  parameters: RpcParameters,
  accessKeySecret: string,
): string {
  const text = `${method}&${percentEncoded('/')}&${percentEncoded(canonicalQuery(parameters))}`;
  return createHmac('sha1', `${accessKeySecret}&`).update(text).digest('base64');
}
