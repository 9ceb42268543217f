// The browser's half of worker-dtls.test.ts: sends its fake camera and microphone to the media worker, receives
// both back, and reports what arrived. Bundled into one script by the test.

import type { types } from 'mediasoup-client';
import { Device } from 'mediasoup-client';

/** What the page asks of the test, which holds the worker. Each call is one request with one answer. */
export interface Signalling {
  capabilities(): Promise<types.RtpCapabilities>;
  createTransport(): Promise<types.TransportOptions>;
  connect(transportId: string, dtlsParameters: types.DtlsParameters): Promise<void>;
  produce(transportId: string, kind: types.MediaKind, rtpParameters: types.RtpParameters): Promise<string>;
  consume(
    transportId: string,
    producerId: string,
    rtpCapabilities: types.RtpCapabilities,
  ): Promise<types.ConsumerOptions>;
}

export interface Received {
  audioPackets: number;
  decodedFrames: number;
}

declare global {
  interface Window {
    signal<Method extends keyof Signalling>(
      method: Method,
      ...args: Parameters<Signalling[Method]>
    ): ReturnType<Signalling[Method]>;
    sendAndReceive(): Promise<void>;
    received(): Promise<Received>;
  }
}

const consumers: types.Consumer[] = [];

window.sendAndReceive = async () => {
  const device = await Device.factory();
  await device.load({ routerRtpCapabilities: await window.signal('capabilities') });
  const sending = device.createSendTransport(await window.signal('createTransport'));
  const receiving = device.createRecvTransport(await window.signal('createTransport'));
  for (const transport of [sending, receiving]) {
    transport.on('connect', ({ dtlsParameters }, done, fail) => {
      window.signal('connect', transport.id, dtlsParameters).then(done, fail);
    });
  }
  sending.on('produce', ({ kind, rtpParameters }, done, fail) => {
    window.signal('produce', sending.id, kind, rtpParameters).then((id) => done({ id }), fail);
  });

  const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  for (const track of media.getTracks()) {
    const producer = await sending.produce({ track });
    const offer = await window.signal('consume', receiving.id, producer.id, device.recvRtpCapabilities);
    const consumer = await receiving.consume(offer);
    consumers.push(consumer);
    // A track nobody plays is received and not decoded.
    const player = document.createElement(consumer.kind);
    player.srcObject = new MediaStream([consumer.track]);
    await player.play();
  }
};

window.received = async () => {
  const result: Received = { audioPackets: 0, decodedFrames: 0 };
  for (const consumer of consumers) {
    const stats: RTCInboundRtpStreamStats[] = [...(await consumer.getStats()).values()];
    for (const entry of stats.filter(({ type }) => type === 'inbound-rtp')) {
      if (entry.kind === 'audio') result.audioPackets += entry.packetsReceived ?? 0;
      if (entry.kind === 'video') result.decodedFrames += entry.framesDecoded ?? 0;
    }
  }
  return result;
};
