import { createTeleconsultClient, startVoiceRecorder } from '@teleconsult/client-sdk';
import { startPage } from './start-page.ts';
import '../elements/tele-app-patient.ts';

startPage('tele-app-patient', { createTeleconsultClient, startVoiceRecorder: () => startVoiceRecorder() });
