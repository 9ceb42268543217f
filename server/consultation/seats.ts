/** Seats of a call: who has one, who is in the call, and how one is left. */
import type { CallId, CallMedia, DeviceId, PersonId, SeatLeftReason } from '@teleconsult/protocol';
import { unreachable } from '@teleconsult/protocol/unreachable';
import type { CallRecord, ConsultationState, Seat, Timings, WayBack } from './state.ts';
import type { SeatTickets } from './tickets.ts';

/** Fewest present seats that make a call live. */
const LIVE_SEATS = 2;

/** A seat that a device or a telephone holds, whether or not the device is there just now. */
export type HeldSeat = Extract<Seat, { state: 'connecting' | 'present' | 'reconnecting' }>;
export type InvitedSeat = Extract<Seat, { state: 'invited' }>;

/** The running call of this id; a call that ended or never was looks the same. */
export const runningCall = (state: ConsultationState, callId: CallId): CallRecord | null =>
  state.call?.callId === callId ? state.call : null;

export const seatOf = (call: CallRecord, personId: PersonId): Seat | undefined =>
  call.seats.find((seat) => seat.personId === personId);

export const isHeld = (seat: Seat): seat is HeldSeat =>
  seat.state === 'connecting' || seat.state === 'present' || seat.state === 'reconnecting';

/** Held by a device, and not by a telephone. */
export type DeviceSeat = HeldSeat & { readonly deviceId: DeviceId };
export const isOnDevice = (seat: Seat): seat is DeviceSeat => isHeld(seat) && seat.deviceId !== null;

/** Held by a device that is there, or on its way for the first time: not one that was lost. */
export const isThere = (seat: Seat): boolean => isOnDevice(seat) && seat.state !== 'reconnecting';

/** Held by the person's telephone. Any device of theirs may hang it up and switch its microphone. */
export const isOnPhone = (seat: Seat): boolean => isHeld(seat) && seat.deviceId === null;

export const isInvited = (seat: Seat): seat is InvitedSeat => seat.state === 'invited';

/** Whether this very device holds the seat. */
export const isHeldBy = (seat: Seat, deviceId: DeviceId): seat is DeviceSeat =>
  isHeld(seat) && seat.deviceId === deviceId;

/** Whether this very device was lost from the seat, and may still come back. */
export const isLostFrom = (seat: Seat, deviceId: DeviceId): boolean =>
  seat.state === 'left' && seat.wayBack !== null && seat.deviceId === deviceId;

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
    phone: null,
  }) as const;

/** The way back of a person who was lost, whether or not its time has passed unnoticed. */
export const wayBackOf = (seat: Seat): WayBack | null => (seat.state === 'left' ? seat.wayBack : null);

/** What the device of this seat takes it again with; null when it needs nothing. */
export function ticketsOf(seat: Seat): SeatTickets | null {
  switch (seat.state) {
    case 'invited':
    case 'connecting':
      return null;
    case 'present':
    case 'reconnecting':
      return seat.tickets;
    case 'left':
      return seat.wayBack?.tickets ?? null;
    default:
      return unreachable(seat);
  }
}

/**
 * A seat that is left keeps the device that held or declined it, and lets go of the screen. Until `returnUntil` (null:
 * never) its device's tickets open it.
 */
export function leftSeat(
  seat: Seat,
  how: {
    reason: SeatLeftReason;
    deviceId: DeviceId | null;
    now: number;
    returnUntil: number | null;
  },
): Seat {
  const { personId, microphoneOn, cameraOn, mutedBy, view } = seat;
  const { reason, deviceId, now, returnUntil } = how;
  const wishes = { microphoneOn, cameraOn, screenOn: false, mutedBy, view, interrupted: false, phone: null };
  const wayBack = returnUntil === null ? null : { until: returnUntil, tickets: ticketsOf(seat) };
  return { personId, state: 'left', since: now, reason, deviceId, wayBack, ...wishes };
}

/** Without the telephone that is rung beside it; one that holds the seat stays. */
export const withoutRing = (seat: Seat): Seat =>
  seat.state === 'present' && seat.deviceId === null ? seat : { ...seat, phone: null };

/** Somebody answers. Who answers while others still connect has as long as the first. */
export function answered(
  call: CallRecord,
  { now, timings }: { readonly now: number; readonly timings: Timings },
): CallRecord {
  if (call.phase.name === 'live') return call;
  const answeredAt = call.phase.name === 'connecting' ? call.phase.answeredAt : now;
  return { ...call, phase: { name: 'connecting', answeredAt, until: now + timings.connectMs } };
}

/** An answered call with enough present seats is live. */
export function settled(call: CallRecord): CallRecord {
  if (call.phase.name !== 'connecting') return call;
  const present = call.seats.filter(({ state }) => state === 'present').length;
  if (present < LIVE_SEATS) return call;
  return { ...call, phase: { name: 'live', answeredAt: call.phase.answeredAt } };
}
