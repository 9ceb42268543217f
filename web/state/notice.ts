import type { MediaSource } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { messages } from '../i18n/language.ts';

/** Something the person should know now; shown as a toast and spoken. */
export interface Notice {
  readonly tone: 'info' | 'error';
  readonly text: string;
  /** Small print for whoever is asked for help. */
  readonly requestId?: string | undefined;
}

export const information = (text: string): Notice => ({ tone: 'info', text });
export const failure = (text: string): Notice => ({ tone: 'error', text });

/** A device that was refused or is missing, and what still works without it. */
function deviceNotice(error: AppError, source: Exclude<MediaSource, 'screen'>): Notice {
  const { call } = messages();
  const isDenied = error.code === 'PERMISSION_DENIED';
  if (source === 'camera') return failure(isDenied ? call.cameraDenied : call.cameraMissing);
  return failure(isDenied ? call.microphoneDenied : call.microphoneMissing);
}

/** An error in the words of the person; null for what the person stopped themselves. */
export function noticeOf(error: unknown, device?: MediaSource | null): Notice | null {
  if (!(error instanceof AppError)) {
    // A bug: it belongs in the console and with whoever watches `error` events, not in the words of the person.
    reportError(error);
    return failure(messages().errors.INTERNAL);
  }
  if (error.code === 'ABORTED') return null;
  const isOfDevice = error.code === 'PERMISSION_DENIED' || error.code === 'DEVICE_UNAVAILABLE';
  if (isOfDevice && device != null && device !== 'screen') return deviceNotice(error, device);
  return { tone: 'error', text: messages().errors[error.code], requestId: error.requestId };
}
