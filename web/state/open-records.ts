import type { Sdk } from './sdk.ts';

/** Most visits have nothing recorded, so the code is fetched with the first that asks. */
export const openRecords: Sdk['openRecords'] = async (client, consultationId) => {
  const records = await import('@teleconsult/client-sdk/records');
  return records.openRecords(client, consultationId);
};

export const openHealthChannel: Sdk['openHealthChannel'] = async (client) => {
  const records = await import('@teleconsult/client-sdk/records');
  return records.openHealthChannel(client);
};
