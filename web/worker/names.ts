/** The same as in web/state/push.ts: a module shared with the pages would become a second file of the worker. */
export const SETTINGS_CACHE = 'teleconsult-settings';
export const LANGUAGE_KEY = '/notice-language';
export const REPLACED_KEY = '/subscription-replaced';
