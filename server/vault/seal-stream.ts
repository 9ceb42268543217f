import { randomBytes } from 'node:crypto';
import { PassThrough, pipeline, type Readable } from 'node:stream';
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

export interface SealStreamOptions {
  /** Wraps the object's fresh data key. */
  readonly keyring: KeyringNode;
  readonly encryptionContext: Readonly<Record<string, string>>;
  /** Bytes of plaintext in a frame: what a reader must fetch and check to see one byte. */
  readonly frameLength: number;
}

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const { buildMessageHeader, serializeMessageHeader, headerAuthIv, frameIv, frameHeader, finalFrameHeader } =
  serializeFactory(utf8, { utf8Sorting: true });
const { messageAAD, messageAADContentString } = aadFactory(utf8);
const suite = new NodeAlgorithmSuite(SUITE_ID);

/**
 * Encrypts bytes as they arrive. The sealed bytes leave frame by frame; a frame is held until it is full or the
 * source has ended. An error of the source destroys the result with the same error, and destroying the result
 * destroys the source.
 *
 * The SDK has a stream of its own, which ends the process when it is destroyed half-way: as every upload that is
 * given up would do (docs/decisions/010-vault.md). So the SDK's parts are put together here.
 */
export function sealStream(plaintext: AsyncIterable<Uint8Array>, options: SealStreamOptions): Readable {
  // What goes wrong reaches the caller by way of the stream that is returned.
  return pipeline(plaintext, sealer(options), new PassThrough(), () => undefined);
}

function sealer(options: SealStreamOptions) {
  return async function* (plaintext: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
    const material = await freshDataKey(options);
    const { getCipherInfo, dispose } = getEncryptHelper(material);
    try {
      const { header, getCipher } = startMessage(material, getCipherInfo, options.frameLength);
      yield sealHeader(header, getCipher);
      let number = 1;
      let last: Buffer = Buffer.alloc(0);
      for await (const chunk of chunksOf(options.frameLength, plaintext)) {
        if (chunk.byteLength < options.frameLength) last = chunk;
        else yield sealFrame(chunk, { header, getCipher, number: number++, isLast: false });
      }
      // There is always a last frame, if need be an empty one: without it a cut object could not be told from a whole.
      yield sealFrame(last, { header, getCipher, number, isLast: true });
    } finally {
      // Overwrites the data key.
      dispose();
    }
  };
}

type GetCipherInfo = ReturnType<typeof getEncryptHelper>['getCipherInfo'];
type GetCipher = ReturnType<GetCipherInfo>['getCipher'];

async function freshDataKey({
  keyring,
  encryptionContext,
}: SealStreamOptions): Promise<NodeEncryptionMaterial> {
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
  /** 1, 2, 3 …: the nonce follows from it. The data key is used for this object alone, so none occurs twice. */
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

/** Regroups bytes into chunks of one length; only the last may be shorter. */
async function* chunksOf(length: number, source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const chunk of source) {
    let rest = chunk;
    while (heldBytes + rest.byteLength >= length) {
      const part = rest.subarray(0, length - heldBytes);
      rest = rest.subarray(part.byteLength);
      // What is a whole chunk already is not copied.
      yield held.length === 0
        ? Buffer.from(part.buffer, part.byteOffset, length)
        : Buffer.concat([...held, part]);
      held = [];
      heldBytes = 0;
    }
    if (rest.byteLength > 0) {
      held.push(rest);
      heldBytes += rest.byteLength;
    }
  }
  if (heldBytes > 0) yield Buffer.concat(held);
}
