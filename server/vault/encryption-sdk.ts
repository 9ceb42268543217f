import {
  AlgorithmSuiteIdentifier,
  type KeyringNode,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';

/**
 * AES-256-GCM, the key derived by HKDF-SHA-512 and committed to in the header, without signature. A signature
 * would only be checked at the very end of an object, so nothing could be played before all of it was read.
 */
export const SUITE_ID = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;

/** A header with more wrapped keys than this is refused before any is tried. Two are in sight: service and escrow. */
export const MAX_WRAPPED_KEYS = 4;

/**
 * Wraps and unwraps data keys under one AES-256 key.
 * @param name goes into headers in the clear; no name may be the beginning of another of the same namespace.
 */
export const aesKeyring = (namespace: string, name: string, key: Uint8Array): KeyringNode =>
  new RawAesKeyringNode({
    keyNamespace: namespace,
    keyName: name,
    // The keyring insists on memory of its own: a view of Node's shared pool would be refused.
    unencryptedMasterKey: Uint8Array.from(key),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    utf8Sorting: true,
  });
