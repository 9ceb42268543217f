/** The media side of the server: one port to a Selective Forwarding Unit, the real one and a fake of it. */

export { SEAT_BITRATE, TRACK_BITRATES } from './bitrates.ts';
export type { FakePhoneSeat } from './fake/fake-phone-seat.ts';
export type { FakeRoom } from './fake/fake-room.ts';
export type { FakeSeat, FakeSubscription, FakeTrack } from './fake/fake-seat.ts';
export { createFakeSfu, type FakeOperation, type FakeSfu, type FakeSfuOptions } from './fake/fake-sfu.ts';
export type { FakeTap } from './fake/fake-tap.ts';
export {
  createMediasoupSfu,
  type MediasoupSfu,
  type MediasoupSfuOptions,
} from './mediasoup/mediasoup-sfu.ts';
export type { MediaLogger } from './mediasoup/settings.ts';
export type * from './phone-seat.ts';
export { createFakeRecorder, type FakeRecorder, type FakeSegment } from './recorder/fake-recorder.ts';
export {
  createFfmpegRecorder,
  type FfmpegRecorder,
  type FfmpegRecorderOptions,
  type FfmpegSegment,
} from './recorder/ffmpeg-recorder.ts';
export { findProgram } from './recorder/programs.ts';
export * from './recorder/recorder.ts';
export type * from './rtp.ts';
export * from './sfu.ts';
