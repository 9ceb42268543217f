/** Sound as samples of one length, channel after channel, without anything between them. */
export interface SampleFormat {
  /** `alaw`: ITU-T G.711, 8 bits. `pcm`: signed, 16 bits, little endian. */
  readonly encoding: 'alaw' | 'mulaw' | 'pcm';
  readonly channels: 1 | 2;
  /** Moments a second. */
  readonly rate: number;
}

/** How a phone call is recorded: the caller left, the callee right. */
export const PHONE_CALL_SOUND: SampleFormat = { encoding: 'alaw', channels: 2, rate: 8_000 };

/** Bytes of one moment: a sample of every channel. */
export const momentBytes = ({ encoding, channels }: SampleFormat): number =>
  (encoding === 'pcm' ? 2 : 1) * channels;

/** Bytes of whole moments; what of a moment a cut has left is nothing. */
export const wholeBytes = (format: SampleFormat, byteSize: number): number =>
  byteSize - (byteSize % momentBytes(format));

/** How long so many bytes last, in milliseconds. */
export const soundMs = (format: SampleFormat, byteSize: number): number =>
  Math.round((wholeBytes(format, byteSize) * 1_000) / (momentBytes(format) * format.rate));
