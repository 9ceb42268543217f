import { MemoryPhone } from '@teleconsult/server/storage/memory/memory-phone';
import { phoneStoreContract } from './phone-store.suite.ts';

phoneStoreContract('memory', async () => ({
  phone: new MemoryPhone(),
  [Symbol.asyncDispose]: async () => undefined,
}));
