import { dialogs as en } from './en/dialogs.ts';
import { language } from './language.ts';
import type { Shape } from './shape.ts';
import { dialogs as zhCn } from './zh-cn/dialogs.ts';

export type DialogWords = Shape<typeof en>;

/** The words inside dialogs that most visits never open, in the chosen language. Fetched with the first of them. */
export const dialogWords = (): DialogWords => (language() === 'en' ? en : zhCn);
