import { Changes } from './changes.ts';

const STORAGE_KEY = 'teleconsult.device-check';

/** Older than this, it says nothing about today's call. */
const KEPT_MS = 30 * 24 * 3_600_000;

/** When this device was last checked, and whether everything worked. Nothing else of it is kept. */
export interface LastCheck {
  readonly at: number;
  readonly well: boolean;
}

/** Told when a check was made, so that the visit page behind the dialog shows it. */
export const checkChanges = new Changes();

/** Null when there was none within a month, or what is kept cannot be read. */
export function lastCheck(now = Date.now()): LastCheck | null {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? 'null');
    if (typeof kept !== 'object' || kept === null) return null;
    const { at, well } = kept as Partial<Record<keyof LastCheck, unknown>>;
    if (typeof at !== 'number' || typeof well !== 'boolean') return null;
    return at > now || now - at > KEPT_MS ? null : { at, well };
  } catch {
    return null;
  }
}

export function rememberCheck(check: LastCheck): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(check));
  } catch {
    // Without storage it is simply not remembered.
  }
  checkChanges.announce();
}
