/**
 * Speaks every announcement with espeak-ng: `node scripts/prompts/make.ts`. Needs espeak-ng (1.51 or later) and ffmpeg.
 * Only those whose text has changed are spoken anew, or all with `--all`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { type PhoneLanguage, PROMPTS, type PromptId } from '../../server/telephony/ports.ts';
import { PHONE_LANGUAGES, PromptManifest, sha256 } from '../../server/telephony/prompts/manifest.ts';
import { PROMPT_TEXTS } from '../../server/telephony/prompts/texts.ts';
import { SAMPLE_RATE, toALaw } from '../../server/telephony/rtp/g711.ts';

const FOLDER = new URL('../../server/telephony/prompts/sound/', import.meta.url);
const MANIFEST = new URL('manifest.json', FOLDER);
const FFMPEG = process.env['FFMPEG_PATH'] ?? 'ffmpeg';
/**
 * Slower than people read, for old people and bad lines. The voice `cmn` of espeak-ng 1.51 reads Chinese characters as
 * English spellings of their pinyin (“nin-two”); `cmn-latn-pinyin` speaks them.
 */
const VOICES: Readonly<Record<PhoneLanguage, readonly string[]>> = {
  zh: ['-v', 'cmn-latn-pinyin', '-s', '190'],
  en: ['-v', 'en', '-s', '160', '-g', '1'],
};
/** What a telephone carries. */
const BAND = 'highpass=f=250,lowpass=f=3400';
const SPEECH_DB = -20;
const PEAK = 0.89;
/** Trimmed where it is quieter than this, with so much left before and after. */
const QUIET = 0.01;
const LEAD_MS = 60;
const TAIL_MS = 200;

async function piped(command: string, args: readonly string[], input: Buffer | string): Promise<Buffer> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(input);
  const [output, [code]] = await Promise.all([buffer(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
  return output;
}

async function speak(language: PhoneLanguage, text: string): Promise<Uint8Array> {
  const spoken = await piped('espeak-ng', [...VOICES[language], '--stdin', '--stdout'], text);
  const raw = await piped(
    FFMPEG,
    [
      ...['-v', 'error', '-i', 'pipe:0', '-af', BAND, '-ac', '1', '-ar', `${SAMPLE_RATE}`],
      ...['-bitexact', '-f', 's16le', 'pipe:1'],
    ],
    spoken,
  );
  const samples = Float64Array.from({ length: raw.length >> 1 }, (_, at) => raw.readInt16LE(2 * at) / 32_768);
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  const isHeard = (sample: number): boolean => Math.abs(sample) > QUIET * peak;
  const first = samples.findIndex(isHeard);
  const last = samples.findLastIndex(isHeard);
  if (first === -1) throw new Error('nothing was spoken');
  const trimmed = samples.subarray(
    Math.max(0, first - (LEAD_MS * SAMPLE_RATE) / 1_000),
    last + (TAIL_MS * SAMPLE_RATE) / 1_000,
  );
  // The mean of what is spoken, pauses left out; peaks are bent, not cut.
  const spokenOnes = trimmed.filter((sample) => Math.abs(sample) > 0.05 * peak);
  const mean = Math.sqrt(spokenOnes.reduce((sum, sample) => sum + sample ** 2, 0) / spokenOnes.length);
  const gain = 10 ** (SPEECH_DB / 20) / mean;
  return Uint8Array.from(trimmed, (sample) => toALaw(Math.round(32_767 * bent(sample * gain))));
}

const bent = (sample: number): number => PEAK * Math.tanh(sample / PEAK);

async function readManifest(): Promise<PromptManifest | null> {
  const read = await readFile(MANIFEST, 'utf8').catch(() => null);
  if (read === null || process.argv.includes('--all')) return null;
  const parsed = PromptManifest.safeParse(JSON.parse(read));
  return parsed.success ? parsed.data : null;
}

const before = await readManifest();
const manifest: Record<PhoneLanguage, Partial<Record<PromptId, { text: string; sound: string }>>> = {
  zh: {},
  en: {},
};
let bytes = 0;
for (const language of PHONE_LANGUAGES) {
  await mkdir(new URL(`${language}/`, FOLDER), { recursive: true });
  for (const id of PROMPTS) {
    const text = PROMPT_TEXTS[language][id];
    const file = new URL(`${language}/${id}.al`, FOLDER);
    const known = before?.[language][id];
    const kept = known?.text === sha256(text) ? await readFile(file).catch(() => null) : null;
    const sound = kept !== null && sha256(kept) === known?.sound ? kept : await speak(language, text);
    if (sound !== kept) await writeFile(file, sound);
    manifest[language][id] = { text: sha256(text), sound: sha256(sound) };
    bytes += sound.length;
    console.log(
      `${language}/${id}: ${(sound.length / SAMPLE_RATE).toFixed(1)} s${sound === kept ? ', kept' : ''}`,
    );
  }
}
await writeFile(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
console.log(`${bytes} bytes together`);
