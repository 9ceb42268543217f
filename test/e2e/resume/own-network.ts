/**
 * Networks that a test can really cut: each browser lives in a network namespace of its own, joined to the server by a
 * virtual cable. Needs Linux, root and `ip` (iproute2), and nothing of the firewall.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';

/** What is dropped without a word; what goes the other ways passes. */
export type Path = 'signalling' | 'media';

const PREFIX = 'tcres';
/** Tables of routes are numbered from here; the process and the network are in the number. */
const FIRST_TABLE = 20_000_000;
/** Whoever sends here is heard by nobody: the cable's other end drops what is addressed to another card. */
const NOBODY = '02:00:00:00:00:99';

function ip(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** For what may be gone already. */
function quietly(...args: readonly string[]): boolean {
  return spawnSync('ip', args, { stdio: 'ignore' }).status === 0;
}

/** Why networks cannot be cut here; null when they can. */
export const networksMissing: string | null = whatIsMissing();

function whatIsMissing(): string | null {
  if (process.platform !== 'linux') return 'network namespaces exist on Linux alone';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  if (spawnSync('ip', ['-V']).error !== undefined) return 'ip is missing (Debian: apt install iproute2)';
  const name = `${PREFIX}-${process.pid}-probe`;
  if (!quietly('netns', 'add', name)) return 'network namespaces are not allowed here';
  quietly('netns', 'del', name);
  return null;
}

export interface Networks extends Disposable {
  /** Where the server is reached from every network, and stays when cables are cut. */
  readonly serverAddress: string;
  /** One more network. */
  add(): OwnNetwork;
}

/** Networks around one server; everything is removed in the end. */
export function openNetworks(serverPort: number): Networks {
  removeLeftovers();
  using stack = new DisposableStack();
  const base = freeBase();
  const serverAddress = `${base}.0.1`;
  ip('addr', 'add', `${serverAddress}/32`, 'dev', 'lo', 'label', `lo:tr${process.pid}`);
  stack.defer(() => quietly('addr', 'del', `${serverAddress}/32`, 'dev', 'lo'));
  let count = 0;
  const owned = stack.move();
  return {
    serverAddress,
    add: () => {
      count += 1;
      return owned.use(new OwnNetwork({ base, index: count, serverPort }));
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}

/** One namespace with one cable. */
export class OwnNetwork implements Disposable {
  readonly namespace: string;
  readonly #cable: string;
  readonly #address: string;
  readonly #table: string;
  readonly #serverPort: string;
  readonly #rules: (readonly string[])[] = [];

  constructor({ base, index, serverPort }: { base: string; index: number; serverPort: number }) {
    const own = `${process.pid}-${base.slice(3)}-${index}`;
    this.namespace = `${PREFIX}-${own}`;
    this.#cable = `tr${process.pid}h${base.slice(3)}.${index}`.slice(0, 15);
    this.#address = `${base}.${index}.2`;
    this.#table = String(FIRST_TABLE + process.pid * 10 + index);
    this.#serverPort = String(serverPort);
    const inside = `${this.#cable.slice(0, 14)}e`.replace('h', 'p').slice(0, 15);
    const [gateway, nowhere] = [`${base}.${index}.1`, `${base}.${index}.9`];
    try {
      ip('netns', 'add', this.namespace);
      ip('link', 'add', this.#cable, 'type', 'veth', 'peer', 'name', inside, 'netns', this.namespace);
      ip('addr', 'add', `${gateway}/24`, 'dev', this.#cable);
      ip('link', 'set', this.#cable, 'up');
      this.#inside('addr', 'add', `${this.#address}/24`, 'dev', inside);
      this.#inside('link', 'set', 'lo', 'up');
      this.#inside('link', 'set', inside, 'up');
      this.#inside('route', 'add', 'default', 'via', gateway);
      this.#inside('neigh', 'add', nowhere, 'lladdr', NOBODY, 'dev', inside, 'nud', 'permanent');
      this.#inside('route', 'add', 'default', 'via', nowhere, 'dev', inside, 'table', this.#table);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The cable is pulled out: the browser sees that it has no network. */
  cut(): void {
    ip('link', 'set', this.#cable, 'down');
  }

  /** One kind of traffic vanishes in both directions, and nobody is told. */
  drop(path: Path): void {
    const port = this.#serverPort;
    if (path === 'signalling') this.#lose({ sent: ['dport', port], received: ['sport', port] });
    else {
      this.#lose({ protocol: 'udp' });
      // Media may travel over TCP, too.
      this.#lose({}, port);
    }
  }

  /** Everything passes again. Answers when that was so, in Unix milliseconds. */
  heal(): number {
    for (const rule of this.#rules.splice(0)) quietly(...rule);
    ip('link', 'set', this.#cable, 'up');
    return Date.now();
  }

  [Symbol.dispose](): void {
    for (const rule of this.#rules.splice(0)) quietly(...rule);
    quietly('netns', 'del', this.namespace);
    quietly('link', 'del', this.#cable);
  }

  #inside(...args: readonly string[]): string {
    return ip('-n', this.namespace, ...args);
  }

  /** `except` is a port of the server that still passes. */
  #lose(
    {
      protocol = 'tcp',
      sent = [],
      received = [],
    }: { protocol?: string; sent?: readonly string[]; received?: readonly string[] },
    except?: string,
  ): void {
    const nowhere = this.#address.replace(/\.2$/, '.9');
    quietly('neigh', 'replace', nowhere, 'lladdr', NOBODY, 'dev', this.#cable, 'nud', 'permanent');
    quietly('route', 'replace', this.#address, 'via', nowhere, 'dev', this.#cable, 'table', this.#table);
    const outside = ['to', this.#address, 'ipproto', protocol];
    const inside = ['ipproto', protocol];
    if (except !== undefined) {
      this.#rule(['rule'], ['pref', '900', ...outside, 'sport', except, 'lookup', 'main']);
      this.#rule(
        ['-n', this.namespace, 'rule'],
        ['pref', '900', ...inside, 'dport', except, 'lookup', 'main'],
      );
    }
    this.#rule(['rule'], ['pref', '901', ...outside, ...received, 'lookup', this.#table]);
    this.#rule(['-n', this.namespace, 'rule'], ['pref', '901', ...inside, ...sent, 'lookup', this.#table]);
  }

  #rule(where: readonly string[], rule: readonly string[]): void {
    ip(...where, 'add', ...rule);
    this.#rules.push([...where, 'del', ...rule]);
  }
}

/** The first two numbers of addresses that nobody has here. */
function freeBase(): string {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const base = `10.${randomInt(100, 200)}`;
    if (ip('-o', 'addr', 'show', 'to', `${base}.0.0/16`).trim() === '') return base;
  }
  throw new Error('no free addresses');
}

/** What processes left behind that were killed before they could clean up. */
function removeLeftovers(): void {
  const isGone = (pid: string | undefined): boolean => pid !== undefined && !existsSync(`/proc/${pid}`);
  for (const [, name = '', pid] of ip('netns', 'list').matchAll(/^(tcres-(\d+)-\S+)/gm))
    if (isGone(pid)) quietly('netns', 'del', name);
  for (const [, cable = '', pid] of ip('-o', 'link').matchAll(/^\d+: (tr(\d+)h[^@:]*)/gm))
    if (isGone(pid)) quietly('link', 'del', cable);
  for (const [, address = '', pid] of ip('-o', 'addr', 'show', 'dev', 'lo').matchAll(
    /inet (\S+) .*lo:tr(\d+)/g,
  ))
    if (isGone(pid)) quietly('addr', 'del', address, 'dev', 'lo');
  for (const [, preference = '', table = ''] of ip('rule').matchAll(/^(90[01]):.*lookup (\d+)/gm)) {
    const pid = String(Math.floor((Number(table) - FIRST_TABLE) / 10));
    if (Number(table) > FIRST_TABLE && isGone(pid))
      quietly('rule', 'del', 'pref', preference, 'lookup', table);
  }
}
