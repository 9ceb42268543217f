import {
  getDecryptionHelper,
  type KeyringNode,
  NodeAlgorithmSuite,
  NodeDefaultCryptographicMaterialsManager,
} from '@aws-crypto/client-node';
import { deserializeFactory, type HeaderInfo } from '@aws-crypto/serialize';
import { AppError } from '@teleconsult/protocol';
import type { RandomAccessSource } from '../storage/objects/object-store.ts';
import { sameContext } from './encryption-context.ts';
import { MAX_WRAPPED_KEYS, SUITE_ID } from './encryption-sdk.ts';

/** More than any header of ours: four keys wrapped by a key service are 3 KB, the context is below 1 KB. */
export const MAX_HEADER_BYTES = 8 * 1024;

/** Larger frames are not ours, and a frame is decrypted in memory. */
export const MAX_FRAME_LENGTH = 4 * 1024 * 1024;

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const { deserializeMessageHeader } = deserializeFactory(textOf, NodeAlgorithmSuite);

type GetDecipher = ReturnType<ReturnType<typeof getDecryptionHelper>['getDecipherInfo']>;

/** A header that was authenticated, and the key it leads to. */
export interface OpenedHeader {
  readonly info: HeaderInfo;
  /** Where the first frame begins. */
  readonly bodyStart: number;
  readonly getDecipher: GetDecipher;
}

export interface HeaderExpectation {
  readonly keyring: KeyringNode;
  readonly encryptionContext: Readonly<Record<string, string>>;
}

/**
 * Reads and checks a header: the suite, the context, the wrapped key, the key's commitment, the header's own tag.
 * @throws AppError INTEGRITY, or what a key service that cannot be reached just now says (`STORAGE_UNAVAILABLE`)
 */
export async function openHeader(
  source: RandomAccessSource,
  expected: HeaderExpectation,
): Promise<OpenedHeader> {
  const bytes = await source.read(0, Math.min(source.byteSize, MAX_HEADER_BYTES));
  try {
    return await unlock(parseHeader(bytes), expected);
  } catch (error) {
    throw error instanceof AppError ? error : new AppError('INTEGRITY', { cause: error });
  }
}

/** What a header says, nothing of it checked yet. Throws what is no header of ours. */
export function parseHeader(bytes: Uint8Array): HeaderInfo {
  const info = deserializeMessageHeader(bytes, { maxEncryptedDataKeys: MAX_WRAPPED_KEYS });
  if (info === false) throw new Error('The header is cut.');
  if (info.algorithmSuite.id !== SUITE_ID) throw new Error('The object is sealed with another suite.');
  const { frameLength } = info.messageHeader;
  // Length 0 says that the object has no frames.
  if (frameLength < 1 || frameLength > MAX_FRAME_LENGTH) throw new Error('The frame length is not ours.');
  return info;
}

async function unlock(info: HeaderInfo, expected: HeaderExpectation): Promise<OpenedHeader> {
  const { messageHeader, rawHeader, headerAuth } = info;
  if (!('suiteData' in messageHeader)) throw new Error('The header has no commitment to its key.');
  const { encryptionContext, encryptedDataKeys, messageId, suiteData } = messageHeader;
  if (!sameContext(expected.encryptionContext, encryptionContext))
    throw new Error('The object was sealed as something else.');
  const material = await new NodeDefaultCryptographicMaterialsManager(expected.keyring).decryptMaterials({
    suite: new NodeAlgorithmSuite(SUITE_ID),
    encryptionContext: { ...encryptionContext },
    encryptedDataKeys,
  });
  // Throws when the key is not the one that the header commits to.
  const getDecipher = getDecryptionHelper(material).getDecipherInfo(messageId, suiteData);
  const decipher = getDecipher(headerAuth.headerIv);
  decipher.setAAD(Buffer.from(rawHeader));
  decipher.setAuthTag(Buffer.from(headerAuth.headerAuthTag));
  decipher.update(Buffer.alloc(0));
  decipher.final();
  return { info, bodyStart: rawHeader.byteLength + headerAuth.headerAuthLength, getDecipher };
}
