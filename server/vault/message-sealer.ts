import { randomBytes } from 'node:crypto';
import {
  CommitmentPolicy,
  getEncryptHelper,
  type KeyringNode,
  NodeAlgorithmSuite,
  NodeDefaultCryptographicMaterialsManager,
  type NodeEncryptionMaterial,
} from '@aws-crypto/client-node';
import {
  aadFactory,
  ContentType,
  type MessageHeader,
  MessageIdLength,
  serializeFactory,
  serializeMessageHeaderAuth,
} from '@aws-crypto/serialize';
import { MAX_WRAPPED_KEYS, SUITE_ID } from './encryption-sdk.ts';

export interface SealingOptions {
  /** Wraps the object's fresh data key. */
  readonly keyring: KeyringNode;
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** Bytes of plaintext in a frame: what a reader must fetch and check to see one byte. */
  readonly frameLength: number;
}

/** Seals the frames of one object, one after the other. Whoever began it disposes of it. */
export interface MessageSealer {
  readonly header: Buffer;
  /** The next frame: exactly a frame’s length of content, or at most that in the last one, which ends the object. */
  frame(content: Buffer, options: { readonly isLast: boolean }): Buffer;
  /** Overwrites the data key. May be called twice. */
  dispose(): void;
}

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const { buildMessageHeader, serializeMessageHeader, headerAuthIv, frameIv, frameHeader, finalFrameHeader } =
  serializeFactory(utf8, { utf8Sorting: true });
const { messageAAD, messageAADContentString } = aadFactory(utf8);
const suite = new NodeAlgorithmSuite(SUITE_ID);

/** Begins an object with a data key of its own. */
export async function beginMessage(options: SealingOptions): Promise<MessageSealer> {
  const material = await freshDataKey(options);
  const { getCipherInfo, dispose } = getEncryptHelper(material);
  const { header, getCipher } = startMessage(material, getCipherInfo, options.frameLength);
  // 1, 2, 3 …: the nonce follows from it. The data key is used for this object alone, so none occurs twice.
  let number = 1;
  let state: 'open' | 'ended' | 'disposed' = 'open';
  return {
    header: sealHeader(header, getCipher),
    frame(content, { isLast }) {
      if (state !== 'open') throw new Error('The object has its last frame, or was given up.');
      const { byteLength } = content;
      if (isLast ? byteLength > options.frameLength : byteLength !== options.frameLength)
        throw new RangeError('The content does not fit its frame.');
      if (isLast) state = 'ended';
      return sealFrame(content, { header, getCipher, number: number++, isLast });
    },
    dispose() {
      if (state === 'disposed') return;
      state = 'disposed';
      dispose();
    },
  };
}

type GetCipherInfo = ReturnType<typeof getEncryptHelper>['getCipherInfo'];
type GetCipher = ReturnType<GetCipherInfo>['getCipher'];

async function freshDataKey({ keyring, encryptionContext }: SealingOptions): Promise<NodeEncryptionMaterial> {
  const material = await new NodeDefaultCryptographicMaterialsManager(keyring).getEncryptionMaterials({
    suite,
    // The SDK freezes what it is given.
    encryptionContext: { ...encryptionContext },
    commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  });
  if (material.encryptedDataKeys.length > MAX_WRAPPED_KEYS)
    throw new Error('Nothing would open so many keys.');
  return material;
}

function startMessage(material: NodeEncryptionMaterial, getCipherInfo: GetCipherInfo, frameLength: number) {
  const messageId = randomBytes(MessageIdLength.V2);
  const { getCipher, keyCommitment } = getCipherInfo(messageId);
  const header = buildMessageHeader({
    suite,
    encryptionContext: material.encryptionContext,
    encryptedDataKeys: material.encryptedDataKeys,
    messageId,
    frameLength,
    ...(keyCommitment === undefined ? {} : { suiteData: keyCommitment }),
  });
  return { header, getCipher };
}

function sealHeader(header: MessageHeader, getCipher: GetCipher): Buffer {
  const bytes = Buffer.from(serializeMessageHeader(header));
  const headerIv = headerAuthIv(suite.ivLength);
  const cipher = getCipher(headerIv);
  cipher.setAAD(bytes);
  cipher.update(Buffer.alloc(0));
  cipher.final();
  const headerAuthTag = cipher.getAuthTag();
  return Buffer.concat([
    bytes,
    serializeMessageHeaderAuth({ headerIv, headerAuthTag, messageHeader: header }),
  ]);
}

interface Frame {
  readonly header: MessageHeader;
  readonly getCipher: GetCipher;
  readonly number: number;
  readonly isLast: boolean;
}

function sealFrame(content: Buffer, { header, getCipher, number, isLast }: Frame): Buffer {
  const nonce = frameIv(suite.ivLength, number);
  const start = isLast ? finalFrameHeader(number, nonce, content.byteLength) : frameHeader(number, nonce);
  const kind = messageAADContentString({ contentType: ContentType.FRAMED_DATA, isFinalFrame: isLast });
  const cipher = getCipher(nonce);
  cipher.setAAD(Buffer.from(messageAAD(header.messageId, kind, number, content.byteLength)));
  const body = cipher.update(content);
  cipher.final();
  return Buffer.concat([start, body, cipher.getAuthTag()]);
}
