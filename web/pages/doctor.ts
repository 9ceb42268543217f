import { createTeleconsultClient, startVoiceRecorder } from '@teleconsult/client-sdk';
import { openHealthChannel, openRecords } from '../state/open-records.ts';
import { startPage } from './start-page.ts';
import '../elements/tele-app-doctor.ts';

startPage('tele-app-doctor', {
  createTeleconsultClient,
  startVoiceRecorder: () => startVoiceRecorder(),
  openRecords,
  openHealthChannel,
});
