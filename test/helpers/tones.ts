/** Sound and pictures whose every part can be told from the others, made and found again by ffmpeg. */
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A beep begins so often, and lasts so long. Half of a second between two: an odd one out is seen at once. */
export const BEEP_INTERVAL_MS = 500;
const BEEP_MS = 100;

/** One packet as a device would send it: RTP without what the way adds. */
export interface MediaPacket {
  /** Ticks of the track's clock since its first packet. */
  readonly ticks: number;
  readonly marker: boolean;
  readonly payload: Buffer;
}

/** A track made beforehand, to be sent at its own speed. */
export interface MadeTrack {
  readonly mimeType: string;
  readonly clockRate: number;
  readonly packets: readonly MediaPacket[];
}

/** Where ffmpeg is for the tests. */
export const ffmpegPath = (): string => process.env['FFMPEG_PATH'] ?? '/usr/bin/ffmpeg';

/** Opus with a beep of this frequency every half second, the first at its beginning. */
export function beeps(seconds: number, frequency = 1_000): Promise<MadeTrack> {
  const tone = `0.5*sin(2*PI*${frequency}*t)`;
  const gate = `lt(mod(t,${BEEP_INTERVAL_MS / 1_000}),${BEEP_MS / 1_000})`;
  return made({ mimeType: 'audio/opus', clockRate: 48_000 }, [
    ...['-f', 'lavfi', '-i', `aevalsrc='if(${gate},${tone},0)':s=48000:d=${seconds}`],
    ...['-ac', '2', '-c:a', 'libopus', '-b:a', '24k', '-application', 'voip', '-frame_duration', '20'],
  ]);
}

