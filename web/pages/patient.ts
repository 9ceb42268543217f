import { createTeleconsultClient, startVoiceRecorder } from '@teleconsult/client-sdk';
import { openPhone } from '../state/open-phone.ts';
import { openHealthChannel, openRecords } from '../state/open-records.ts';
import { startPage } from './start-page.ts';
import '../elements/tele-app-patient.ts';

startPage('tele-app-patient', {
  createTeleconsultClient,
  startVoiceRecorder: () => startVoiceRecorder(),
  openRecords,
  openPhone,
  openHealthChannel,
});
