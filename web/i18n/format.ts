import { language, locale } from './language.ts';

const DAY_MS = 24 * 60 * 60_000;

const two = (value: number): string => String(value).padStart(2, '0');

/** `14:05`, or `2:05 PM` where that is the custom. */
export const timeOfDay = (at: number): string =>
  new Intl.DateTimeFormat(locale(), { hour: 'numeric', minute: '2-digit' }).format(at);

/** The full moment, for tooltips and screen readers. */
export const moment = (at: number): string =>
  new Intl.DateTimeFormat(locale(), { dateStyle: 'long', timeStyle: 'short' }).format(at);

const startOfDay = (at: number): number => new Date(at).setHours(0, 0, 0, 0);

/** Days are counted by the reader's calendar; rounding absorbs the hour that daylight saving moves. */
export const daysBetween = (at: number, now: number): number =>
  Math.round((startOfDay(now) - startOfDay(at)) / DAY_MS);

export const isSameDay = (a: number, b: number): boolean => startOfDay(a) === startOfDay(b);

/** `Today`, `Yesterday`, or the date; with the year when it is another one. */
export function day(at: number, now = Date.now()): string {
  const days = daysBetween(at, now);
  if (days === 0 || days === 1) {
    const text = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(-days, 'day');
    return text.charAt(0).toLocaleUpperCase(locale()) + text.slice(1);
  }
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return new Intl.DateTimeFormat(locale(), {
    weekday: 'long',
    month: 'long',
    day: 'numeric',
    ...(sameYear ? {} : { year: 'numeric' }),
  }).format(at);
}

/** How long ago, in the largest fitting unit: `5 minutes ago`, `yesterday`. */
export function ago(at: number, now = Date.now()): string {
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' });
  const minutes = Math.max(0, Math.round((now - at) / 60_000));
  if (minutes === 0) return relative.format(0, 'second');
  if (minutes < 60) return relative.format(-minutes, 'minute');
  const hours = Math.round(minutes / 60);
  if (hours < 24 && daysBetween(at, now) === 0) return relative.format(-hours, 'hour');
  return relative.format(-Math.max(1, daysBetween(at, now)), 'day');
}

/** A running clock: `0:07`, `12:30`, `1:02:30`. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours === 0 ? `${minutes}:${two(seconds % 60)}` : `${hours}:${two(minutes)}:${two(seconds % 60)}`;
}

/** A length in words: `3 min 12 sec`, `3分钟12秒`. Seconds are left out from an hour on. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 3600), 'hour'],
    [Math.floor(seconds / 60) % 60, 'minute'],
    [seconds >= 3600 ? 0 : seconds % 60, 'second'],
  ];
  const shown = parts.filter(([value]) => value > 0);
  return (shown.length === 0 ? [[0, 'second'] as [number, string]] : shown)
    .map(([value, unit]) =>
      new Intl.NumberFormat(locale(), { style: 'unit', unit, unitDisplay: 'short' }).format(value),
    )
    .join(language() === 'zh-CN' ? '' : ' ');
}

export const percent = (share: number): string =>
  new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: 0 }).format(share);

/** `820 B`, `2.4 MB`: binary steps, as the limits of the protocol are. */
export function byteSize(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
  let value = bytes;
  let step = 0;
  while (value >= 1024 && step < units.length - 1) {
    value /= 1024;
    step += 1;
  }
  return new Intl.NumberFormat(locale(), {
    style: 'unit',
    unit: units[step] ?? 'byte',
    unitDisplay: 'short',
    maximumFractionDigits: value < 10 && step > 0 ? 1 : 0,
  }).format(value);
}
