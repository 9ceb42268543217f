/** Phones that are none of ours: sipp calls, is called, and plays real sound both ways. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../../helpers/eventually.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { levelOf, sidesOf, toneOf } from '../rtp/telephone.ts';
import { SKIPPED, sippIsThere } from '../sip/helpers/sipp.ts';
import { ANN, BOB, endOf, keptTape, X } from './people.ts';
import { RELAY_HOST, startStage } from './stage.ts';

const ANN_HOST = '127.0.71.31';
const BOB_HOST = '127.0.71.32';

const sdp = (digits: string): string => `
      v=0
      o=${digits} 53655765 2353687637 IN IP4 [local_ip]
      s=${digits}
      c=IN IP4 [local_ip]
      t=0 0
      m=audio [rtpstream_audio_port] RTP/AVP 8 0 101
      a=rtpmap:8 PCMA/8000
      a=rtpmap:101 telephone-event/8000
      a=ptime:20
`;

const scenario = (name: string, steps: string): string =>
  `<?xml version="1.0" encoding="ISO-8859-1"?>\n<scenario name="${name}">\n${steps}\n</scenario>\n`;

const request = (method: string, seq: number, digits: string, body = ''): string =>
  `
  <send retrans="500"><![CDATA[

      ${method} ${method === 'INVITE' ? 'sip:[service]@[remote_ip]:[remote_port]' : '[next_url]'} SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:${digits}@[local_ip]>;tag=[pid]s[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>${method === 'INVITE' ? '' : '[peer_tag_param]'}
      Call-ID: [call_id]
      CSeq: ${seq} ${method}
      Contact: <sip:${digits}@[local_ip]:[local_port];transport=[transport]>
      Max-Forwards: 70
      ${body === '' ? '' : 'Content-Type: application/sdp\n      '}Content-Length: [len]
${body}
  ]]></send>`.replace(method === 'ACK' ? ' retrans="500"' : '\0', '');

const answer = (status: string, digits: string, body = ''): string => `
  <send${status.startsWith('200') && body !== '' ? ' retrans="500"' : ''}><![CDATA[

      SIP/2.0 ${status}
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]b[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:${digits}@[local_ip]:[local_port];transport=[transport]>
      ${body === '' ? '' : 'Content-Type: application/sdp\n      '}Content-Length: [len]
${body}
  ]]></send>`;

const plays = (file: string): string => `  <nop><action><exec rtp_stream="${file},-1,8"/></action></nop>`;

/** Calls, talks, hangs up. */
const caller = (file: string, talkMs: number): string =>
  scenario(
    'caller',
    `${request('INVITE', 1, ANN.slice(3), sdp(ANN.slice(3)))}
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="200" rrs="true"/>
${request('ACK', 1, ANN.slice(3))}
${plays(file)}
  <pause milliseconds="${talkMs}"/>
${request('BYE', 2, ANN.slice(3))}
  <recv response="200"/>`,
  );

/** Is called, talks, is hung up on. */
const callee = (file: string): string =>
  scenario(
    'callee',
    `  <recv request="INVITE" crlf="true"/>
${answer('180 Ringing', BOB.slice(3))}
${answer('200 OK', BOB.slice(3), sdp(BOB.slice(3)))}
  <recv request="ACK" crlf="true"/>
${plays(file)}
  <recv request="BYE" crlf="true"/>
${answer('200 OK', BOB.slice(3)).replace(';tag=[pid]b[call_number]', '')}`,
  );

interface RunningSipp extends AsyncDisposable {
  readonly done: Promise<string>;
}

async function freePort(host: string): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

/** Whether somebody listens there. */
async function isTaken(host: string, port: number, protocol: 'udp' | 'tcp'): Promise<boolean> {
  if (protocol === 'tcp') {
    const server = createServer();
    const taken = new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(true));
      server.listen(port, host, () => resolve(false));
    });
    if (await taken) return true;
    await new Promise((resolve) => server.close(resolve));
    return false;
  }
  const socket = createSocket('udp4');
  const taken = await new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(true));
    socket.bind(port, host, () => resolve(false));
  });
  await new Promise<void>((resolve) => socket.close(resolve));
  return taken;
}

function runSipp(parts: {
  file: string;
  folder: string;
  host: string;
  port: number;
  media: number;
  protocol: 'udp' | 'tcp';
  to?: string;
}): RunningSipp {
  const { file, folder, host, port, media, protocol, to } = parts;
  const where = to === undefined ? [] : [to];
  const own = `-sf ${file} -i ${host} -p ${port} -mi ${host} -mp ${media} -m 1 -nostdin -timeout 40s -timeout_error`;
  const child = spawn(
    '/usr/bin/sipp',
    [...where, ...own.split(' '), '-t', protocol === 'udp' ? 'u1' : 't1', '-s', X, '-cid_str', '%u-%p-sipp'],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  const note = (bytes: Buffer): void => {
    said = (said + bytes.toString('latin1')).slice(-8_000);
  };
  child.stdout.on('data', note);
  child.stderr.on('data', note);
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const done = exited.then((code) => {
    if (code !== 0) throw new Error(`sipp ended with ${code}: ${said}`);
    return said;
  });
  done.catch(() => undefined);
  return {
    done,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

describe.skipIf(!sippIsThere).each(['udp', 'tcp'] as const)(`sipp over %s${SKIPPED}`, (protocol) => {
  test(`[RLY75] sipp calls sipp through X, and the tape has the sound of both (${protocol})`, async () => {
    await using dir = await tempDir();
    const folder = dir.path;
    await writeFile(join(folder, 'ann.al'), toneOf(440, 2_000));
    await writeFile(join(folder, 'bob.al'), toneOf(1_000, 2_000));
    await writeFile(join(folder, 'caller.xml'), caller('ann.al', 10_000));
    await writeFile(join(folder, 'callee.xml'), callee('bob.al'));
    const tape = keptTape();
    const bobPort = await freePort(BOB_HOST);
    await using stage = await startStage({
      // sipp takes every request for the call it waits for.
      settings: {
        trunk: { host: BOB_HOST, port: bobPort, transport: protocol },
        timings: { keepAliveMs: null },
      },
      tuning: { sip: { t1: 200 } },
      openTape: async () => tape,
    });
    await stage.bind({ recorded: true });
    const place = { folder, protocol };
    await using bob = runSipp({ ...place, file: 'callee.xml', host: BOB_HOST, port: bobPort, media: 21_000 });
    await eventually('sipp listens', () => isTaken(BOB_HOST, bobPort, protocol), { withinMs: 15_000 });
    const annPort = await freePort(ANN_HOST);
    const to = `${RELAY_HOST}:${stage.relay.port}`;
    await using ann = runSipp({
      ...place,
      file: 'caller.xml',
      host: ANN_HOST,
      port: annPort,
      media: 21_100,
      to,
    });
    await ann.done;
    await bob.done;
    expect(await endOf(stage, 'completed')).toMatchObject({ types: ['answered', 'ended', 'ringing'] });
    const { left, right } = sidesOf(tape.bytes());
    const loudest = (frequency: number, side: Uint8Array): number => {
      let most = 0;
      for (let at = 0; at + 1_600 <= side.length; at += 800)
        most = Math.max(most, levelOf(frequency, side.subarray(at, at + 1_600)));
      return most;
    };
    expect(loudest(440, left)).toBeGreaterThan(0.6);
    expect(loudest(1_000, right)).toBeGreaterThan(0.6);
    expect(loudest(1_000, left)).toBeLessThan(0.2);
  }, 60_000);
});
