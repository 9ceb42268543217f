/** Seats of a call: who has one, who is in the call, and how one is left. */
import type { CallId, CallMedia, DeviceId, PersonId, SeatLeftReason } from '@teleconsult/protocol';
import type { CallRecord, ConsultationState, Seat } from './state.ts';

/** A seat that a device holds, whether or not the device is there just now. */
export type HeldSeat = Extract<Seat, { state: 'connecting' | 'present' | 'reconnecting' }>;
export type InvitedSeat = Extract<Seat, { state: 'invited' }>;

/** The running call of this id; a call that ended or never was looks the same. */
export const runningCall = (state: ConsultationState, callId: CallId): CallRecord | null =>
  state.call?.callId === callId ? state.call : null;

export const seatOf = (call: CallRecord, personId: PersonId): Seat | undefined =>
  call.seats.find((seat) => seat.personId === personId);

export const isHeld = (seat: Seat): seat is HeldSeat =>
  seat.state === 'connecting' || seat.state === 'present' || seat.state === 'reconnecting';

export const isInvited = (seat: Seat): seat is InvitedSeat => seat.state === 'invited';

/** Whether this very device holds the seat. */
export const isHeldBy = (seat: Seat, deviceId: DeviceId): seat is HeldSeat =>
  isHeld(seat) && seat.deviceId === deviceId;

export const replaceSeat = (call: CallRecord, seat: Seat): CallRecord => ({
  ...call,
  seats: call.seats.map((other) => (other.personId === seat.personId ? seat : other)),
});

/** What a seat wants to send when it begins: everything the call has, but no screen. */
export const freshSeat = (personId: PersonId, media: CallMedia, now: number) =>
  ({
    personId,
    since: now,
    microphoneOn: true,
    cameraOn: media === 'video',
    screenOn: false,
    mutedBy: null,
    view: 'full',
    interrupted: false,
  }) as const;

/** A seat that is left keeps the device that held or declined it, and lets go of the screen. */
export function leftSeat(
  seat: Seat,
  how: { reason: SeatLeftReason; deviceId: DeviceId | null; now: number },
): Seat {
  const { personId, microphoneOn, cameraOn, mutedBy, view } = seat;
  const { reason, deviceId, now } = how;
  const wishes = { microphoneOn, cameraOn, screenOn: false, mutedBy, view, interrupted: false };
  return { personId, state: 'left', since: now, reason, deviceId, ...wishes };
}
