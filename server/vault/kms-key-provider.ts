import {
  type EncryptedDataKey,
  KeyringNode,
  KMS,
  KmsKeyringNode,
  type NodeDecryptionMaterial,
  type NodeEncryptionMaterial,
} from '@aws-crypto/client-node';
import { AppError } from '@teleconsult/protocol';
import type { KeyProvider } from './key-provider.ts';

/** A key service in the same region answers within 50 ms; what takes longer than this has failed. */
const CONNECT_MS = 2_000;
const ANSWER_MS = 4_000;
/** The first question and the repeats, 100 ms to a few seconds apart, for throttling and passing failures. */
const ATTEMPTS = 4;
/** Questions to the service at a time; others wait, so that a restart does not ask for everything at once. */
const AT_ONCE = 64;

/** The name of one key, not of an alias: headers name the key, and only what they name is asked for. */
const KEY_ARN = /^arn:aws(?:-[a-z]+)*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/;

/**
 * Answers that another attempt would not change: the key refuses what it is given, is gone, or may not be used by us.
 * Whatever else the service says may pass.
 */
const FINAL = new Set([
  'InvalidCiphertextException',
  'IncorrectKeyException',
  'NotFoundException',
  'InvalidKeyUsageException',
  'UnsupportedOperationException',
  'ValidationException',
]);

export interface KmsOptions {
  /** ARN of the key that wraps; null where the service only unwraps, and the key file wraps again. */
  readonly keyId: string | null;
  /** ARNs of keys that wrapped before and still unwrap. */
  readonly formerKeyIds: readonly string[];
  /** Another address than the region's own, such as a VPC endpoint. */
  readonly endpoint?: string | undefined;
  /** Kept short in tests. */
  readonly answerMs?: number;
}

export interface KmsKeyProvider extends KeyProvider {
  /** Ends the connections. May be called twice. */
  close(): void;
}

/** True for what may be configured as a key. */
export const isKmsKeyArn = (text: string): boolean => KEY_ARN.test(text);

/**
 * Keys in AWS KMS, or whatever speaks its protocol. The service never hands out a key: each data key is wrapped and
 * unwrapped by a question to it, bound to the context of what it seals. Credentials come from the usual chain of the AWS
 * SDK (environment, web identity, instance role).
 *
 * A service that cannot be reached, throttles for long or fails is `STORAGE_UNAVAILABLE`: what was asked for may be asked
 * again. The server does not end for it, and consultations that are in memory go on.
 */
export function openKms({ keyId, formerKeyIds, endpoint, answerMs = ANSWER_MS }: KmsOptions): KmsKeyProvider {
  const keyIds = [...(keyId === null ? [] : [keyId]), ...formerKeyIds];
  const [first] = keyIds;
  if (first === undefined) throw new TypeError('A key service has a key.');
  for (const arn of keyIds)
    if (!isKmsKeyArn(arn)) throw new TypeError('A KMS key is named by its ARN, not by an alias.');
  const clients = new Map<string, KMS>();
  const clientOf = (region: string): KMS => {
    let client = clients.get(region);
    if (client === undefined) {
      client = new KMS({
        region,
        ...(endpoint === undefined ? {} : { endpoint }),
        maxAttempts: ATTEMPTS,
        requestHandler: {
          connectionTimeout: CONNECT_MS,
          requestTimeout: answerMs,
          throwOnRequestTimeout: true,
          httpsAgent: { maxSockets: AT_ONCE },
          httpAgent: { maxSockets: AT_ONCE },
        },
      });
      clients.set(region, client);
    }
    return client;
  };
  return {
    currentKeyId: keyId ?? first,
    keyIds,
    // Where the file wraps, nobody asks this one to.
    wrapping: new KmsKeyring({ generatorKeyId: keyId ?? first, clientOf }),
    unwrapping: new KmsKeyring({ keyIds, clientOf }),
    close() {
      for (const client of clients.values()) client.destroy();
      clients.clear();
    },
  };
}

type KmsAsked = Pick<KMS, 'decrypt' | 'encrypt' | 'generateDataKey'>;

interface KmsKeyringOptions {
  readonly generatorKeyId?: string;
  readonly keyIds?: string[];
  readonly clientOf: (region: string) => KmsAsked;
}

/** The Encryption SDK's own keyring, which forgets why the service failed; this one tells what may pass from what will not. */
class KmsKeyring extends KeyringNode {
  readonly #options: KmsKeyringOptions;

  constructor(options: KmsKeyringOptions) {
    super();
    this.#options = options;
  }

  _onEncrypt(material: NodeEncryptionMaterial): Promise<NodeEncryptionMaterial> {
    return this.#ask((keyring) => keyring._onEncrypt(material));
  }

  _onDecrypt(
    material: NodeDecryptionMaterial,
    encryptedDataKeys: EncryptedDataKey[],
  ): Promise<NodeDecryptionMaterial> {
    return this.#ask((keyring) => keyring._onDecrypt(material, encryptedDataKeys));
  }

  /** A keyring for one question costs nothing, and what fails in it is known to be this question's. */
  async #ask<T>(question: (keyring: KmsKeyringNode) => Promise<T>): Promise<T> {
    const { clientOf, generatorKeyId, keyIds } = this.#options;
    const failures: unknown[] = [];
    const noting = async <R extends object>(answer: Promise<R>): Promise<Present<R>> => {
      try {
        return present(await answer);
      } catch (error) {
        failures.push(error);
        throw error;
      }
    };
    const keyring = new KmsKeyringNode({
      ...(generatorKeyId === undefined ? {} : { generatorKeyId }),
      ...(keyIds === undefined ? {} : { keyIds }),
      clientProvider: (region) => {
        const client = clientOf(region);
        return {
          decrypt: (asked) => noting(client.decrypt(asked)),
          encrypt: (asked) => noting(client.encrypt(asked)),
          generateDataKey: (asked) => noting(client.generateDataKey(asked)),
        };
      },
    });
    try {
      return await question(keyring);
    } catch (error) {
      const passing = failures.find(mayPass);
      if (passing !== undefined) throw new AppError('STORAGE_UNAVAILABLE', { cause: passing });
      throw error;
    }
  }
}

type Present<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** The AWS SDK writes `undefined` where the Encryption SDK wants nothing. */
const present = <T extends object>(answer: T): Present<T> =>
  Object.fromEntries(Object.entries(answer).filter(([, value]) => value !== undefined)) as Present<T>;

const mayPass = (error: unknown): boolean => !(error instanceof Error && FINAL.has(error.name));
