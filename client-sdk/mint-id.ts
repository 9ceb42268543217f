import type { ClientMessageId, DeviceId } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';

const STORAGE_KEY = 'teleconsult.deviceId';
/** As the protocol's `DeviceId`. */
const DEVICE_ID = /^[A-Za-z0-9_-]{8,64}$/;
/** 128 random bits: the chance that two of a person's messages share an id is nil. */
const ID_BYTES = 16;

export function mintClientMessageId(): ClientMessageId {
  return `m-${randomHex()}` as ClientMessageId;
}

/** Tells this page from others of the same browser, as long as it lives. */
export function mintPageId(): string {
  return randomHex();
}

/** The app's own id, or the one kept in this browser, or a new one. */
export function resolveDeviceId(given: string | undefined): DeviceId {
  if (given !== undefined) {
    if (!DEVICE_ID.test(given)) throw new AppError('INVALID', { detail: 'deviceId' });
    return given as DeviceId;
  }
  const kept = readKept();
  if (kept !== null && DEVICE_ID.test(kept)) return kept as DeviceId;
  const minted = `d-${randomHex()}` as DeviceId;
  keep(minted);
  return minted;
}

function randomHex(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(ID_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

// Storage may be missing (Node), switched off, or full; an id that lasts as long as the page serves then.
function readKept(): string | null {
  try {
    return globalThis.localStorage?.getItem(STORAGE_KEY) ?? null;
  } catch {
    return null;
  }
}

function keep(deviceId: DeviceId): void {
  try {
    globalThis.localStorage?.setItem(STORAGE_KEY, deviceId);
  } catch {
    // See above.
  }
}
