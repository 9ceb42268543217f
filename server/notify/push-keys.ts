import type { PushSettings } from './settings.ts';

/** Keys are made at the first start and kept in the data folder, for their owner alone. */
export async function pushSettings(_config: {
  readonly DATA_DIR: string;
  readonly PUSH_CONTACT?: string | undefined;
  readonly PUSH_ORIGINS: readonly string[];
  readonly production: boolean;
}): Promise<PushSettings | null> {
  return null;
}
