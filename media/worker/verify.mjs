// Shows that a worker executable works on this machine, before set-up relies on it: starts it the way the
// server does, and takes it through a router and a WebRTC transport, which needs its UDP, SRTP and OpenSSL.
// Run by a Node version mediasoup accepts: node media/worker/verify.mjs <executable>

import { createWorker } from 'mediasoup';

const [workerBin] = process.argv.slice(2);

const worker = await createWorker({ workerBin, logLevel: 'none' });
const router = await worker.createRouter({
  mediaCodecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 }],
});
const transport = await router.createWebRtcTransport({
  listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }],
});
if (transport.dtlsParameters.fingerprints.length === 0)
  throw new Error('The worker made no DTLS certificate.');
worker.close();
