import type { Sdk } from './sdk.ts';

/** Many clinics have no masked calls, and nothing of them is on the screen before somebody asks. */
export const openPhone: Sdk['openPhone'] = async (client, consultationId) => {
  const phone = await import('@teleconsult/client-sdk/phone');
  return phone.openPhone(client, consultationId);
};
