/** The announcements as they are said: ours, spoken by a machine, or the operator's own recordings in their place. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PhoneLanguage, PROMPTS, type PromptId } from '../ports.ts';
import { SAMPLE_RATE } from '../rtp/g711.ts';
import { speechLevel } from './loudness.ts';
import { aLawOfWav } from './wav.ts';

/** Half a second of sound says nothing; more than half a minute nobody listens to. */
const SHORTEST_MS = 500;
export const LONGEST_PROMPT_MS = 30_000;
/** Quieter than this nobody understands it on a phone. */
const QUIETEST_DB = -40;
const SOUND_FOLDER = new URL('./sound/', import.meta.url);

/** A-law, 8 kHz, one channel. */
export type Prompts = Readonly<Record<PhoneLanguage, Readonly<Record<PromptId, Uint8Array>>>>;

export interface PromptOptions {
  /** Holds `zh/<name>.wav` and `en/<name>.wav` for each announcement an operator has recorded; the others stay ours. */
  readonly overrideFolder?: string;
}

/** @throws Error that names the announcement that is missing or cannot be used; a server without one does not start */
export async function loadPrompts({ overrideFolder }: PromptOptions = {}): Promise<Prompts> {
  if (overrideFolder !== undefined) await checkFolder(overrideFolder);
  const [zh, en] = await Promise.all([load('zh', overrideFolder), load('en', overrideFolder)]);
  return { zh, en };
}

async function load(
  language: PhoneLanguage,
  overrideFolder: string | undefined,
): Promise<Readonly<Record<PromptId, Uint8Array>>> {
  const own =
    overrideFolder === undefined ? new Set<PromptId>() : await ownPrompts(join(overrideFolder, language));
  const one = async (id: PromptId): Promise<Uint8Array> => {
    const isOwn = overrideFolder !== undefined && own.has(id);
    try {
      const sound = isOwn
        ? aLawOfWav(await readFile(join(overrideFolder, language, `${id}.wav`)))
        : new Uint8Array(await readFile(new URL(`${language}/${id}.al`, SOUND_FOLDER)));
      check(sound);
      return sound;
    } catch (error) {
      const whose = isOwn ? 'the clinic’s own recording' : 'the recording';
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`telephone announcements: ${whose} of ${language}/${id} cannot be used: ${why}`, {
        cause: error,
      });
    }
  };
  const entries = await Promise.all(PROMPTS.map(async (id) => [id, await one(id)] as const));
  return recordOf(new Map(entries));
}

/** A folder that is not there, or holds another language, was meant to be heard and would not be. */
async function checkFolder(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new Error('telephone announcements: the folder of own recordings cannot be read', { cause: error });
  });
  const other = names.find((name) => !name.startsWith('.') && name !== 'zh' && name !== 'en');
  if (other !== undefined)
    throw new Error(
      `telephone announcements: ${join(folder, other)} is not the folder of a language (zh, en)`,
    );
}

/** Which announcements lie in a folder of the operator. One with a wrong name would never be heard, so it is refused. */
async function ownPrompts(folder: string): Promise<Set<PromptId>> {
  const names = (await readdir(folder).catch(allowMissing)).filter((name) => !name.startsWith('.'));
  const found = new Set<PromptId>();
  for (const name of names) {
    const id = PROMPTS.find((prompt) => name === `${prompt}.wav`);
    if (id === undefined) throw new Error(`telephone announcements: ${join(folder, name)} is none`);
    found.add(id);
  }
  return found;
}

function check(sound: Uint8Array): void {
  const ms = (sound.length * 1_000) / SAMPLE_RATE;
  if (ms < SHORTEST_MS || ms > LONGEST_PROMPT_MS)
    throw new Error(`it lasts ${Math.round(ms)} ms instead of ${SHORTEST_MS} to ${LONGEST_PROMPT_MS}`);
  const level = speechLevel(sound);
  if (level < QUIETEST_DB) throw new Error('it is too quiet to be heard');
}

function allowMissing(error: unknown): string[] {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
  throw error;
}

function recordOf(sounds: ReadonlyMap<PromptId, Uint8Array>): Record<PromptId, Uint8Array> {
  const of = (id: PromptId): Uint8Array => {
    const sound = sounds.get(id);
    if (sound === undefined) throw new Error(`telephone announcements: ${id} is missing`);
    return sound;
  };
  return {
    expired: of('expired'),
    stranger: of('stranger'),
    visit_ended: of('visit_ended'),
    refused: of('refused'),
    unavailable: of('unavailable'),
    no_answer: of('no_answer'),
    busy: of('busy'),
    recorded: of('recorded'),
    consent: of('consent'),
    consent_given: of('consent_given'),
    consent_refused: of('consent_refused'),
    connecting: of('connecting'),
    time_nearly_over: of('time_nearly_over'),
    time_over: of('time_over'),
  };
}
