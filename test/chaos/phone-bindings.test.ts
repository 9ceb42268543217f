import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tempDir } from '../helpers/temp-dir.ts';
import { numberOf, type Said, visitOf, wrongConnections } from './phone-bindings-check.ts';

const FIXTURE = fileURLToPath(new URL('./phone-bindings.fixture.ts', import.meta.url));
const OPERATIONS = 5_000;
const KILLS = Number(process.env['TELECONSULT_TEST_PHONE_KILLS'] ?? 8);

interface Run {
  readonly dir: string;
  readonly run: number;
  readonly operations: number;
  /** Killed once so many were made; null: let to its end. */
  readonly killAfter: number | null;
  readonly sabotage?: string;
}

/** One life of the server. Answers how many operations it made. */
async function live(said: Said[], { dir, run, operations, killAfter, sabotage = '' }: Run): Promise<number> {
  const child: ChildProcess = spawn(
    process.execPath,
    [FIXTURE, dir, String(run), String(operations), sabotage],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4_000);
  });
  const exited = once(child, 'exit');
  const { stdout } = child;
  if (stdout === null) throw new Error('no output');
  let made = 0;
  for await (const line of createInterface({ input: stdout })) {
    // The last line of one that was killed may be cut.
    if (!line.endsWith('}')) continue;
    const one = JSON.parse(line) as Said;
    said.push(one);
    if (one.what === 'made') made = one.made;
    if (killAfter !== null && made >= killAfter) child.kill('SIGKILL');
  }
  const [code, signal] = (await exited) as [number | null, string | null];
  if (killAfter === null && code !== 0) throw new Error(`the server ended with ${code} ${signal}: ${errors}`);
  return made;
}

async function wholeLife(kills: number, operations: number, sabotage = '') {
  await using dir = await tempDir();
  const said: Said[] = [];
  let left = operations;
  for (let run = 0; run < kills; run += 1)
    left -= await live(said, {
      dir: dir.path,
      run,
      operations: left,
      killAfter: Math.floor(operations / (kills + 1)),
      sabotage,
    });
  await live(said, { dir: dir.path, run: kills, operations: Math.max(left, 100), killAfter: null, sabotage });
  const db = new DatabaseSync(join(dir.path, 'store.db'), { readOnly: true });
  const places = db
    .prepare('SELECT count(*) AS count FROM phone_use WHERE released_at IS NULL GROUP BY x_hash, number_hash')
    .all()
    .map((row) => Number(row['count']));
  const orphans = db
    .prepare(
      `SELECT count(*) AS count FROM phone_use u JOIN phone_binding b ON b.binding_id = u.binding_id
        WHERE u.released_at IS NULL AND b.state = 'unbound'`,
    )
    .get()?.['count'];
  const running = db.prepare(`SELECT count(*) AS count FROM phone_call WHERE state <> 'ended'`).get()?.[
    'count'
  ];
  db.close();
  return { said, places, orphans, running };
}

test('[PHB73] [P2] through thousands of bindings, calls and kills a relay number connects its own pair alone', async () => {
  const { said, places, orphans, running } = await wholeLife(KILLS, OPERATIONS);
  expect(wrongConnections(said)).toEqual([]);
  const count = (what: Said['what']) => said.filter((one) => one.what === what).length;
  // It was really tried: numbers went from visit to visit, and many calls were connected.
  expect(count('connected')).toBeGreaterThan(OPERATIONS / 25);
  expect(count('unbound')).toBeGreaterThan(OPERATIONS / 50);
  const visitsOfRelay = Map.groupBy(
    said.filter((one) => one.what === 'bound'),
    ({ x }) => x,
  );
  const visitsEach = [...visitsOfRelay.values()].map(
    (bound) => new Set(bound.map(({ visit }) => visit)).size,
  );
  const average = visitsEach.reduce((sum, one) => sum + one, 0) / visitsEach.length;
  expect(average).toBeGreaterThan(2.5);
  expect(Math.max(...places)).toBe(1);
  expect({ orphans, running }).toEqual({ orphans: 0, running: 0 });
}, 240_000);

test('[PHB73 sabotage] [P2] a server that looks at the relay number alone connects others, and it is noticed', async () => {
  const { said } = await wholeLife(0, 600, 'any-caller');
  expect(wrongConnections(said)).not.toEqual([]);
}, 60_000);

test('[PHB73 sabotage] [P2] strangers, a number given back and another number shown are noticed', () => {
  const { doctor, patient } = visitOf(0);
  const [from, to] = [numberOf(doctor), numberOf(patient)];
  const bound: Said = { what: 'bound', visit: 0, bindingId: 'b', x: 'x' };
  const dials: Said = { what: 'dials', name: 'n' };
  const connected = { what: 'connected', name: 'n', from, to, x: 'x', showAs: 'x', bindingId: 'b' } as const;
  expect(wrongConnections([bound, dials, connected])).toEqual([]);
  const wrong = (...said: Said[]) => expect(wrongConnections(said)).not.toEqual([]);
  wrong(bound, dials, { ...connected, to: numberOf('doctor-7') });
  wrong(bound, dials, { ...connected, showAs: from });
  wrong(bound, dials, { ...connected, x: 'y', showAs: 'y' });
  wrong(bound, { what: 'unbound', visit: 0, bindingId: 'b' }, dials, connected);
});