/** A moving picture with a key frame a second, as VP8 or H.264. */
export function pictures(
  codec: 'vp8' | 'h264',
  { seconds, size = '320x240' }: { seconds: number; size?: string },
): Promise<MadeTrack> {
  const source = ['-f', 'lavfi', '-i', `testsrc=size=${size}:rate=15:duration=${seconds}`, '-g', '15'];
  const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p'];
  return made(
    { mimeType: codec === 'vp8' ? 'video/VP8' : 'video/H264', clockRate: 90_000 },
    codec === 'vp8'
      ? [...source, '-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '300k']
      : // As browsers do: one slice a picture, parameter sets before each key frame.
        [...source, ...h264, '-x264-params', 'slices=1:sliced-threads=0:repeat-headers=1', '-b:v', '300k'],
  );
}

export interface Heard {
  /** Where beeps begin, in milliseconds of the file. */
  readonly beeps: readonly number[];
  readonly durationMs: number;
}

/** The beeps of a recorded file, gaps kept at their length. A file that was cut is read as far as it goes. */
export async function heard(file: Buffer): Promise<Heard> {
  const rate = 8_000;
  const pcm = await piped(
    ['-i', 'pipe:0', '-af', 'aresample=async=1:min_hard_comp=0.01:first_pts=0', '-ac', '1', '-ar', `${rate}`],
    { input: file, output: ['-f', 's16le', 'pipe:1'] },
  );
  const windowSamples = rate / 200;
  const found: number[] = [];
  let isLoud = false;
  let loudAt = Number.NEGATIVE_INFINITY;
  for (let start = 0; start + windowSamples <= pcm.byteLength / 2; start += windowSamples) {
    let energy = 0;
    for (let sample = start; sample < start + windowSamples; sample += 1) {
      energy += (pcm.readInt16LE(sample * 2) / 32_768) ** 2;
    }
    const at = (start / rate) * 1_000;
    const level = Math.sqrt(energy / windowSamples);
    if (level > 0.1) {
      // A beep that was cut in pieces by a loss is one beep.
      if (!isLoud && at - loudAt > BEEP_MS / 2) found.push(at);
      isLoud = true;
      loudAt = at;
    } else isLoud = false;
  }
  return { beeps: found, durationMs: (pcm.byteLength / 2 / rate) * 1_000 };
}

export interface Seen {
  /** When each picture that can be decoded is shown, in milliseconds of the file, with its size. */
  readonly pictures: readonly { readonly at: number; readonly width: number; readonly height: number }[];
}

/** The pictures of a recorded file, decoded. */
export async function seen(file: Buffer): Promise<Seen> {
  const shown = await piped(['-copyts', '-i', 'pipe:0', '-vf', 'showinfo', '-autoscale', '0'], {
    input: file,
    output: ['-fps_mode', 'passthrough', '-f', 'null', '-'],
    readsErrors: true,
  });
  const lines = shown.toString('latin1').matchAll(/pts_time:([0-9.]+) .* s:([0-9]+)x([0-9]+) /g);
  const pictures = [...lines].map(([, at, width, height]) => ({
    at: Number(at) * 1_000,
    width: Number(width),
    height: Number(height),
  }));
  return { pictures };
}

/** How loud a file is around a pitch, in decibels of full scale. */
export function loudnessAt(file: Buffer, hertz: number): number {
  const { stderr } = spawnSync(
    ffmpegPath(),
    ['-i', 'pipe:0', '-af', `bandpass=f=${hertz}:width_type=h:w=100,volumedetect`, '-f', 'null', '-'],
    { input: file, maxBuffer: 1 << 26 },
  );
  return Number(/mean_volume: (-?[0-9.]+) dB/.exec(stderr.toString())?.[1] ?? -91);
}

/** Where the last packet of a file begins, in milliseconds; -1 for a file without any. */
export async function playsTo(file: Buffer): Promise<number> {
  const { stdout } = await run(
    ffmpegPath().replace(/ffmpeg$/, 'ffprobe'),
    ['-v', 'quiet', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', 'pipe:0'],
    file,
  );
  const times = stdout.toString('latin1').split('\n').map(Number.parseFloat).filter(Number.isFinite);
  return times.length === 0 ? -1 : Math.max(...times) * 1_000;
}

async function made(
  { mimeType, clockRate }: { mimeType: string; clockRate: number },
  encoder: readonly string[],
): Promise<MadeTrack> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 8 * 1024 * 1024 });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const received: Buffer[] = [];
  socket.on('message', (packet) => void received.push(packet));
  const target = `rtp://127.0.0.1:${socket.address().port}?pkt_size=1200&rtcpport=9`;
  // Ten times as fast as it will be sent: fast enough to wait for, slow enough to lose nothing.
  const { stderr } = await run(
    ffmpegPath(),
    ['-v', 'error', '-nostdin', '-readrate', '10', ...encoder, '-payload_type', '96', '-f', 'rtp', target],
    null,
  );
  // What the kernel still holds comes in the next turns of the loop.
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.close();
  const first = received[0];
  if (first === undefined) throw new Error(`ffmpeg made no packets: ${stderr}`);
  for (const [index, packet] of received.entries()) {
    if (packet.readUInt16BE(2) !== ((first.readUInt16BE(2) + index) & 0xffff)) {
      throw new Error(`packet ${index} of the made track was lost on its way into the test`);
    }
  }
  const packets = received.map((packet) => ({
    ticks: (packet.readUInt32BE(4) - first.readUInt32BE(4)) >>> 0,
    marker: (packet.readUInt8(1) & 0x80) !== 0,
    payload: packet.subarray(12),
  }));
  return { mimeType, clockRate, packets };
}

async function piped(
  reading: readonly string[],
  { input, output, readsErrors = false }: { input: Buffer; output: readonly string[]; readsErrors?: boolean },
): Promise<Buffer> {
  const level = readsErrors ? 'info' : 'quiet';
  const { stdout, stderr } = await run(
    ffmpegPath(),
    ['-v', level, '-nostdin', '-hide_banner', '-nostats', ...reading, ...output],
    input,
  );
  return readsErrors ? Buffer.from(stderr, 'latin1') : stdout;
}

async function run(
  command: string,
  args: readonly string[],
  input: Buffer | null,
): Promise<{ stdout: Buffer; stderr: string }> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => void output.push(chunk));
  child.stderr.setEncoding('latin1').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? undefined);
  await once(child, 'close');
  return { stdout: Buffer.concat(output), stderr };
}
