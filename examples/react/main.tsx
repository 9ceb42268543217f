import { createTeleconsultClient } from '@teleconsult/client-sdk';
import { defineFloatingCall } from '@teleconsult/client-sdk/ui';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { currentSession } from '../session.ts';
import { App } from './app.tsx';

defineFloatingCall();
const { token, consultationId } = currentSession();
// One client for the whole page, outside of all components: none of them ends a call by going away.
const client = createTeleconsultClient({ url: location.origin, token });
// First of all: a call that was under way when this page was reloaded goes on.
client.restoreCall().catch(console.warn);
const opening = client.open(consultationId);

const root = document.querySelector('#app');
if (root === null) throw new Error('the page is not whole');
createRoot(root).render(
  <StrictMode>
    <App client={client} opening={opening} />
  </StrictMode>,
);
