import { loudness } from './voice-recorder.ts';

export interface LevelMeter {
  /** Loudness now, 0 (−60 dB of full scale) to 1. */
  read(): number;
  close(): void;
}

/** 1024 samples are 21 ms at 48 kHz: short enough to follow syllables. */
const WINDOW = 1024;

/** Null where there is no Web Audio. The track is only listened to: whoever opened it stops it. */
export function openLevelMeter(track: MediaStreamTrack): LevelMeter | null {
  if (typeof AudioContext !== 'function') return null;
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = WINDOW;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(WINDOW);
  return {
    read: () => {
      analyser.getFloatTimeDomainData(samples);
      return loudness(samples);
    },
    close: () => void context.close().catch(() => {}),
  };
}
