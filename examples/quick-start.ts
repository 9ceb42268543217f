import { createTeleconsultClient } from '@teleconsult/client-sdk';

// Your own server signs the token and creates the consultation; "npm start" prints both for trying out.
const {
  TELECONSULT_URL: url = 'http://127.0.0.1:3000',
  TOKEN: token = '',
  CONSULTATION: id = '',
} = process.env;

const client = createTeleconsultClient({ url, token });
client.on('connection', ({ state }) => console.log(`connection: ${state}`));
await client.connect();

const visit = await client.open(id);
visit.on('entries', (entries) => {
  for (const entry of entries)
    if (entry.kind === 'message.sent' && entry.content.type === 'text')
      console.log(`> ${entry.content.text}`);
});
if (visit.view.phase === 'requested') await visit.enter();

// Resolves when the message is on the server's disk, however often the connection is lost on the way.
const { sequence } = await visit.send({ type: 'text', text: 'Good morning, doctor.' });
console.log(`the message has sequence ${sequence}`);

await client.close();
