import { Readable } from 'node:stream';
import { AttachmentId, type ConsultationId } from '@teleconsult/protocol';
import type { ObjectStore } from '../storage/objects/object-store.ts';
import type { ConsultationKey } from '../vault/consultation-key.ts';
import type { Vault } from '../vault/vault.ts';

/** Most bytes that a broken connection can make a sender repeat. */
export const PART_BYTES = 1024 * 1024;

export interface UploadPlace {
  readonly consultationId: ConsultationId;
  readonly attachmentId: AttachmentId;
  readonly key: ConsultationKey;
}

const FOLDER = 'uploads/';

const partKey = (attachmentId: AttachmentId, index: number): string => `${FOLDER}${attachmentId}/${index}`;

/** A part on disk, whether or not its upload knows of it. */
export interface StoredPart {
  readonly attachmentId: AttachmentId;
  readonly objectKey: string;
}

/** The bytes of an upload on their way in: each part a sealed object of its own, so that none waits in the clear. */
export class UploadParts {
  readonly #vault: Vault;
  readonly #objects: ObjectStore;

  constructor(parts: { vault: Vault; objects: ObjectStore }) {
    this.#vault = parts.vault;
    this.#objects = parts.objects;
  }

  /** Once it resolves the part is on disk. A part written again replaces what a crash left of it. */
  async write(place: UploadPlace, index: number, bytes: Uint8Array): Promise<void> {
    const sealed = this.#vault.seal(Readable.from([bytes]), this.#sealing(place, index));
    await this.#objects.put(partKey(place.attachmentId, index), sealed);
  }

  /** All bytes in order. */
  async *read(place: UploadPlace, count: number): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < count; index++) {
      await using source = await this.#objects.open(partKey(place.attachmentId, index));
      const object = await this.#vault.open(source, this.#sealing(place, index));
      yield* object.read() as AsyncIterable<Uint8Array>;
    }
  }

  /** Removes the `count` parts of an upload, and the one behind them that a broken request may have left. */
  async remove(attachmentId: AttachmentId, count: number): Promise<void> {
    for (let index = 0; index <= count; index++) await this.#objects.delete(partKey(attachmentId, index));
  }

  /** All parts of all uploads. Reads the names of every object there is: for the start, not for requests. */
  async *stored(): AsyncGenerator<StoredPart> {
    for await (const objectKey of this.#objects.list(FOLDER)) {
      const attachmentId = AttachmentId.safeParse(objectKey.slice(FOLDER.length).split('/')[0]);
      if (attachmentId.success) yield { attachmentId: attachmentId.data, objectKey };
    }
  }

  #sealing({ consultationId, attachmentId, key }: UploadPlace, index: number) {
    return {
      key,
      context: { consultation: consultationId, purpose: 'upload', object: `${attachmentId}/${index}` },
    };
  }
}
