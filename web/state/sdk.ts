import type { ClientOptions, TeleconsultClient, VoiceRecorder } from '@teleconsult/client-sdk/api';
import type { Phone } from '@teleconsult/client-sdk/phone';
import type { HealthChannel, Records } from '@teleconsult/client-sdk/records';

/** What the pages need of the SDK. The pages hand it in, so that the elements can be shown without a server. */
export interface Sdk {
  createTeleconsultClient(options: ClientOptions): TeleconsultClient;
  startVoiceRecorder(): Promise<VoiceRecorder>;
  /** Fetches the code of recordings and notes with the first consultation that asks. */
  openRecords(client: TeleconsultClient, consultationId: string): Promise<Records>;
  /** Fetches the code of masked calls with the first visit that asks. */
  openPhone(client: TeleconsultClient, consultationId: string): Promise<Phone>;
  openHealthChannel(client: TeleconsultClient): Promise<HealthChannel>;
}
