import { phone as en } from './en/phone.ts';
import { language } from './language.ts';
import type { Shape } from './shape.ts';
import { phone as zhCn } from './zh-cn/phone.ts';

export type PhoneWords = Shape<typeof en>;

/** The words about masked phone calls, in the chosen language. A part of its own, fetched when there is one of them. */
export const phoneWords = (): PhoneWords => (language() === 'en' ? en : zhCn);
