import type { ClientOptions, TeleconsultClient, VoiceRecorder } from '@teleconsult/client-sdk/api';

/** What the pages need of the SDK. The pages hand it in, so that the elements can be shown without a server. */
export interface Sdk {
  createTeleconsultClient(options: ClientOptions): TeleconsultClient;
  startVoiceRecorder(): Promise<VoiceRecorder>;
}
