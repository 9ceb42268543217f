import type { FileId, PersonId, RecordingFile, RecordingId, Waveform } from '@teleconsult/protocol';
import { describe, expect, it, vi } from 'vitest';
import { LaneLinks } from '../../web/state/lane-links.ts';
import {
  axisMarks,
  callTimeline,
  clipAtMs,
  dictationTimeline,
  lanePeaks,
  nextClip,
  speaksAt,
  speechOf,
  spokenMs,
} from '../../web/state/lane-timeline.ts';

const AT = 1_900_000_000_000;
const doctor = 'doctor' as PersonId;
const patient = 'patient' as PersonId;

let files = 0;
function file(change: Partial<RecordingFile>): RecordingFile {
  files += 1;
  return {
    fileId: `fil_${files}` as FileId,
    personId: doctor,
    channels: null,
    source: 'microphone',
    contentType: 'audio/webm;codecs=opus',
    startedAt: AT,
    durationMs: 10_000,
    byteSize: 1000,
    state: 'whole',
    truncated: null,
    ...change,
  };
}

describe('the lanes of a recording', () => {
  it('[WEB127] files of a call stand where they were taken, one lane a person, each source by itself', () => {
    const view = callTimeline({
      files: [
        file({ personId: patient, startedAt: AT + 12_000, durationMs: 3000 }),
        file({ startedAt: AT }),
        file({ personId: patient, startedAt: AT + 2000, durationMs: 5000 }),
        file({ personId: patient, startedAt: AT + 2500, source: 'camera' }),
      ],
    });
    expect(view.lengthMs).toBe(15_000);
    expect(view.lanes.map(({ personId }) => personId)).toEqual([doctor, patient]);
    const [, second] = view.lanes;
    expect(second?.voice.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [2000, 7000],
      [12_000, 15_000],
    ]);
    expect(second?.camera.map(({ startMs }) => startMs)).toEqual([2500]);
    // Between the two parts nothing of this person was recorded.
    expect(clipAtMs(second?.voice ?? [], 9000)).toBeNull();
    expect(nextClip(second?.voice ?? [], 9000)?.startMs).toBe(12_000);
    expect(clipAtMs(second?.voice ?? [], 12_000)?.startMs).toBe(12_000);
  });

  it('[WEB127] the files of a dictation count one after the other, whatever lay between them', () => {
    const { lanes, lengthMs } = dictationTimeline({
      files: [file({ durationMs: 4000 }), file({ startedAt: AT + 3_600_000, durationMs: 6000 })],
    });
    expect(lanes[0]?.voice.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [0, 4000],
      [4000, 10_000],
    ]);
    expect(lengthMs).toBe(10_000);
  });

  it('[WEB127] what still grows or holds nothing is not played, what was cut off is', () => {
    const { lanes } = callTimeline({
      files: [
        file({ state: 'growing', durationMs: null }),
        file({ personId: patient, byteSize: 0 }),
        file({ state: 'truncated', truncated: { at: AT, reason: 'server_stopped' } }),
      ],
    });
    expect(lanes).toHaveLength(1);
    expect(callTimeline({ files: [] })).toEqual({ lanes: [], lengthMs: 0 });
  });

  it('[WEB128] who spoke when: short pauses belong to a sentence, quiet rooms do not, and a lane begins with its file', () => {
    const taken = file({ startedAt: AT + 1000, durationMs: 4000 });
    const { lanes, lengthMs } = callTimeline({
      files: [file({ personId: patient, durationMs: 6000 }), taken],
    });
    const clips = lanes.find(({ personId }) => personId === doctor)?.voice ?? [];
    // Speaks from 1.0 to 1.5 s and 2.0 to 2.5 s: one sentence; then from 4.5 s on. Three is breath.
    const peaks = [40, 3, 50, 3, 3, 3, 3, 60];
    const waveforms = new Map<string, Waveform>([[taken.fileId, { stepMs: 500, peaks }]]);
    const spans = speechOf(clips, waveforms);
    expect(spans).toEqual([
      [1000, 2500],
      [4500, 5000],
    ]);
    expect(spokenMs(spans)).toBe(2000);
    expect([900, 1700, 3000, 4600].map((at) => speaksAt(spans, at))).toEqual([false, true, false, true]);
    const columns = lanePeaks({ clips, waveforms, lengthMs, columns: 6 });
    expect(columns[0]).toBeNull();
    expect(columns[1]).toBe(40);
    expect(columns[4]).toBe(60);
    expect(columns[5]).toBeNull();
  });

  it('[WEB128] the axis counts as people do and has no mark at its very end', () => {
    expect(axisMarks(24_000, 6)).toEqual([0, 5000, 10_000, 15_000, 20_000]);
    expect(axisMarks(3_600_000, 6).at(-1)).toBe(3_000_000);
    expect(axisMarks(0, 6)).toEqual([]);
    for (const length of [1, 900, 59_000, 600_001, 7_199_999, 40_000_000])
      expect(axisMarks(length, 6).length).toBeLessThanOrEqual(7);
  });
});

describe('the links of a player', () => {
  it('[WEB129] a link is asked for once, again before it expires, and again when it did not work', async () => {
    vi.useFakeTimers({ now: AT });
    try {
      let asked = 0;
      const links = new LaneLinks(
        {
          link: async () => {
            asked += 1;
            return { url: `link-${asked}`, contentType: 'audio/webm', expiresAt: Date.now() + 300_000 };
          },
        },
        { recordingId: 'rec_1' as RecordingId },
      );
      const one = file({});
      expect([await links.urlOf(one), await links.urlOf(one)]).toEqual(['link-1', 'link-1']);
      vi.setSystemTime(AT + 240_000);
      expect(links.isStale(one)).toBe(false);
      vi.setSystemTime(AT + 260_000);
      expect(links.isStale(one)).toBe(true);
      expect(await links.urlOf(one)).toBe('link-2');
      expect(await links.urlOf(one, 'link-2')).toBe('link-3');
      expect(await links.urlOf(one, 'link-2')).toBe('link-3');
    } finally {
      vi.useRealTimers();
    }
  });
});
