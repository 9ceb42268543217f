/** Stands between us and the daemon and makes the way bad: datagrams get lost, come twice, late, or are none of the daemon's. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface Trouble {
  /** Whether the n-th datagram in this direction gets through; the first is 0. */
  question?: (index: number, datagram: Buffer) => boolean;
  answer?: (index: number, datagram: Buffer) => boolean;
  /** What comes in addition to an answer, at once. */
  also?: (answer: Buffer) => readonly Buffer[];
}

export interface NgProxy extends AsyncDisposable {
  readonly port: number;
  readonly questions: Buffer[];
  trouble: Trouble;
}

export async function startNgProxy(
  host: string,
  daemon: { readonly host: string; readonly port: number },
): Promise<NgProxy> {
  const front = createSocket('udp4');
  const back = createSocket('udp4');
  front.bind(0, host);
  back.bind(0, host);
  await Promise.all([once(front, 'listening'), once(back, 'listening')]);
  const questions: Buffer[] = [];
  let answers = 0;
  let asker: { address: string; port: number } | null = null;
  const proxy: NgProxy = {
    port: front.address().port,
    questions,
    trouble: {},
    async [Symbol.asyncDispose]() {
      const closed = Promise.all([once(front, 'close'), once(back, 'close')]);
      front.close();
      back.close();
      await closed;
    },
  };
  front.on('message', (datagram, from) => {
    asker = from;
    const index = questions.push(datagram) - 1;
    if (proxy.trouble.question?.(index, datagram) === false) return;
    back.send(datagram, daemon.port, daemon.host, () => undefined);
  });
  back.on('message', (datagram) => {
    const to = asker;
    const index = answers;
    answers += 1;
    if (to === null) return;
    const sent = proxy.trouble.answer?.(index, datagram) === false ? [] : [datagram];
    for (const each of [...(proxy.trouble.also?.(datagram) ?? []), ...sent])
      front.send(each, to.port, to.address);
  });
  return proxy;
}
