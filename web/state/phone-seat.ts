import type { SeatView } from '@teleconsult/protocol';

/** How a telephone takes part in somebody's place in a call. */
export type PhonePart = 'none' | 'rings' | 'holds';

export function phonePart({ phone, state }: Pick<SeatView, 'phone' | 'state'>): PhonePart {
  if (!phone || state === 'left') return 'none';
  return state === 'invited' ? 'rings' : 'holds';
}
