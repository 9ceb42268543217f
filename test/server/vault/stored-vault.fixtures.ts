import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { ConsultationId, DeviceId, PersonId } from '@teleconsult/protocol';
import { ConsultationId as ConsultationIdShape } from '@teleconsult/protocol';
import type { Log, LogFields } from '../../../server/host/ports.ts';
import { DiskObjectStore } from '../../../server/storage/objects/disk.ts';
import { SqliteStore } from '../../../server/storage/sqlite/sqlite-store.ts';
import { keyFileIn } from '../../../server/vault/server-keys.ts';
import { Vault } from '../../../server/vault/vault.ts';
import { WatchedKeyFile } from '../../../server/vault/watched-key-file.ts';
import { openFolder } from './vault.fixtures.ts';

export const someConsultation = (): ConsultationId =>
  ConsultationIdShape.parse(`cns_${randomBytes(11).toString('hex')}`);

export interface SaidLine {
  readonly step: string;
  readonly fields: LogFields;
}

/** A log that keeps what it is told. */
export function keptLog(): Log & { readonly lines: SaidLine[] } {
  const lines: SaidLine[] = [];
  const keep = (step: string, fields: LogFields = {}): void => void lines.push({ step, fields });
  return { lines, info: keep, warn: keep, error: keep };
}

/** A data folder with a database, a key file and objects, without a server. */
export async function openDataFolder() {
  await using closing = new AsyncDisposableStack();
  const folder = closing.use(await openFolder());
  const log = keptLog();
  const keys = await WatchedKeyFile.open({ path: keyFileIn(folder.path), mayCreate: true, now: 0, log });
  closing.defer(() => keys.close());
  const vault = new Vault(keys);
  const store = closing.adopt(await SqliteStore.open(join(folder.path, 'teleconsult.db')), (one) =>
    one.close(),
  );
  const objects = await DiskObjectStore.open(join(folder.path, 'objects'));

  /** A consultation with a sealed state, one entry and one participant. */
  const addConsultation = async (text = 'said', id = someConsultation()) => {
    const { wrapped, key } = await vault.createConsultationKey(id);
    await store.create({
      consultationId: id,
      createdAt: 1,
      wrappedKey: wrapped,
      sealedState: key.seal('{}', 'state'),
      index: {
        phase: 'active',
        inCall: false,
        waitingSince: null,
        activeSince: 1,
        endedAt: null,
        dueAt: null,
      },
      participants: [{ personId: 'patient-1' as PersonId, role: 'patient' }],
      idempotencyKey: null,
      sealedRequest: null,
      entries: [
        {
          sequence: 1,
          at: 1,
          by: null,
          kind: 'message.sent',
          clientMessageId: null,
          sealed: key.seal(JSON.stringify({ text }), 'entry|1|message.sent|1||'),
        },
      ],
    });
    return { id, key, wrapped };
  };

  /** A person's device, sealed as such records are. */
  const addSubscription = async (person: string, device: string, plain = 'endpoint') => {
    const context = { purpose: 'push-subscription', person, device };
    const sealed = await vault.sealRecord(Buffer.from(plain), context);
    await store.people.putSubscription({
      personId: person as PersonId,
      deviceId: device as DeviceId,
      createdAt: 1,
      sealed,
    });
    return { context, sealed };
  };

  const moved = closing.move();
  return {
    path: folder.path,
    keyFile: keyFileIn(folder.path),
    keys,
    vault,
    store,
    objects,
    log,
    addConsultation,
    addSubscription,
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

export type DataFolder = Awaited<ReturnType<typeof openDataFolder>>;
