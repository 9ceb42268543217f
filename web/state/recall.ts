import type { MessageEntry } from '@teleconsult/protocol';
import { DEFAULT_RECALL_MS } from '@teleconsult/protocol/limits';

/**
 * How long a message may still be recalled, in milliseconds; 0: no more. By this device's clock, which may differ from
 * the server's: the server decides, and a refusal says so.
 */
export const recallLeftMs = ({ at, content }: MessageEntry, now: number): number =>
  content.type === 'withdrawn' ? 0 : Math.max(0, at + DEFAULT_RECALL_MS - now);
