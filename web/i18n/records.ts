import { records as en } from './en/records.ts';
import { language } from './language.ts';
import type { Shape } from './shape.ts';
import { records as zhCn } from './zh-cn/records.ts';

export type RecordsWords = Shape<typeof en>;

/** The words about what is recorded, in the chosen language. A part of its own, fetched when there is something to say. */
export const recordsWords = (): RecordsWords => (language() === 'en' ? en : zhCn);
