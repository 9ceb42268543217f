import type { Call, Consultation } from '@teleconsult/client-sdk';

/** Calls the other side; a doctor who calls takes the visit up first. */
export async function beginCall(visit: Consultation): Promise<Call> {
  if (visit.view.phase !== 'active') await visit.accept();
  return await visit.startCall('video');
}
