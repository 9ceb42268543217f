import type { KeyringNode } from '@aws-crypto/client-node';

/**
 * Where the key-encryption keys live: a key file on this machine, a key management service.
 * It never hands out a key; it hands out keyrings that wrap and unwrap data keys.
 *
 * A provider may know several keys. New data keys are wrapped under one of them, the current one; whatever
 * any known key wrapped can be unwrapped. So a key is rotated by adding one and making it current, and it
 * may be dropped once nothing is wrapped under it any more.
 *
 * Both keyrings may be used by many callers at once and have no state that a failed call could spoil. What is read from
 * a provider is good for one operation: a running server takes up new keys, so nobody keeps a keyring.
 */
export interface KeyProvider {
  /** Names the key that wraps new data keys. Safe to log. */
  readonly currentKeyId: string;
  /** Names every known key, the current one included. */
  readonly keyIds: readonly string[];
  /** Wraps new data keys under the current key, and under no other. */
  readonly wrapping: KeyringNode;
  /** Unwraps data keys that any known key wrapped. */
  readonly unwrapping: KeyringNode;
}
