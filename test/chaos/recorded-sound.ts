import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { ffmpegPath } from '../helpers/tones.ts';

/** A recorded file with a beep every half second, as a recorder writes it; behind `silentFrom` seconds it is silent. */
export async function encoded(seconds: number, silentFrom = seconds): Promise<Buffer> {
  const gate = `lt(mod(t,0.5),0.1)*lt(t,${silentFrom})`;
  const source = `aevalsrc='if(${gate},0.5*sin(2*PI*1000*t),0)':s=48000:d=${seconds}`;
  const child = spawn(
    ffmpegPath(),
    [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      source,
      '-c:a',
      'libopus',
      '-b:a',
      '24k',
      '-f',
      'webm',
      '-live',
      '1',
      'pipe:1',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return buffer(child.stdout);
}
