/** What every adapter of a speech service keeps. */
import type { Transcriber } from '@teleconsult/server/speech/transcriber';
import { describe, expect, test } from 'vitest';

export type Speech = 'fails' | 'hangs' | { readonly text: string };

export interface TranscriberUnderTest extends AsyncDisposable {
  readonly transcriber: Transcriber;
  /** What the next transcription does. */
  nextCall(speech: Speech): void;
  /** What the service was given, oldest first. */
  heard(): readonly { readonly bytes: number; readonly language: string | null }[];
}

const never = new AbortController().signal;

export async function* sound(chunks: number): AsyncGenerator<Uint8Array> {
  for (let number = 0; number < chunks; number += 1) yield new Uint8Array(3_200).fill(number);
}

export function transcriberContract(adapter: string, open: () => Promise<TranscriberUnderTest>): void {
  describe(`the speech service: ${adapter}`, () => {
    test('[SPCH1] the sound it is given comes back as words', async () => {
      await using under = await open();
      under.nextCall({ text: '我头疼 — headache' });
      const options = { language: 'zh', signal: never } as const;
      expect(await under.transcriber.transcribe(sound(10), options)).toBe('我头疼 — headache');
      expect(under.heard()).toMatchObject([{ bytes: 32_000, language: 'zh' }]);
    });

    test('[SPCH1] silence is no words, and the language may be unknown', async () => {
      await using under = await open();
      under.nextCall({ text: '' });
      expect(await under.transcriber.transcribe(sound(1), { language: null, signal: never })).toBe('');
      expect(under.heard()).toMatchObject([{ language: null }]);
    });

    test('[SPCH2] a service that fails makes it throw, and works again the next time', async () => {
      await using under = await open();
      under.nextCall('fails');
      const options = { language: null, signal: never } as const;
      await expect(under.transcriber.transcribe(sound(1), options)).rejects.toThrow();
      under.nextCall({ text: 'again' });
      expect(await under.transcriber.transcribe(sound(1), options)).toBe('again');
    });

    test('[SPCH2] a service that hangs is given up with the signal', async () => {
      await using under = await open();
      under.nextCall('hangs');
      const stopping = new AbortController();
      const options = { language: null, signal: stopping.signal } as const;
      const hanging = under.transcriber.transcribe(sound(1), options);
      stopping.abort(new Error('stopped'));
      await expect(hanging).rejects.toThrow();
    });

    test('[SPCH2] sound that breaks off makes it throw', async () => {
      await using under = await open();
      const broken = async function* (): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(3_200);
        throw new Error('broke off');
      };
      const options = { language: null, signal: never } as const;
      await expect(under.transcriber.transcribe(broken(), options)).rejects.toThrow();
    });

    test('[SPCH2] closed, it transcribes nothing any more', async () => {
      await using under = await open();
      await under.transcriber.close();
      await under.transcriber.close();
      const options = { language: null, signal: never } as const;
      await expect(under.transcriber.transcribe(sound(1), options)).rejects.toThrow();
    });
  });
}
