import type { Messages } from './en.ts';
import { call } from './zh-cn/call.ts';
import { check } from './zh-cn/check.ts';
import { common } from './zh-cn/common.ts';
import { composer } from './zh-cn/composer.ts';
import { errors } from './zh-cn/errors.ts';
import { form } from './zh-cn/form.ts';
import { people } from './zh-cn/people.ts';
import { settings } from './zh-cn/settings.ts';
import { thread } from './zh-cn/thread.ts';
import { visit } from './zh-cn/visit.ts';

/** The Simplified Chinese words. Each part has the shape of its English counterpart. */
export const zhCn: Messages = {
  ...common,
  ...visit,
  ...form,
  ...people,
  ...thread,
  ...composer,
  ...call,
  ...check,
  ...settings,
  ...errors,
};
