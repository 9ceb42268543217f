import type { MediaSource, SentSource } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { DeviceSeat } from '../consultation/seats.ts';
import type { Seat } from '../consultation/state.ts';
import type { MediaRooms, SeatAddress } from './media-rooms.ts';

const SOURCES: readonly MediaSource[] = ['microphone', 'camera', 'screen'];

/** Whether the others get this source: the person wants it, and the system has not taken the microphone. */
export function isForwarded(seat: Seat, source: SentSource): boolean {
  switch (source) {
    case 'microphone':
    case 'microphone_g711':
      return seat.microphoneOn && !seat.interrupted;
    case 'camera':
      return seat.cameraOn;
    case 'screen':
      return seat.screenOn;
    default:
      return unreachable(source);
  }
}

/** Makes the media of a seat do what its state says. */
export async function followSources(
  media: MediaRooms,
  place: Pick<SeatAddress, 'consultationId' | 'callId'>,
  seat: DeviceSeat,
): Promise<void> {
  const { personId, deviceId } = seat;
  for (const source of SOURCES)
    await media.setSource({ ...place, personId, deviceId }, source, isForwarded(seat, source));
}
