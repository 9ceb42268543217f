import type { PhoneCallTape, PromptId } from '@teleconsult/server/telephony/ports';
import { loadPrompts } from '@teleconsult/server/telephony/prompts/prompts';
import { expect } from 'vitest';
import { numbersIn } from '../../../contract/relay.under-test.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { levelOf, soundOf, type Telephone } from '../rtp/telephone.ts';
import type { Stage, Talk } from './stage.ts';

export { ANN, BOB, CARA, OTHER_X, STRANGER, X } from '../../../contract/relay.under-test.ts';

/** Neither events nor the log hold a number. */
export function tellsNoNumberOf(stage: Stage): void {
  expect(numbersIn(JSON.stringify([...stage.core.events.values()]))).toEqual([]);
  expect(numbersIn(stage.log.text)).toEqual([]);
}

/** What the first call came to. */
export async function endOf(stage: Stage, end: string, call = 0) {
  const told = () => stage.core.told(stage.core.asked[call]?.callRef ?? '');
  await eventually(`the call ended ${end}`, () => told().end === end, { lastSeen: told });
  return told();
}

/** Both speak for a while, each with a tone of their own; resolves when each has heard the other. */
export async function talkBothWays(a: Talk, b: Talk): Promise<void> {
  const [fromA, fromB] = [a.phone.arrived.length, b.phone.arrived.length];
  await Promise.all([
    a.phone.tone(a.to, { frequency: 440, frames: 30, everyMs: 20 }),
    b.phone.tone(b.to, { frequency: 1_000, frames: 30, everyMs: 20 }),
  ]);
  const heard = () => ({
    a: levelOf(1_000, soundOf(a.phone.arrived.slice(fromA)).subarray(-3_200)),
    b: levelOf(440, soundOf(b.phone.arrived.slice(fromB)).subarray(-3_200)),
  });
  await eventually('each hears the other', () => heard().a > 0.6 && heard().b > 0.6, { lastSeen: heard });
}

const prompts = loadPrompts();

/** How many frames of an announcement a phone was sent, in their order. */
export async function framesHeard(
  phone: Telephone,
  prompt: PromptId,
  language: 'zh' | 'en' = 'zh',
  from = 0,
): Promise<{ frames: number; of: number }> {
  const sound = Buffer.from((await prompts)[language][prompt]);
  const of = Math.floor(sound.length / 160);
  let frames = 0;
  for (const { packet } of phone.arrived.slice(from)) {
    const expected = sound.subarray(frames * 160, frames * 160 + 160);
    if (frames < of && expected.equals(packet.payload)) frames += 1;
  }
  return { frames, of };
}

/** Resolves when the announcement was heard from its beginning to its end, or so many of its frames. */
export async function hears(
  phone: Telephone,
  prompt: PromptId,
  {
    language = 'zh',
    from = 0,
    frames = Number.POSITIVE_INFINITY,
  }: { language?: 'zh' | 'en'; from?: number; frames?: number } = {},
): Promise<void> {
  let last: unknown;
  await eventually(
    `“${prompt}” is heard`,
    async () => {
      const heard = await framesHeard(phone, prompt, language, from);
      last = heard;
      return heard.frames >= Math.min(heard.of, frames);
    },
    { withinMs: 15_000, lastSeen: () => last },
  );
}

export interface KeptTape extends PhoneCallTape {
  readonly bytes: () => Uint8Array;
  closed: number;
}

export function keptTape(): KeptTape {
  const pieces: Uint8Array[] = [];
  const tape: KeptTape = {
    closed: 0,
    bytes: () => Buffer.concat(pieces),
    append: (samples) => void pieces.push(Uint8Array.from(samples)),
    close: async () => {
      tape.closed += 1;
    },
  };
  return tape;
}
