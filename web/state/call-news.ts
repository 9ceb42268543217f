import type { CallOutcome, InputDevice } from '@teleconsult/client-sdk/api';
import type { CallView, PersonId } from '@teleconsult/protocol';
import { timeOfDay } from '../i18n/format.ts';
import { messages } from '../i18n/language.ts';
import { isIn } from './call-people.ts';
import { information, type Notice } from './notice.ts';

interface Change {
  readonly before: CallView;
  readonly after: CallView;
  readonly self: PersonId;
  readonly nameOf: (personId: PersonId) => string;
  /** The small window says by itself who muted this person. */
  readonly isSmall: boolean;
}

/** What is new in a call that goes on, for those who are in it. Pure; the end of the call is told by the thread. */
export function newsOf({ before, after, self, nameOf, isSmall }: Change): readonly Notice[] {
  if (after.state === 'ended') return [];
  const { call, thread } = messages();
  const notices: Notice[] = [];
  for (const seat of after.seats) {
    const was = before.seats.find(({ personId }) => personId === seat.personId);
    if (seat.personId === self) {
      const isMutedNow = seat.mutedBy !== null && was?.mutedBy !== seat.mutedBy;
      if (isMutedNow && !isSmall && seat.mutedBy !== null && seat.mutedBy !== self)
        notices.push(information(call.mutedBy(nameOf(seat.mutedBy))));
      continue;
    }
    const name = nameOf(seat.personId);
    // Who can still come back is waited for, which the tile and the state of the call say.
    const wasIn = was !== undefined && isIn(was);
    if (wasIn && !isIn(seat) && seat.leftReason !== null)
      notices.push(information(thread.leftCall[seat.leftReason](name)));
    const isLostNow = was !== undefined && was.state !== 'left' && seat.state === 'left' && isIn(seat);
    if (isLostNow && seat.returnUntil !== null && after.seats.filter(isIn).length > 2)
      notices.push(information(call.lostUntil(name, timeOfDay(seat.returnUntil))));
    if (seat.screenOn && was?.screenOn === false) notices.push(information(call.screenOf(name)));
  }
  return notices;
}

/** Another device of the person answered or declined: this one stops ringing, and says why. */
export function outcomeNotice(outcome: CallOutcome | null): Notice | null {
  if (outcome !== 'answered_elsewhere' && outcome !== 'declined_elsewhere') return null;
  return information(messages().call.elsewhereOutcome[outcome]);
}

const keyOf = ({ kind, deviceId }: InputDevice): string => `${kind} ${deviceId}`;

/**
 * What was plugged in or out, by name where it is known: a headset is several devices with one name, so one is told.
 * `before` is null while it is not known what was there.
 */
export function deviceNews(
  before: readonly InputDevice[] | null,
  after: readonly InputDevice[],
): Notice | null {
  const { call } = messages();
  if (before === null) return information(call.devicesChanged);
  const had = new Set(before.map(keyOf));
  const has = new Set(after.map(keyOf));
  // `default` and `communications` are aliases of real devices.
  const isReal = ({ deviceId }: InputDevice) => deviceId !== 'default' && deviceId !== 'communications';
  const came = after.filter((device) => isReal(device) && !had.has(keyOf(device)));
  const went = before.filter((device) => isReal(device) && !has.has(keyOf(device)));
  const named = (devices: readonly InputDevice[]) => devices.find(({ label }) => label !== '')?.label;
  if (came.length > 0) {
    const label = named(came);
    return information(label === undefined ? call.devicesChanged : call.pluggedIn(label));
  }
  if (went.length > 0) {
    const label = named(went);
    return information(label === undefined ? call.devicesChanged : call.pluggedOut(label));
  }
  return null;
}
