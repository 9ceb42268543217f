/** A program that uses the SDK, closes it, and has nothing else to do: it must end by itself. */
import { createTeleconsultClient } from '@teleconsult/client-sdk';
import { eventually } from './eventually.ts';
import { tokenFor } from './samples.ts';

const [url = '', consultationId = ''] = process.argv.slice(2);
const client = createTeleconsultClient({ url, token: tokenFor('patient-1'), deviceId: 'short-lived-device' });
await client.connect();
const consultation = await client.open(consultationId);
await consultation.send({ type: 'image', data: new Blob(['picture']) });
const unanswered = consultation.send({ type: 'text', text: 'never answered' }).catch((error: unknown) => {
  console.log(error instanceof Error && 'code' in error ? error.code : error);
});
await eventually(
  () => consultation.outbox.map(({ state }) => state),
  (states) => states.includes('sending'),
);
await client.close();
await unanswered;
console.log('closed');
