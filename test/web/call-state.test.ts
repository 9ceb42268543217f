import type { InputDevice, NetworkReport, QualitySample } from '@teleconsult/client-sdk/api';
import type { CallView, PersonId, SeatView } from '@teleconsult/protocol';
import { AppError } from '@teleconsult/protocol/errors';
import { describe, expect, it } from 'vitest';
import { room as english } from '../../web/i18n/en/room.ts';
import { room as chinese } from '../../web/i18n/zh-cn/room.ts';
import { afterLooking, afterMeasuring, conclusion, UNCHECKED } from '../../web/state/call-check-model.ts';
import { deviceNews, newsOf, outcomeNotice } from '../../web/state/call-news.ts';
import { isInVisit, type PlaceFacts } from '../../web/state/call-place.ts';
import { GRAPH, graphOf, tableOf } from '../../web/state/quality-graph.ts';

const NOW = 1_900_000_000_000;
const person = (name: string): PersonId => name as PersonId;

const sample = (ageMs: number, rttMs: number | null): QualitySample => ({
  at: NOW - ageMs,
  level: 'good',
  rttMs,
  jitterMs: 2,
  lossPercent: 0,
  sendKbps: 900,
  receiveKbps: 1200,
  networkType: 'wifi',
  path: 'udp',
  limitedBy: 'none',
});

describe('the graph of the connection', () => {
  const rtt = (samples: readonly QualitySample[]) =>
    graphOf(samples, { pick: ({ rttMs }) => rttMs, ceiling: 200, now: NOW });

  it('[WEB59] runs from two minutes ago to now, on a scale that does not make noise of a good connection', () => {
    const { line, latest, most } = rtt([
      sample(GRAPH.spanMs, 50),
      sample(GRAPH.spanMs - 2000, 100),
      sample(0, 100),
    ]);
    expect(line).toBe(`M0.0 ${(GRAPH.height * 0.75).toFixed(1)}L4.0 28.0M240.0 28.0`);
    expect([latest, most]).toEqual([100, 100]);
  });

  it('[WEB59] leaves a gap where nothing was measured, and what is older than two minutes', () => {
    const { line } = rtt([sample(200_000, 900), sample(30_000, 40), sample(28_000, null), sample(4000, 40)]);
    expect(line.match(/M/g)).toHaveLength(2);
    expect(line).not.toContain('L');
    expect(rtt([])).toEqual({ line: '', latest: null, most: null });
  });

  it('[WEB59] the table has a row for each ten seconds, newest first', () => {
    const samples = Array.from({ length: 60 }, (_, index) => sample((59 - index) * 2000, index));
    const rows = tableOf(samples, NOW);
    expect(rows).toHaveLength(12);
    expect(rows[0]?.at).toBe(NOW);
  });
});

describe('the check before a call', () => {
  const devices = (problem: AppError | null) => ({
    camera: null,
    problems: { microphone: null, camera: problem },
  });
  const report = (verdict: NetworkReport['verdict']): NetworkReport => ({
    verdict,
    path: 'udp',
    rttMs: 1,
    jitterMs: 1,
    lossPercent: 0,
    sendKbps: 1,
    receiveKbps: 1,
    advice: [],
  });

  it('[WEB60] a microphone works once somebody was heard, and goes on working in silence', () => {
    const silent = afterLooking(UNCHECKED, devices(null), 0.1);
    expect(silent.microphone).toBe('open');
    const heard = afterLooking(silent, devices(null), 0.6);
    expect(afterLooking(heard, devices(null), 0).microphone).toBe('well');
  });

  it('[WEB60] says that all works only when all was looked at, and at once when something does not', () => {
    const most = { camera: 'well', microphone: 'well', speaker: 'well', network: 'open' } as const;
    expect(conclusion(most)).toBe(null);
    expect(conclusion(afterMeasuring(most, report('fair')))).toBe(true);
    expect(conclusion(afterMeasuring(most, report('poor')))).toBe(false);
    expect(conclusion(afterLooking(UNCHECKED, devices(new AppError('PERMISSION_DENIED')), 0))).toBe(false);
  });
});

