import { AlibabaRelay } from '@teleconsult/server/telephony/alibaba/alibaba-relay';
import { FakeRelayProvider } from '@teleconsult/server/telephony/fake/fake-relay';
import { tellIfNotReady } from '@teleconsult/server/telephony/provider-readiness';
import { expect, test } from 'vitest';
import { alibabaSettings, alibabaUnderTest } from '../../../contract/relay.alibaba.fixture.ts';
import { twilioUnderTest } from '../../../contract/relay.twilio.fixture.ts';
import { WrittenLog } from '../../../contract/relay.under-test.ts';
import { TOKEN } from './twilio-stand-in.ts';

test('[TWI75] a provider that cannot be used is told of at the start, by its name and without its secrets', async () => {
  await using twilio = await twilioUnderTest();
  await using alibaba = await alibabaUnderTest();
  const { standIn, core } = alibaba;
  const inProcess = new FakeRelayProvider();
  inProcess.fails('unavailable', 9);
  const providers = [twilio.provider, alibaba.provider, inProcess];
  const log = new WrittenLog();
  await tellIfNotReady({ providers, log, isClosing: () => false });
  expect(log.text.match(/phone\.\w+/g)).toEqual(['phone.providerReady', 'phone.providerReady']);

  // Keys of nobody, and a clock that is an hour behind.
  twilio.standIn.failures.push('forbidden');
  const clock = (): number => alibaba.now() - 3_600_000;
  const late = new AlibabaRelay({ settings: alibabaSettings(standIn.base), lookup: core, log, clock });
  const told = new WrittenLog();
  await tellIfNotReady({ providers: [twilio.provider, late], log: told, isClosing: () => false });
  expect(told.text.match(/phone\.\w+/g)).toEqual(['phone.providerNotReady', 'phone.providerNotReady']);
  expect(told.text).toContain("event: 'twilio'");
  expect(told.text).toContain("event: 'alibaba'");
  expect(told.text).not.toContain(TOKEN);

  const silent = new WrittenLog();
  await late.close();
  await tellIfNotReady({ providers: [late], log: silent, isClosing: () => true });
  expect(silent.text).toBe('');
});
