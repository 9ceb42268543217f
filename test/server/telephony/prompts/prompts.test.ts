import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PROMPTS } from '@teleconsult/server/telephony/ports';
import { speechLevel } from '@teleconsult/server/telephony/prompts/loudness';
import { PHONE_LANGUAGES, PromptManifest, sha256 } from '@teleconsult/server/telephony/prompts/manifest';
import { loadPrompts } from '@teleconsult/server/telephony/prompts/prompts';
import { PROMPT_TEXTS } from '@teleconsult/server/telephony/prompts/texts';
import { expect, test } from 'vitest';
import { tempDir } from '../../../helpers/temp-dir.ts';
import { levelOf, toneOf } from '../rtp/telephone.ts';

const SOUND = new URL('../../../../server/telephony/prompts/sound/', import.meta.url);

test('[PRM1] every announcement exists in every language, lasts 1 to 15 s and is as loud as speech on a phone', async () => {
  const prompts = await loadPrompts();
  for (const language of PHONE_LANGUAGES) {
    for (const id of PROMPTS) {
      const sound = prompts[language][id];
      const seconds = sound.length / 8_000;
      expect(seconds, `${language}/${id}`).toBeGreaterThan(1);
      expect(seconds, `${language}/${id}`).toBeLessThan(15);
      expect(Math.abs(speechLevel(sound) + 21), `${language}/${id}`).toBeLessThan(4);
    }
  }
});

test('[PRM2] each recording was spoken from the text that stands in the table', async () => {
  const manifest = PromptManifest.parse(JSON.parse(await readFile(new URL('manifest.json', SOUND), 'utf8')));
  for (const language of PHONE_LANGUAGES) {
    for (const id of PROMPTS) {
      const known = manifest[language][id];
      expect(known?.text, `${language}/${id}: run node scripts/prompts/make.ts`).toBe(
        sha256(PROMPT_TEXTS[language][id]),
      );
      expect(known?.sound).toBe(sha256(await readFile(new URL(`${language}/${id}.al`, SOUND))));
    }
    expect((await readdir(new URL(`${language}/`, SOUND))).toSorted()).toEqual(
      PROMPTS.map((id) => `${id}.al`).toSorted(),
    );
  }
});

test('[PRM3] no text holds a number, and Chinese is written in Chinese', () => {
  for (const id of PROMPTS) {
    expect(PROMPT_TEXTS.zh[id]).toMatch(/^[\p{Script=Han}，。]+$/u);
    expect(PROMPT_TEXTS.en[id]).toMatch(/^[A-Za-z12 ,.:]+$/);
  }
  expect(PROMPT_TEXTS.zh.consent).toMatch(/同意请按一，不同意请按二/);
  expect(PROMPT_TEXTS.en.consent).toMatch(/agree, press 1\. .*refuse, press 2/i);
});

test('[PRM4] an operator’s own recordings, A-law, µ-law or 16 bit, are said in place of ours', async () => {
  await using folder = await tempDir();
  await mkdir(join(folder.path, 'zh'));
  const sound = toneOf(440, 1_500);
  await writeFile(
    join(folder.path, 'zh', 'recorded.wav'),
    wav({ format: 6, bits: 8, data: Buffer.from(sound) }),
  );
  const samples = Buffer.alloc(24_000);
  for (let at = 0; at < 12_000; at += 1)
    samples.writeInt16LE(Math.round(8_000 * Math.sin((2 * Math.PI * 1_000 * at) / 8_000)), 2 * at);
  await writeFile(join(folder.path, 'zh', 'busy.wav'), wav({ format: 1, bits: 16, data: samples }));
  const ours = await loadPrompts();
  const own = await loadPrompts({ overrideFolder: folder.path });
  expect(own.zh.recorded).toEqual(sound);
  expect(levelOf(1_000, own.zh.busy)).toBeCloseTo(1, 1);
  expect(own.zh.expired).toEqual(ours.zh.expired);
  expect(own.en).toEqual(ours.en);
});

test('[PRM5] what cannot be said stops the server at its start, and the message names the recording', async () => {
  const bad: readonly [string, Buffer, RegExp][] = [
    ['recorded.wav', Buffer.from('not a sound'), /zh\/recorded .*not a WAV/],
    ['recorded.wav', wav({ format: 6, bits: 8, data: Buffer.from(toneOf(440, 100)) }), /100 ms/],
    ['recorded.wav', wav({ format: 6, bits: 8, data: Buffer.alloc(16_000, 0xd5) }), /too quiet/],
    ['recorded.wav', wav({ format: 6, bits: 8, data: Buffer.alloc(16_000), rate: 16_000 }), /8000 samples/],
    ['recorded.wav', wav({ format: 6, bits: 8, data: Buffer.alloc(16_000), channels: 2 }), /one channel/],
    ['recorded.wav', wav({ format: 85, bits: 8, data: Buffer.alloc(16_000) }), /must be A-law/],
    [
      'recordet.wav',
      wav({ format: 6, bits: 8, data: Buffer.from(toneOf(440, 1_500)) }),
      /recordet\.wav is none/,
    ],
  ];
  for (const [name, file, message] of bad) {
    await using folder = await tempDir();
    await mkdir(join(folder.path, 'zh'));
    await writeFile(join(folder.path, 'zh', name), file);
    await expect(loadPrompts({ overrideFolder: folder.path })).rejects.toThrow(message);
  }
  await using folder = await tempDir();
  await expect(loadPrompts({ overrideFolder: join(folder.path, 'none') })).rejects.toThrow(/cannot be read/);
  await mkdir(join(folder.path, 'zh-CN'));
  await expect(loadPrompts({ overrideFolder: folder.path })).rejects.toThrow(/not the folder of a language/);
});

function wav(made: { format: number; bits: number; data: Buffer; rate?: number; channels?: number }): Buffer {
  const { format, bits, data, rate = 8_000, channels = 1 } = made;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(format, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE((rate * bits * channels) / 8, 28);
  header.writeUInt16LE((bits * channels) / 8, 32);
  header.writeUInt16LE(bits, 34);
  header.write('data', 36);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}
