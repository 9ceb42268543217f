/** What a relay finds when it starts: the trunk, what a server before it has left, and its own end. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@teleconsult/protocol';
import { CallTable, type TabledCall } from '@teleconsult/server/telephony/embedded/call-table';
import {
  EmbeddedRelay,
  type EmbeddedRelayParts,
} from '@teleconsult/server/telephony/embedded/embedded-relay';
import { TrunkAddress } from '@teleconsult/server/telephony/embedded/trunk-address';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { describe, expect, test } from 'vitest';
import { ScriptedCore } from '../../../contract/relay.core.ts';
import { WrittenLog } from '../../../contract/relay.under-test.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { RELAY_HOST, settingsFor } from './stage.ts';

test('[RLY91] of several addresses a named trunk keeps the one it has, and one that moves is told of', async () => {
  let found: string[] | null = ['192.0.2.1', '192.0.2.2'];
  let moves = 0;
  const trunk = new TrunkAddress({
    host: 'trunk.example',
    admits: (address) => address.startsWith('192.0.2.'),
    find: async () => {
      if (found === null) throw new Error('no name server');
      return found.map((address) => ({ address }));
    },
  });
  trunk.onMoved(() => {
    moves += 1;
  });
  const after = async (next: string[] | null) => {
    found = next;
    await trunk.look();
    return { address: trunk.address, moves };
  };
  expect(await trunk.start()).toBe(true);
  expect({ address: trunk.address, moves }).toEqual({ address: '192.0.2.1', moves: 0 });
  expect(await after(['192.0.2.2', '192.0.2.1'])).toEqual({ address: '192.0.2.1', moves: 0 });
  expect(await after(null)).toEqual({ address: '192.0.2.1', moves: 0 });
  // Nothing is sent to an address that is none of the allowed sources, whatever the name says.
  expect(await after(['203.0.113.9'])).toEqual({ address: '192.0.2.1', moves: 0 });
  expect(await after(['203.0.113.9', '192.0.2.3'])).toEqual({ address: '192.0.2.3', moves: 1 });
  trunk.close();
});

test('[RLY92] a relay that is closed while it starts does not start, and holds no port', async () => {
  await using dir = await tempDir();
  const free = createSocket('udp4');
  free.bind(0, RELAY_HOST);
  await once(free, 'listening');
  const { port } = free.address();
  free.close();
  await once(free, 'close');
  const keys = await openLocalKeyFile({ path: join(dir.path, 'keys.json'), mayCreate: true, now: 0 });
  const relay = new EmbeddedRelay({
    settings: settingsFor(9, { listen: { host: RELAY_HOST, port }, timings: { keepAliveMs: null } }),
    openTape: null,
    vault: new Vault(keys),
    folder: join(dir.path, 'calls'),
    log: new WrittenLog(),
    clock: Date.now,
  });
  const starting = relay.start(new ScriptedCore(Date.now));
  const closed = relay.close();
  await expect(starting).rejects.toMatchObject({ reason: 'unavailable' });
  await closed;
  const again = createSocket('udp4');
  again.bind(port, RELAY_HOST);
  await once(again, 'listening');
  again.close();
  await once(again, 'close');
  expect(relay.port).toBe(0);
});

describe('a table of calls that cannot be opened for the moment', () => {
  const call: TabledCall = { callRef: 'one', relay: null, ringing: null, dialogs: [] };

  /** A folder with one call, and a vault whose keys are away for so many questions. */
  async function left(awayFor: number) {
    const dir = await tempDir();
    const keys = await openLocalKeyFile({ path: join(dir.path, 'keys.json'), mayCreate: true, now: 0 });
    const vault = new Vault(keys);
    let asked = 0;
    const away: EmbeddedRelayParts['vault'] = {
      sealRecord: (plain, context) => vault.sealRecord(plain, context),
      openRecord: async (sealed, context) => {
        asked += 1;
        if (asked <= awayFor) throw new AppError('STORAGE_UNAVAILABLE');
        return vault.openRecord(sealed, context);
      },
    };
    const table = await CallTable.open(join(dir.path, 'calls'), away, () => undefined);
    table.put(call);
    await table.settled();
    return {
      table,
      folder: join(dir.path, 'calls'),
      [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
    };
  }

  test('[RLY93] is opened when the service of the keys is back', async () => {
    await using later = await left(3);
    const log = new WrittenLog();
    expect(await later.table.leftOver(log, { againMs: 5 })).toEqual([call]);
    expect(log.text).not.toContain('phone.tableUnreadable');
  });

  test('[RLY93] is kept for the next start when it does not come back, and told', async () => {
    await using never = await left(Number.POSITIVE_INFINITY);
    const log = new WrittenLog();
    expect(await never.table.leftOver(log, { againMs: 5, withinMs: 50 })).toEqual([]);
    expect(log.text).toContain('phone.tableUnreadable');
    expect(await readdir(never.folder)).toEqual(['one.call']);
  });
});