describe('what is new in a call', () => {
  const seat = (personId: string, change: Partial<SeatView> = {}): SeatView => ({
    personId: person(personId),
    phone: false,
    state: 'present',
    deviceId: null,
    microphoneOn: true,
    cameraOn: false,
    screenOn: false,
    mutedBy: null,
    view: 'full',
    interrupted: false,
    ringUntil: null,
    callWaiting: false,
    leftReason: null,
    returnUntil: null,
    since: NOW,
    ...change,
  });
  const call = (seats: readonly SeatView[], state: CallView['state'] = 'live') =>
    ({ state, seats }) as CallView;
  const news = (before: CallView, after: CallView) =>
    newsOf({ before, after, self: person('self'), nameOf: (id) => id, isSmall: false }).map(
      ({ text }) => text,
    );
  const both = call([seat('self'), seat('anna')]);

  it('[WEB54] whoever was muted by another hears who it was, once', () => {
    const muted = call([seat('self', { microphoneOn: false, mutedBy: person('doctor') }), seat('anna')]);
    expect(news(both, muted)).toEqual(['doctor has muted you.']);
    expect(news(muted, muted)).toEqual([]);
    const own = call([seat('self', { microphoneOn: false }), seat('anna')]);
    expect(news(both, own)).toEqual([]);
  });

  it('[WEB63] who leaves, does not answer or is busy is told while the call goes on, and not when it is over', () => {
    const ringing = call([seat('self'), seat('anna'), seat('jonas', { state: 'invited' })]);
    const busy = [seat('self'), seat('anna'), seat('jonas', { state: 'left', leftReason: 'busy' })];
    expect(news(ringing, call(busy))).toEqual(['jonas is in another call.']);
    expect(news(call(busy), call(busy))).toEqual([]);
    expect(news(ringing, call(busy, 'ended'))).toEqual([]);
  });

  it('[WEB106] who is lost and can come back has not left: several are told, two read it on the tile; once the time is over it is told', () => {
    const lost = seat('anna', { state: 'left', leftReason: 'lost', returnUntil: NOW });
    const gone = seat('anna', { state: 'left', leftReason: 'lost' });
    expect(news(both, call([seat('self'), lost]))).toEqual([]);
    const three = [seat('self'), seat('anna'), seat('jonas')];
    const told = news(call(three), call([seat('self'), lost, seat('jonas')]));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^anna lost the connection and can come back until \d/);
    expect(
      news(call([seat('self'), lost, seat('jonas')]), call([seat('self'), gone, seat('jonas')])),
    ).toEqual(['anna lost the connection.']);
    expect(news(call([seat('self'), lost]), both)).toEqual([]);
  });

  it('[WEB63] a screen that somebody begins to share is told with the name', () => {
    expect(news(both, call([seat('self'), seat('anna', { screenOn: true })]))).toEqual([
      'anna is sharing a screen.',
    ]);
  });

  it('[WEB58] only what another device did needs words of its own', () => {
    expect(outcomeNotice('answered_elsewhere')?.text).toContain('another device');
    expect(outcomeNotice('declined_elsewhere')?.text).toContain('another device');
    expect([outcomeNotice('completed'), outcomeNotice(null)]).toEqual([null, null]);
  });

  it('[WEB64] what is plugged in or out is told once, by its name', () => {
    const device = (kind: InputDevice['kind'], deviceId: string, label: string): InputDevice => ({
      kind,
      deviceId,
      label,
    });
    const built = [
      device('microphone', 'a', 'Built-in'),
      device('microphone', 'default', 'Default – Built-in'),
    ];
    const headset = [
      device('microphone', 'default', 'Default – Jabra'),
      device('microphone', 'b', 'Jabra'),
      device('speaker', 'b', 'Jabra'),
    ];
    expect(deviceNews(built, [...built, ...headset])?.text).toBe(
      'Jabra was connected. You can choose it under “Devices”.',
    );
    expect(deviceNews([...built, ...headset], built)?.text).toBe('Jabra was disconnected.');
    expect(deviceNews(built, built)).toBe(null);
    expect(deviceNews(null, built)?.text).toContain('plugged in or out');
  });
});

describe('where the call is', () => {
  const ongoing = { id: 'call-1', view: { consultationId: 'visit-1' } as CallView };
  const facts: PlaceFacts = {
    call: ongoing,
    isRestoring: false,
    shownId: 'visit-1',
    showsElsewhere: false,
    smallCallId: null,
    wasInVisit: false,
  };

  it('[WEB105] in its visit while that is on the screen, in the small window beside any other and once made small', () => {
    expect(isInVisit(facts)).toBe(true);
    expect(isInVisit({ ...facts, shownId: 'visit-2' })).toBe(false);
    expect(isInVisit({ ...facts, shownId: null })).toBe(false);
    expect(isInVisit({ ...facts, smallCallId: 'call-1' })).toBe(false);
    // The next call opens large again.
    expect(isInVisit({ ...facts, smallCallId: 'call-0' })).toBe(true);
  });

  it('[WEB105] one that is being restored is small; one that ended, or moved, says so where it was', () => {
    expect(isInVisit({ ...facts, call: null, isRestoring: true, wasInVisit: true })).toBe(false);
    expect(isInVisit({ ...facts, call: null, wasInVisit: true })).toBe(true);
    expect(isInVisit({ ...facts, call: null, wasInVisit: false })).toBe(false);
    expect(isInVisit({ ...facts, call: null, showsElsewhere: true })).toBe(true);
  });
});

describe('the words inside a call', () => {
  function texts(node: unknown, path = ''): [string, string][] {
    if (typeof node === 'string') return [[path, node]];
    if (typeof node === 'function') return [[path, String(node('1', '2', '3'))]];
    return Object.entries(node as object).flatMap(([key, value]) => texts(value, `${path}.${key}`));
  }

  it('[WEB7] both languages have the same texts, none is empty, and the Chinese ones are Chinese', () => {
    const [inEnglish, inChinese] = [texts(english), texts(chinese)];
    expect(inChinese.map(([path]) => path)).toEqual(inEnglish.map(([path]) => path));
    for (const [path, text] of [...inEnglish, ...inChinese]) expect(text.trim(), path).not.toBe('');
    const exceptions = new Set(['.unnamed']);
    for (const [path, text] of inChinese)
      if (!exceptions.has(path)) expect(text, path).toMatch(/\p{Script=Han}/u);
  });
});
