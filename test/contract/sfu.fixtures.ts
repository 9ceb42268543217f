/** What a device would send and receive, written by hand, and a seat that remembers its events. */
import type {
  ConsumerOffer,
  DtlsParameters,
  RtpCapabilities,
  RtpParameters,
  SeatEvent,
  Sfu,
  SfuRoom,
  SfuSeat,
} from '../../media/index.ts';

export interface ObservedSeat {
  readonly seat: SfuSeat;
  readonly events: readonly SeatEvent[];
  /** What the device would show now: every offer it was given and not yet told to drop. */
  readonly shown: () => readonly ConsumerOffer[];
  /** `setCapabilities`, keeping the answered offers for `shown`. */
  readonly listen: (capabilities: RtpCapabilities) => Promise<readonly ConsumerOffer[]>;
}

export async function openSeat(room: SfuRoom, seatId: string): Promise<ObservedSeat> {
  const events: SeatEvent[] = [];
  const shown: ConsumerOffer[] = [];
  const seat = await room.openSeat({
    seatId,
    onEvent: (event) => {
      events.push(event);
      if (event.type === 'consumerAdded') shown.push(event.consumer);
      if (event.type !== 'consumerRemoved') return;
      const index = shown.findIndex((offer) => offer.consumerId === event.consumerId);
      if (index >= 0) shown.splice(index, 1);
    },
  });
  const listen = async (capabilities: RtpCapabilities) => {
    const offers = await seat.setCapabilities(capabilities);
    shown.push(...offers);
    return offers;
  };
  return { seat, events, shown: () => shown, listen };
}

/** A room whose end is remembered. */
export async function openRoom(sfu: Sfu): Promise<{ room: SfuRoom; ends: readonly string[] }> {
  const ends: string[] = [];
  const room = await sfu.openRoom({ onClosed: (reason) => ends.push(reason) });
  return { room, ends };
}

export function microphone(ssrc = 1111) {
  return { source: 'microphone', kind: 'audio', rtpParameters: opus(ssrc), paused: false } as const;
}

export function camera(ssrc = 2222) {
  return { source: 'camera', kind: 'video', rtpParameters: vp8(ssrc), paused: false } as const;
}

export function screen(ssrc = 3333) {
  const rtpParameters = { ...vp8(ssrc), mid: '2' };
  return { source: 'screen', kind: 'video', rtpParameters, paused: false } as const;
}

/** A camera in three sizes, as a browser sends simulcast: told apart by RID. */
export function simulcastCamera() {
  const encodings = ['r0', 'r1', 'r2'].map((rid) => ({ rid, scalabilityMode: 'L1T3' }));
  const rid = { uri: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id', id: 10 };
  const { headerExtensions = [], ...rest } = vp8(0);
  const rtpParameters = { ...rest, headerExtensions: [...headerExtensions, rid], encodings };
  return { source: 'camera', kind: 'video', rtpParameters, paused: false } as const;
}

/** Canonical Opus parameters of a browser's sender. */
export function opus(ssrc: number): RtpParameters {
  return {
    mid: '0',
    codecs: [
      {
        mimeType: 'audio/opus',
        payloadType: 111,
        clockRate: 48_000,
        channels: 2,
        parameters: { useinbandfec: 1, usedtx: 1, minptime: 10 },
        rtcpFeedback: [{ type: 'transport-cc' }],
      },
    ],
    headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4 }],
    encodings: [{ ssrc }],
    rtcp: { cname: 'device' },
  };
}

/** Canonical VP8 parameters of a browser's sender, with RTX. */
export function vp8(ssrc: number): RtpParameters {
  return {
    mid: '1',
    codecs: [
      {
        mimeType: 'video/VP8',
        payloadType: 96,
        clockRate: 90_000,
        rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'transport-cc' }],
      },
      { mimeType: 'video/rtx', payloadType: 97, clockRate: 90_000, parameters: { apt: 96 } },
    ],
    headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4 }],
    encodings: [{ ssrc, rtx: { ssrc: ssrc + 1 } }],
    rtcp: { cname: 'device' },
  };
}

/** A device that can play sound and has no video decoder. */
export function audioOnly(capabilities: RtpCapabilities): RtpCapabilities {
  return { ...capabilities, codecs: capabilities.codecs?.filter((codec) => codec.kind === 'audio') ?? [] };
}

export function dtls(firstByte = '00'): DtlsParameters {
  const value = [firstByte, ...Array.from({ length: 31 }, () => 'AB')].join(':');
  return { role: 'client', fingerprints: [{ algorithm: 'sha-256', value }] };
}
