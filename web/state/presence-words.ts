import { timeOfDay } from '../i18n/format.ts';
import { messages } from '../i18n/language.ts';
import { roomWords } from '../i18n/room.ts';
import type { CallPerson } from './call-people.ts';

/** What is the matter with somebody of the call, in words; null while they are simply there. */
export function presenceWords({ presence, phone, returnUntil, name }: CallPerson): string | null {
  if (presence === 'present') return null;
  if (presence === 'lost')
    return returnUntil === null
      ? roomWords().presence.reconnecting
      : messages().call.lostUntil(name, timeOfDay(returnUntil));
  if (presence === 'ringing' && phone === 'rings') return roomWords().phoneRings;
  return roomWords().presence[presence];
}
