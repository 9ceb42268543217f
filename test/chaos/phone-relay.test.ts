import { type ChildProcess, fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SipEndpoint } from '@teleconsult/server/telephony/sip/endpoint';
import type { IncomingCall } from '@teleconsult/server/telephony/sip/incoming-call';
import { expect, test } from 'vitest';
import { ANN, BOB, numbersIn, X } from '../contract/relay.under-test.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { offerOf, pickUp, settingsFor } from '../server/telephony/embedded/stage.ts';
import { Telephone } from '../server/telephony/rtp/telephone.ts';

const FIXTURE = fileURLToPath(new URL('./phone-relay.fixture.ts', import.meta.url));
const RELAY = '127.0.72.50';
const CARRIER = '127.0.72.1';

interface Said {
  readonly listening?: number;
  readonly error?: string;
  readonly answered?: string;
  readonly settled?: boolean;
  readonly event?: {
    readonly callRef: string;
    readonly what: { readonly type: string; readonly end?: string };
  };
}

class Server {
  readonly said: Said[] = [];
  readonly #child: ChildProcess;
  readonly exited: Promise<unknown>;
  errors = '';

  constructor(folder: string, settings: unknown) {
    this.#child = fork(FIXTURE, [folder, JSON.stringify(settings)], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.exited = once(this.#child, 'exit');
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.errors = (this.errors + chunk.toString()).slice(-4_000);
    });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('no output');
    createInterface({ input: stdout }).on('line', (line) => this.said.push(JSON.parse(line) as Said));
  }

  started(): Promise<number> {
    return eventually(
      'the relay listens',
      () => this.said.find(({ listening }) => listening !== undefined)?.listening,
      {
        withinMs: 30_000,
        lastSeen: () => this.errors,
      },
    );
  }

  send(message: string): void {
    this.#child.send(message);
  }

  /** Kills it, once all it knows is on disk. */
  async killSettled(): Promise<void> {
    this.send('settle');
    await eventually('it is on disk', () => this.said.some(({ settled }) => settled === true));
    await this.kill();
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** How a call ended, as it was told. */
  ends(): string[] {
    return this.said.flatMap(({ event }) => (event?.what.type === 'ended' ? [event.what.end ?? ''] : []));
  }
}

async function freePort(host: string): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

async function startTown() {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const rung: IncomingCall[] = [];
  const carrier = await SipEndpoint.listen({
    address: CARRIER,
    port: 0,
    allow: ['127.0.0.0/8'],
    onInvite: (call) => void rung.push(call),
  });
  stack.defer(() => carrier.close());
  const port = await freePort(RELAY);
  const { destinations, ...relay } = settingsFor(carrier.port, {
    listen: { host: RELAY, port },
    trunk: { host: CARRIER, port: carrier.port, transport: 'udp' },
  });
  const settings = { relay, destinations: { ...destinations, lines: [] } };
  const servers: Server[] = [];
  stack.defer(async () => {
    for (const server of servers) await server.kill();
  });
  const owned = stack.move();
  return {
    carrier,
    rung,
    folder: dir.path,
    async start(): Promise<Server> {
      const server = new Server(dir.path, settings);
      servers.push(server);
      await server.started();
      return server;
    },
    dial(phone: Telephone, onRinging: () => void = () => undefined) {
      return carrier.invite({
        uri: `sip:${X}@${RELAY}:${port}`,
        via: { protocol: 'udp', address: RELAY, port },
        from: { uri: `sip:${ANN}@${CARRIER}` },
        sdp: offerOf(phone),
        onRinging,
      });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('[RLY50] a server that is killed and started again hangs up both phones of every call it finds, and tells it as lost', async () => {
  await using town = await startTown();
  const first = await town.start();
  await using phone = await Telephone.at(CARRIER);
  const calling = town.dial(phone);
  await using bob = await pickUp(await eventually('Bob is rung', () => town.rung[0]));
  const outcome = await calling.outcome;
  if (outcome.type !== 'answered') throw new Error('not answered');
  // A phone of a consultation is rung as well.
  first.send('leg');
  await using alone = await pickUp(await eventually('Ann is rung', () => town.rung[1]));
  await eventually('both are in the table', async () => {
    const names = (await readdir(join(town.folder, 'calls'))).filter((name) => name.endsWith('.call'));
    return names.length === 2 && first.said.some(({ answered }) => answered === 'answered');
  });
  for (const name of await readdir(join(town.folder, 'calls'))) {
    const sealed = await readFile(join(town.folder, 'calls', name));
    expect(numbersIn(sealed.toString('latin1'))).toEqual([]);
    expect(sealed.includes(Buffer.from('sip:'))).toBe(false);
  }
  // Written after the last change, too.
  await eventually('the answer is in the table', () =>
    first.said.some(({ event }) => event?.what.type === 'answered'),
  );
  await first.killSettled();
  expect([outcome.dialog.state, bob.dialog.state, alone.dialog.state]).toEqual([
    'confirmed',
    'confirmed',
    'confirmed',
  ]);
  const second = await town.start();
  expect(await outcome.dialog.ended).toMatchObject({ by: 'them' });
  expect(await bob.ended).toMatchObject({ by: 'them' });
  expect(await alone.ended).toMatchObject({ by: 'them' });
  await eventually('it is told', () => second.ends().length === 1);
  expect(second.ends()).toEqual(['lost']);
  await eventually(
    'the table is empty',
    async () => (await readdir(join(town.folder, 'calls'))).length === 0,
  );
}, 60_000);

test('[RLY51] a call that only rang when the server was killed is refused, and the phone stops ringing', async () => {
  await using town = await startTown();
  const first = await town.start();
  await using phone = await Telephone.at(CARRIER);
  let rang = false;
  const calling = town.dial(phone, () => {
    rang = true;
  });
  const ringing = await eventually('Bob is rung', () => town.rung[0]);
  expect(ringing.requestUri.user).toBe(BOB);
  ringing.ringing();
  await eventually('Ann hears it ring', () => rang);
  await first.killSettled();
  const second = await town.start();
  expect(await calling.outcome).toMatchObject({ type: 'refused', status: 503 });
  await eventually('Bob’s phone is quiet', () => ringing.state === 'cancelled');
  await eventually('it is told', () => second.ends().length === 1);
  expect(second.ends()).toEqual(['lost']);
  // The same INVITE came again, and rang nobody anew.
  expect(town.rung).toHaveLength(1);
}, 60_000);
