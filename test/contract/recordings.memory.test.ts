import { MemoryRecordings } from '@teleconsult/server/storage/memory/memory-recordings';
import { recordingStoreContract } from './recordings.suite.ts';

recordingStoreContract('memory', async () => ({
  recordings: new MemoryRecordings(),
  consultations: null,
  [Symbol.asyncDispose]: async () => {},
}));
