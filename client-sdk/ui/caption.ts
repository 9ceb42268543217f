import { unreachable } from '@teleconsult/protocol/unreachable';
import type { FloatingLanguage } from './floating-call-api.ts';
import type { Hint, RunningScene, Scene } from './scene.ts';
import { LOCALES, type Words } from './words.ts';

export interface Speech {
  readonly words: Words;
  readonly language: FloatingLanguage;
}

/** The state of the call in a few words, as it stands under the name. */
export function captionOf(scene: Scene, { words, language }: Speech, now: number): string {
  switch (scene.kind) {
    case 'none':
      return '';
    case 'restoring':
      return words.restoring;
    case 'elsewhere':
      return elsewhereInWords(scene, { words, language });
    case 'ended':
      return endingOf(scene, words);
    case 'call':
      return situationInWords(scene, { words, language }, now);
    default:
      return unreachable(scene);
  }
}

export function situationInWords(
  { situation, name, picture, isByPhone }: RunningScene,
  { words, language }: Speech,
  now: number,
): string {
  const other = name ?? words.other;
  switch (situation.kind) {
    case 'ringing':
      return words.ringing;
    case 'connecting':
      return words.connecting;
    case 'restoring':
      return words.restoring;
    case 'reconnecting':
      return words.reconnecting;
    case 'otherReconnecting':
      return picture === null ? words.otherReconnecting(other) : words.stillPicture(other);
    case 'otherLost':
      return words.otherLost(other, clockTime(situation.until, language));
    case 'otherInterrupted':
      return words.otherInterrupted(other);
    case 'interrupted':
      return words.interrupted;
    case 'live':
      return (isByPhone ? `${words.byPhone} · ` : '') + duration(now - situation.since);
    default:
      return unreachable(situation);
  }
}

/** Whether another device has the call, the person's telephone, or nothing of theirs. */
export function elsewhereInWords(
  { loss, isByPhone }: Extract<Scene, { kind: 'elsewhere' }>,
  { words, language }: Speech,
): string {
  if (loss === null) return isByPhone ? words.ownPhone : words.elsewhere;
  return loss.until === null ? words.lost : words.lostUntil(clockTime(loss.until, language));
}

export function endingOf({ ending }: Extract<Scene, { kind: 'ended' }>, words: Words): string {
  return (ending === null ? undefined : words.endedBecause[ending]) ?? words.ended;
}

export function hintInWords(hint: Hint, words: Words): string {
  switch (hint.kind) {
    case 'speaksMuted':
      return words.speaksMuted;
    case 'refused':
    case 'unavailable':
      return words[hint.kind][hint.source];
    default:
      return unreachable(hint);
  }
}

/** What waits for a tap, and why. */
export function awaitedInWords({ awaited }: RunningScene, words: Words): string {
  if (awaited === null) return '';
  return [
    ...(awaited.sources.length > 0 ? [words.awaitingSources(awaited.sources)] : []),
    ...(awaited.sound ? [words.awaitingSound] : []),
  ].join(' ');
}

/** Hours and minutes, as the person's country writes them where the language is theirs. */
function clockTime(at: number, language: FloatingLanguage): string {
  const own = navigator.languages.find((tag) => tag.toLowerCase().startsWith(language));
  return new Intl.DateTimeFormat(own ?? LOCALES[language], { hour: '2-digit', minute: '2-digit' }).format(at);
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (part: number): string => String(part).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${two(minutes)}:${two(rest)}`;
}
