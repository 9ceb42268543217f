import type { Call, SeatView } from '@teleconsult/client-sdk';

/** What an app says about a call between two, most important first. `self` is `client.personId`. */
export function wordsFor(call: Call | null, self: string | null): string {
  if (call === null) return 'No call.';
  if (call.role === 'elsewhere') return 'This call goes on on another device.';
  if (call.role === 'incoming') return 'You are called.';
  if (call.awaiting.length > 0) return 'You are in the call, and nobody hears you yet.';
  if (call.path === 'interrupted') return 'Your connection is interrupted. Reconnecting…';
  const other = call.view.seats.find(({ personId }) => personId !== self);
  return other === undefined ? 'Connecting…' : wordsForSeat(other);
}

function wordsForSeat(other: SeatView): string {
  switch (other.state) {
    case 'invited':
      return 'Ringing…';
    case 'connecting':
      return 'Connecting…';
    case 'present':
      return other.interrupted ? 'They take a phone call.' : 'Connected.';
    case 'reconnecting':
      return 'Their connection is interrupted. They are coming back.';
    case 'left':
      return other.returnUntil === null
        ? 'They have left.'
        : 'Their connection was lost. They can come back.';
    default:
      return other.state satisfies never;
  }
}
