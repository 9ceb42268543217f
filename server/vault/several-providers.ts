import { type EncryptedDataKey, KeyringNode, type NodeDecryptionMaterial } from '@aws-crypto/client-node';
import type { KeyProvider } from './key-provider.ts';
import { KMS_NAMESPACE } from './sealed-label.ts';

export interface SeveralProviders {
  readonly service: KeyProvider;
  readonly file: KeyProvider;
  /** Which of them wraps; the other still unwraps what it wrapped. */
  readonly wraps: 'service' | 'file';
}

/**
 * A key service and a key file at once, for the move from one to the other. Once everything is sealed anew, the keys of
 * the one that does not wrap can be retired.
 */
export function severalProviders({ service, file, wraps }: SeveralProviders): KeyProvider {
  const wrapping = wraps === 'service' ? service : file;
  return {
    get currentKeyId() {
      return wrapping.currentKeyId;
    },
    get keyIds() {
      return [...service.keyIds, ...file.keyIds];
    },
    get wrapping() {
      return wrapping.wrapping;
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
