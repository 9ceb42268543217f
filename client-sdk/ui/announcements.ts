import {
  awaitedInWords,
  elsewhereInWords,
  endingOf,
  hintInWords,
  type Speech,
  situationInWords,
} from './caption.ts';
import type { FloatingState } from './floating-call-api.ts';
import type { RunningScene, Scene } from './scene.ts';

/** A sentence for people who do not see the window. */
export interface Announcement {
  readonly text: string;
  /** It interrupts what is being read. */
  readonly isUrgent: boolean;
}

export interface Look {
  readonly scene: Scene;
  readonly state: FloatingState;
}

/**
 * What is new between two looks, in the order in which it is said. While the app shows the call large the words are its
 * own, but for what only this element knows.
 */
export function newsBetween(before: Look, after: Look, speech: Speech): readonly Announcement[] {
  const { words } = speech;
  const said = formNews(before, after, speech);
  const isLarge = after.state === 'expanded' || (after.state === 'none' && before.state === 'expanded');
  if (isLarge) return said;
  const [was, is] = [before.scene, after.scene];
  switch (is.kind) {
    case 'none':
      return was.kind === 'restoring' ? [...said, polite(words.notFound)] : said;
    case 'restoring':
      return was.kind === 'restoring' ? said : [...said, polite(words.restoring)];
    case 'elsewhere':
      return [...said, ...elsewhereNews(was, is, speech)];
    case 'ended':
      return was.kind === 'ended' ? said : [...said, urgent(words.sentence(endingOf(is, words)))];
    case 'call':
      return [...said, ...callNews(was, is, speech)];
  }
}

function formNews(before: Look, after: Look, { words }: Speech): readonly Announcement[] {
  const becameSmall = before.state === 'expanded' && isSmall(after.state);
  const changedSmall = isSmall(before.state) && isSmall(after.state) && before.state !== after.state;
  if (becameSmall || changedSmall) return [polite(words.small)];
  return isSmall(before.state) && after.state === 'expanded' ? [polite(words.large)] : [];
}

function elsewhereNews(
  was: Scene,
  is: Extract<Scene, { kind: 'elsewhere' }>,
  speech: Speech,
): readonly Announcement[] {
  const { words } = speech;
  const isLost = is.loss !== null;
  if (was.kind === 'elsewhere' && (was.loss !== null) === isLost && was.isByPhone === is.isByPhone) return [];
  if (!isLost && !is.isByPhone) return [polite(words.moved)];
  return [{ text: words.sentence(elsewhereInWords(is, speech)), isUrgent: isLost }];
}

function callNews(before: Scene, after: RunningScene, speech: Speech): readonly Announcement[] {
  const { words } = speech;
  const was = before.kind === 'call' && before.call === after.call ? before : null;
  const saidReturning = before.kind === 'restoring' && after.situation.kind === 'restoring';
  const asks = awaitedInWords(after, words);
  const asked = was === null ? '' : awaitedInWords(was, words);
  return [
    ...(saidReturning ? [] : situationNews(was, after, speech)),
    ...muteNews(was, after, speech),
    // Whoever changes to a telephone has no picture any more, and did not switch it off.
    ...(after.isByPhone && was?.isByPhone === false && was.personId === after.personId
      ? [polite(`${after.name ?? words.other}: ${words.byPhone}`)]
      : []),
    ...(after.hint !== null && after.hint !== was?.hint ? [polite(hintInWords(after.hint, words))] : []),
    ...(asks !== '' && asks !== asked ? [polite(`${asks} ${words.sentence(words.goOn)}`)] : []),
  ];
}

function situationNews(was: RunningScene | null, is: RunningScene, speech: Speech): readonly Announcement[] {
  const { words } = speech;
  const [from, to] = [was?.situation.kind ?? null, is.situation.kind];
  const isOfOther = to === 'otherReconnecting' || to === 'otherLost' || to === 'otherInterrupted';
  if (from === to && (!isOfOther || was?.name === is.name)) return [];
  const other = is.name ?? words.other;
  if (to === 'otherLost') return [urgent(words.sentence(situationInWords(is, speech, 0)))];
  if (to !== 'live') return [polite(situationInWords(is, speech, 0))];
  switch (from) {
    case 'restoring':
      return [polite(words.back(is.microphoneOn))];
    case 'reconnecting':
      return [polite(words.reconnected)];
    case 'otherReconnecting':
    case 'otherLost':
      // In a call of several another may be shown now, who was there all the time.
      return was?.personId === is.personId ? [polite(words.otherBack(other))] : [];
    case null:
      return is.call.isRestored ? [polite(words.back(is.microphoneOn))] : [];
    default:
      return [];
  }
}

function muteNews(was: RunningScene | null, is: RunningScene, { words }: Speech): readonly Announcement[] {
  if (was === null) return [];
  if (is.mutedByName !== null && was.mutedByName === null) return [polite(words.mutedBy(is.mutedByName))];
  if (is.microphoneOn === was.microphoneOn) return [];
  return [polite(is.microphoneOn ? words.unmuted : words.muted)];
}

const isSmall = (state: FloatingState): boolean => state !== 'none' && state !== 'expanded';
const polite = (text: string): Announcement => ({ text, isUrgent: false });
const urgent = (text: string): Announcement => ({ text, isUrgent: true });
