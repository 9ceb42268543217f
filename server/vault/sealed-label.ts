import { LOCAL_NAMESPACE } from './local-key-file.ts';
import { parseHeader } from './sealed-header.ts';

/** How every sealed object begins: version 2, suite 0x0478. A sealed field begins with 1. */
export const SEALED_OBJECT_MARK = Uint8Array.of(2, 0x04, 0x78);

/** The name under which the Encryption SDK writes keys of AWS KMS into headers. */
export const KMS_NAMESPACE = 'aws-kms';

/** Behind the name of an AES key: the length of its tag in bits and of its nonce, and the nonce. */
const AFTER_NAME_BYTES = 4 + 4 + 12;

/** What the header of a sealed object says in the clear. Nothing of it is proven before the object was opened. */
export interface SealedLabel {
  /** Which keys wrap the data key; any one of them opens the object. */
  readonly wrappedUnder: readonly WrappingKeyName[];
  readonly context: Readonly<Record<string, string>>;
  readonly frameLength: number;
  /** 32 random bytes, in hexadecimal: no two objects have the same. */
  readonly messageId: string;
  /** Where the header ends and the first frame begins. */
  readonly headerBytes: number;
}

export interface WrappingKeyName {
  /** `provider`: a key of the key file or of a key service. `consultation`: a consultation's key. */
  readonly by: 'provider' | 'consultation';
  readonly keyId: string;
}

/** Reads the label of a sealed object from its first bytes; null when it is none of ours. */
export function readLabel(bytes: Uint8Array): SealedLabel | null {
  if (!isMarked(bytes)) return null;
  try {
    const { messageHeader, rawHeader, headerAuth } = parseHeader(bytes);
    return {
      wrappedUnder: messageHeader.encryptedDataKeys.map(({ providerId, rawInfo, providerInfo }) =>
        toName(providerId, Buffer.from(rawInfo ?? providerInfo)),
      ),
      context: { ...messageHeader.encryptionContext },
      frameLength: messageHeader.frameLength,
      messageId: Buffer.from(messageHeader.messageId).toString('hex'),
      headerBytes: rawHeader.byteLength + headerAuth.headerAuthLength,
    };
  } catch {
    return null;
  }
}

/** The keys of the provider that such a value needs; none where a consultation's key wraps it. */
export const providerKeysOf = (label: SealedLabel | null): readonly string[] =>
  (label?.wrappedUnder ?? []).flatMap(({ by, keyId }) => (by === 'provider' ? [keyId] : []));

const isMarked = (bytes: Uint8Array): boolean =>
  SEALED_OBJECT_MARK.every((byte, index) => bytes[index] === byte);

function toName(providerId: string, information: Buffer): WrappingKeyName {
  if (providerId === KMS_NAMESPACE) return { by: 'provider', keyId: information.toString('utf8') };
  const keyId = information.toString('utf8', 0, Math.max(0, information.byteLength - AFTER_NAME_BYTES));
  return { by: providerId === LOCAL_NAMESPACE ? 'provider' : 'consultation', keyId };
}
