import { call } from './en/call.ts';
import { check } from './en/check.ts';
import { common } from './en/common.ts';
import { composer } from './en/composer.ts';
import { errors } from './en/errors.ts';
import { form } from './en/form.ts';
import { people } from './en/people.ts';
import { settings } from './en/settings.ts';
import { thread } from './en/thread.ts';
import { visit } from './en/visit.ts';
import type { Shape } from './shape.ts';

/** The English words, one file a part. */
export const en = {
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

/** The shape of a dictionary: every language has the keys of the English one. */
export type Messages = Shape<typeof en>;
