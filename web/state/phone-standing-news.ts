import { phoneWords } from '../i18n/phone.ts';
import { phoneNumber } from './phone-number.ts';
import type { PhoneStanding } from './phone-standing.ts';

const keyOf = (standing: PhoneStanding): string =>
  standing.is === 'working' ? `${standing.is} ${standing.binding.state}` : standing.is;

/**
 * What changed while the dialog was open, for who does not see it; null: nothing, and empty: what was said before is over.
 * How it was when the dialog opened is read like the rest of it.
 */
export function standingNews(before: PhoneStanding | null, now: PhoneStanding): string | null {
  if (before === null || keyOf(before) === keyOf(now)) return null;
  const words = phoneWords();
  switch (now.is) {
    case 'bound':
      return words.ready(phoneNumber(now.number));
    case 'working':
      return now.binding.state === 'unbinding' ? words.givingBack : words.getting;
    case 'none':
      return now.last?.unboundReason == null ? '' : words.unbound[now.last.unboundReason];
    // The thread says aloud who does not want to be phoned.
    case 'refused':
    case 'unavailable':
    case 'unreachable':
    case 'ofOthers':
      return '';
    default: {
      const unreachable: never = now;
      return unreachable;
    }
  }
}
