import { MemoryNotes } from '@teleconsult/server/storage/memory/memory-notes';
import { noteStoreContract } from './notes.suite.ts';

noteStoreContract('memory', async () => ({
  notes: new MemoryNotes(),
  consultations: null,
  [Symbol.asyncDispose]: async () => undefined,
}));
