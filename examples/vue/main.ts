import { createTeleconsultClient } from '@teleconsult/client-sdk';
import { createApp } from 'vue';
import { currentSession } from '../session.ts';
import { createVisitApp } from './app.ts';

const { token, consultationId } = currentSession();
// One client for the whole page, outside of all components: none of them ends a call by going away.
const client = createTeleconsultClient({ url: location.origin, token });
// First of all: a call that was under way when this page was reloaded goes on.
client.restoreCall().catch(console.warn);

createApp(createVisitApp(client, client.open(consultationId))).mount('#app');
