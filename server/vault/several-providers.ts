import { type EncryptedDataKey, KeyringNode, type NodeDecryptionMaterial } from '@aws-crypto/client-node';
import type { KeyProvider } from './key-provider.ts';
import { KMS_NAMESPACE } from './sealed-label.ts';

/**
 * A key service that wraps, and the key file of the time before it, which still unwraps what it wrapped. Once everything
 * is sealed anew the file's keys can be retired.
 */
export function serviceBeforeFile(service: KeyProvider, file: KeyProvider): KeyProvider {
  return {
    get currentKeyId() {
      return service.currentKeyId;
    },
    get keyIds() {
      return [...service.keyIds, ...file.keyIds];
    },
    get wrapping() {
      return service.wrapping;
    },
    get unwrapping() {
      return new ByNamespace(service.unwrapping, file.unwrapping);
    },
  };
}

/** Asks whom the header names. The SDK's own combination asks everybody, and forgets why each of them failed. */
class ByNamespace extends KeyringNode {
  readonly #service: KeyringNode;
  readonly #file: KeyringNode;

  constructor(service: KeyringNode, file: KeyringNode) {
    super();
    this.#service = service;
    this.#file = file;
  }

  _onEncrypt(): never {
    throw new TypeError('This keyring only unwraps.');
  }

  _onDecrypt(
    material: NodeDecryptionMaterial,
    encryptedDataKeys: EncryptedDataKey[],
  ): Promise<NodeDecryptionMaterial> {
    const isOfService = encryptedDataKeys.some(({ providerId }) => providerId === KMS_NAMESPACE);
    return (isOfService ? this.#service : this.#file)._onDecrypt(material, encryptedDataKeys);
  }
}
