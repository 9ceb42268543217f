import type { types } from 'mediasoup';
import type { SeatEvent } from '../sfu.ts';

export type PathState = Extract<SeatEvent, { type: 'transportChanged' }>['state'];

/**
 * What ICE and DTLS together say of a path; undefined while it is being set up. A device that closes its end
 * in order (DTLS `closed`) is disconnected and has not failed.
 */
export function pathState(ice: types.IceState, dtls: types.DtlsState): PathState | undefined {
  if (dtls === 'failed') return 'failed';
  if (dtls === 'closed' || ice === 'disconnected' || ice === 'closed') return 'disconnected';
  if (dtls === 'connected' && (ice === 'connected' || ice === 'completed')) return 'connected';
  return undefined;
}
