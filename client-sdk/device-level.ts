export interface LevelMeter {
  /** Loudness now, 0 (−60 dB of full scale) to 1. */
  read(): number;
  close(): void;
}

/** 1024 samples are 21 ms at 48 kHz: short enough to follow syllables. */
const WINDOW = 1024;

/**
 * Null where there is no Web Audio, or it refuses: it has no context left, or runs at another rate than the microphone.
 * The track is only listened to: whoever opened it stops it.
 */
export function openLevelMeter(track: MediaStreamTrack): LevelMeter | null {
  if (typeof AudioContext !== 'function') return null;
  let context: AudioContext | null = null;
  try {
    context = new AudioContext();
    return meterIn(context, track);
  } catch {
    context?.close().catch(() => {});
    return null;
  }
}

function meterIn(context: AudioContext, track: MediaStreamTrack): LevelMeter {
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

/** The root mean square on a scale that people hear as even: −60 dB of full scale is 0, 0 dB is 1. */
export function loudness(samples: Float32Array): number {
  const meanSquare = samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(samples.length, 1);
  const decibels = 10 * Math.log10(Math.max(meanSquare, 1e-10));
  return Math.min(1, Math.max(0, 1 + decibels / 60));
}
