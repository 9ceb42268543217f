import { MemoryAudit } from '@teleconsult/server/storage/memory/memory-audit';
import { auditContract } from './audit.suite.ts';

auditContract('memory', async () => {
  const audit = new MemoryAudit();
  return {
    audit,
    fail: (isFailing) => audit.fail(isFailing ? 'STORAGE_UNAVAILABLE' : null),
    [Symbol.asyncDispose]: async () => undefined,
  };
});
