/** docs/RESUME-MEASURED.md and its picture. */
import type { CycleResult, SideTimes } from './cycle.ts';
import { type Summary, summaryOf, timesOfSide } from './times.ts';

export interface Measurement {
  readonly results: readonly CycleResult[];
  /** Causes in the order in which they are shown, with what they mean. */
  readonly causes: readonly { readonly name: string; readonly meaning: string }[];
  readonly seed: number;
  readonly date: string;
  readonly machine: string;
  readonly command: string;
  readonly barMs: number;
}

const SIDES = [
  ['own', 'whom it happened to'],
  ['other', 'the other side'],
] as const;

const ms = (value: number): string => `${Math.round(value)}`;
const cells = ({ n, min, median, p95, max }: Summary): string =>
  [String(n), ...[min, median, p95, max].map(ms)].join(' | ');

export function reportOf(measurement: Measurement): string {
  const { results, causes, seed, date, machine, command, barMs } = measurement;
  const kept = results.filter(({ violations }) => violations.length === 0).length;
  const gaveUp = results.filter(({ gaveUpVideo }) => gaveUpVideo).length;
  const rows = causes.flatMap(({ name }) =>
    SIDES.flatMap(([side, words]) => {
      const values = timesOfSide(ofCause(results, name), side);
      return values.length === 0 ? [] : [`| ${name} | ${words} | ${cells(summaryOf(values))} |`];
    }),
  );
  const whole = (words: string, of?: (times: SideTimes) => number | null): string => {
    const values = SIDES.flatMap(([side]) => timesOfSide(results, side, of));
    return `| ${words} | both | ${cells(summaryOf(values))} |`;
  };
  const broken = results.flatMap(({ cause, violations }) => violations.map((what) => `- ${cause}: ${what}`));
  return `# Resume, measured

Written by \`${command}\`; do not edit. ${date}, seed ${seed}.

A patient and a doctor in a video call in the reference pages, each in a Chromium of their own in a network namespace of
its own, the real server with real media workers. Something breaks, at either side, while each sends microphone and camera
or not as chance has it. Afterwards it has to be the same call with the same microphone and camera states, nobody told of
an ending, nobody there twice, the floating window there where the page was loaded anew, and both seeing and hearing what
is sent.

**${kept} of ${results.length} cycles kept all of that.**
${broken.length === 0 ? '' : `\n${broken.join('\n')}\n`}
${gaveUp === 0 ? '' : `In ${gaveUp} of them a side gave up video for a while, as it does when the network or the machine cannot keep up; the times are counted, too.\n`}
Milliseconds until the first newly decoded picture and the first new sound are both there, counted from the moment when
what was broken is there again: ${causes.map(({ name, meaning }) => `*${name}*: ${meaning}`).join('; ')}. What is looked
at every 100 ms is that much coarse; the microphone beeps every half second, so a sound may be that much late.

![Time until picture and sound are back](resume-measured.svg)

| what broke | side | n | min | median | p95 | max |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
${whole('**all**')}
${whole('all, pictures alone', ({ frameMs }) => frameMs)}
${whole('all, sound alone', ({ soundMs }) => soundMs)}

The bar: 95 of 100 within ${barMs} ms. With few cycles of a cause, its p95 is its slowest.

Machine: ${machine}.
`;
}

const ofCause = (results: readonly CycleResult[], name: string): CycleResult[] =>
  results.filter(({ cause }) => cause === name);

const WIDTH = 720;
const LEFT = 120;
const ROW = 38;
const COLOURS = { own: '#1f6f78', other: '#8ab6bb' } as const;

/** Bars to the median, a line on to the slowest of 95 %, for both sides of each cause. */
export function pictureOf({ results, causes, barMs }: Measurement): string {
  const all = SIDES.flatMap(([side]) => timesOfSide(results, side));
  const longest = Math.max(barMs * 1.15, ...all.map((value) => value * 1.02));
  const x = (value: number): number => LEFT + ((WIDTH - LEFT - 20) * value) / longest;
  const bottom = 20 + causes.length * ROW;
  const shapes = causes.flatMap(({ name }, index) => {
    const top = 20 + index * ROW;
    const label = `<text x="${LEFT - 8}" y="${top + 18}" text-anchor="end">${name}</text>`;
    const bars = SIDES.flatMap(([side], row) => {
      const values = timesOfSide(ofCause(results, name), side);
      if (values.length === 0) return [];
      const { median, p95 } = summaryOf(values);
      const y = top + 3 + row * 14;
      return [
        `<rect x="${LEFT}" y="${y}" width="${(x(median) - LEFT).toFixed(1)}" height="12" fill="${COLOURS[side]}"/>`,
        `<path d="M${x(median).toFixed(1)} ${y + 6}H${x(p95).toFixed(1)}m0 -4v8" stroke="${COLOURS[side]}" stroke-width="2" fill="none"/>`,
      ];
    });
    return [label, ...bars];
  });
  const seconds = Array.from({ length: Math.floor(longest / 1000) + 1 }, (_, second) => second * 1000)
    .filter((value, _index, { length }) => length <= 12 || value % 5_000 === 0)
    .map(
      (value) =>
        `<text x="${x(value).toFixed(1)}" y="${bottom + 18}" text-anchor="middle">${value / 1000} s</text>`,
    );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${bottom + 50}" viewBox="0 0 ${WIDTH} ${bottom + 50}" font-family="sans-serif" font-size="12" fill="#22313f" role="img" aria-label="Time until picture and sound are back, by cause">
<rect width="100%" height="100%" fill="#fff"/>
<path d="M${x(barMs).toFixed(1)} 12V${bottom}" stroke="#b04050" stroke-dasharray="4 3"/>
${[...shapes, ...seconds].join('\n')}
<rect x="${LEFT}" y="${bottom + 30}" width="12" height="12" fill="${COLOURS.own}"/><text x="${LEFT + 18}" y="${bottom + 40}">whom it happened to</text>
<rect x="${LEFT + 160}" y="${bottom + 30}" width="12" height="12" fill="${COLOURS.other}"/><text x="${LEFT + 178}" y="${bottom + 40}">the other side</text>
<text x="${LEFT + 290}" y="${bottom + 40}">bar: median; line: to p95; dashed: ${barMs / 1000} s</text>
</svg>
`;
}
