import { locale } from '../i18n/language.ts';

/** `Anna, Jonas and Wei`, `张三、李四和王五`. */
export const listed = (names: readonly string[]): string =>
  new Intl.ListFormat(locale(), { type: 'conjunction' }).format(names);
