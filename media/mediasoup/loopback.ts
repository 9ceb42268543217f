import type { types } from 'mediasoup';

export const LOOPBACK = '127.0.0.1';

/**
 * Where plain RTP between this process and its workers goes. Above the ports that Linux hands out by itself (32768–60999),
 * and not where workers listen for devices: a worker that is started anew must find its own port free.
 */
export const PLAIN_LISTEN_INFO: types.TransportListenInfo = {
  protocol: 'udp',
  ip: LOOPBACK,
  portRange: { min: 61_000, max: 65_535 },
};
