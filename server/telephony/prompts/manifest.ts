/** Which text each sound was spoken from, so that the two never part. Written by `scripts/prompts/make.ts`. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PROMPTS } from '../ports.ts';

export const PHONE_LANGUAGES = ['zh', 'en'] as const;

/** SHA-256, in hex. */
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const OfLanguage = z.strictObject(
  Object.fromEntries(PROMPTS.map((id) => [id, z.strictObject({ text: Sha256, sound: Sha256 })])),
);

export const PromptManifest = z.strictObject({ zh: OfLanguage, en: OfLanguage });
export type PromptManifest = z.infer<typeof PromptManifest>;

export const sha256 = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('hex');
