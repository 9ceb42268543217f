import { createTeleconsultClient, type ReconnectPolicy } from '@teleconsult/client-sdk';

/** A clinic whose Wi-Fi drops for two minutes at a time: keep trying often, and do not build media anew for ever. */
export const patientWifi: Partial<ReconnectPolicy> = {
  // Half of it is chance, so that a ward full of tablets does not come back in the same moment.
  connectionDelayMs: ({ elapsedMs }) => (elapsedMs < 120_000 ? 1_000 : 5_000) * (0.5 + Math.random() / 2),
  // Five restarts of ICE instead of three, then media is built anew.
  iceRestartDelayMs: ({ attempt }) => (attempt <= 5 ? attempt * 500 : null),
  // After five minutes of rebuilding in vain the seat is left.
  rebuildDelayMs: ({ attempt, elapsedMs }) =>
    elapsedMs > 300_000 ? null : Math.min(attempt * 1_000, 10_000),
};

export const clientOnWifi = (url: string, token: string) =>
  createTeleconsultClient({ url, token, reconnect: patientWifi });
