/**
 * What sealing costs, as ratios of one run: the vault's sealed stream against bare AES-256-GCM of node:crypto over the same
 * chunks, both in memory; and a seek into an hour of sealed video against the same seek into a plain file. Rounds are
 * interleaved. Prints a table and writes nothing but a temporary folder. Run: node bench/sealing.ts [rounds] [megabytes]
 */
import { createCipheriv, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ConsultationId } from '@teleconsult/protocol';
import { DiskObjectStore } from '@teleconsult/server/storage/objects/disk';
import { openLocalKeyFile } from '@teleconsult/server/vault/local-key-file';
import { Vault } from '@teleconsult/server/vault/vault';
import { tempDir } from '../test/helpers/temp-dir.ts';

const ROUNDS = Number(process.argv[2] ?? 7);
const MEGABYTES = Number(process.argv[3] ?? 128);
const CHUNK = 64 * 1024;
/** An hour of 1.2 Mbit/s. */
const HOUR_BYTES = 540_000_000;
const SEEKS = 300;
/** What a player asks for when it jumps. */
const SEEK_BYTES = 256 * 1024;

const chunk = randomBytes(CHUNK);
const consultation = ConsultationId.parse(`cns_${'B'.repeat(22)}`);

await using dir = await tempDir();
const keys = await openLocalKeyFile({ path: join(dir.path, 'keys', 'k.json'), mayCreate: true, now: 0 });
const vault = new Vault(keys);
const { key } = await vault.createConsultationKey(consultation);
const objects = await DiskObjectStore.open(join(dir.path, 'objects'));

function* chunks(byteSize: number): Generator<Buffer> {
  for (let sent = 0; sent < byteSize; sent += CHUNK) yield chunk;
}

async function drained(source: AsyncIterable<Uint8Array>): Promise<number> {
  let byteSize = 0;
  for await (const bytes of source) byteSize += bytes.byteLength;
  return byteSize;
}

/** The least anybody can do: a nonce and a tag a chunk. */
async function* bareGcm(source: Iterable<Buffer>): AsyncGenerator<Buffer> {
  const bare = randomBytes(32);
  const nonce = Buffer.alloc(12);
  let number = 0;
  for (const bytes of source) {
    nonce.writeUInt32BE(++number, 8);
    const cipher = createCipheriv('aes-256-gcm', bare, nonce);
    yield cipher.update(bytes);
    cipher.final();
    yield cipher.getAuthTag();
  }
}

async function megabytesASecond(source: AsyncIterable<Uint8Array>): Promise<number> {
  const start = performance.now();
  await drained(source);
  return MEGABYTES / ((performance.now() - start) / 1_000);
}

const context = { consultation, purpose: 'recording', object: 'bench' };
const seal = (byteSize: number) => vault.seal(Readable.from(chunks(byteSize)), { key, context });

const sealing: { bare: number; sealed: number; opened: number }[] = [];
await objects.put('bench/short', seal(MEGABYTES * 1024 * 1024));
for (let round = 0; round <= ROUNDS; round++) {
  const byteSize = MEGABYTES * 1024 * 1024;
  const bare = await megabytesASecond(Readable.from(bareGcm(chunks(byteSize))));
  const sealed = await megabytesASecond(seal(byteSize));
  await using source = await objects.open('bench/short');
  const opened = await megabytesASecond((await vault.open(source, { key, context })).read());
  // The first round warms up.
  if (round > 0) sealing.push({ bare, sealed, opened });
}

const plain = join(dir.path, 'plain');
await using file = await open(plain, 'w+');
for (const bytes of chunks(HOUR_BYTES)) await file.write(bytes);
await objects.put('bench/hour', seal(HOUR_BYTES));

const places = Array.from({ length: SEEKS }, (_, index) =>
  Math.floor(((index * 0.618_033_988_75) % 1) * (HOUR_BYTES - SEEK_BYTES)),
);
await using hour = await objects.open('bench/hour');
const seeks: { plain: number; sealed: number; opening: number }[] = [];
for (const start of places) {
  const began = performance.now();
  const buffer = Buffer.alloc(SEEK_BYTES);
  await file.read(buffer, 0, SEEK_BYTES, start);
  const read = performance.now();
  const object = await vault.open(hour, { key, context });
  const openedAt = performance.now();
  await drained(object.read({ start, endExclusive: start + SEEK_BYTES }));
  seeks.push({ plain: read - began, opening: openedAt - read, sealed: performance.now() - openedAt });
}

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const median = (values: readonly number[]): number => sorted(values)[Math.floor(values.length / 2)] ?? 0;
const spread = (values: readonly number[], digits: number): string => {
  const [low = 0, high = 0] = [sorted(values)[0], sorted(values).at(-1)];
  return `${median(values).toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
};

process.stdout.write(`
| what | median (least–most) |
| --- | --- |
| bare AES-256-GCM, 64 KiB chunks | ${spread(
  sealing.map(({ bare }) => bare),
  0,
)} MB/s |
| sealing, 64 KiB frames | ${spread(
  sealing.map(({ sealed }) => sealed),
  0,
)} MB/s |
| **sealing against bare** | **${spread(
  sealing.map(({ bare, sealed }) => sealed / bare),
  2,
)}** |
| opening the whole from disk, each frame checked, against bare sealing | ${spread(
  sealing.map(({ bare, opened }) => opened / bare),
  2,
)} |
| a seek of 256 KiB into an hour, plain file | ${median(seeks.map(({ plain: ms }) => ms)).toFixed(2)} ms |
| the same, sealed and opened before | ${median(seeks.map(({ sealed }) => sealed)).toFixed(2)} ms |
| opening it, once a player | ${median(seeks.map(({ opening }) => opening)).toFixed(2)} ms |
| **seek against plain, median of pairs** | **${median(seeks.map(({ plain: ms, sealed }) => sealed / ms)).toFixed(2)}** |
`);
