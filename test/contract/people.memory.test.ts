import { MemoryPeople } from '@teleconsult/server/storage/memory/memory-people';
import { peopleStoreContract } from './people.suite.ts';

peopleStoreContract('memory', async () => ({
  people: new MemoryPeople(),
  [Symbol.asyncDispose]: async () => undefined,
}));
