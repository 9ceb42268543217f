import { createTeleconsultClient, startVoiceRecorder } from '@teleconsult/client-sdk';
import { startPage } from './start-page.ts';
import '../elements/tele-app-doctor.ts';

startPage('tele-app-doctor', { createTeleconsultClient, startVoiceRecorder: () => startVoiceRecorder() });
