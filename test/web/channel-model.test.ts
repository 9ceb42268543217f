import type { TeleconsultClient } from '@teleconsult/client-sdk/api';
import type { HealthChannel, Records } from '@teleconsult/client-sdk/records';
import { ConsultationId, type ConsultationView } from '@teleconsult/protocol';
import { expect, test } from 'vitest';
import { ChannelModel } from '../../web/state/channel-model.ts';
import { eventually } from '../helpers/eventually.ts';

function channel(letter: string) {
  const consultationId = ConsultationId.parse(`cns_${letter.repeat(22)}`);
  const closed = { count: 0 };
  const records: Partial<Records> = {
    consultationId,
    dictations: [],
    load: async () => undefined,
    on: () => () => undefined,
    close: () => void (closed.count += 1),
  };
  const consultation: Partial<ConsultationView> = {
    consultationId,
    kind: 'health_channel',
    participants: [],
  };
  const opened: HealthChannel = {
    consultation: consultation as ConsultationView,
    records: records as Records,
  };
  return { opened, closed };
}

test('[HCH4] a channel that ended while the device was away is let go once it is back', async () => {
  const listeners: ((change: { state: string }) => void)[] = [];
  const client: Partial<TeleconsultClient> = {
    connection: 'connected',
    on: (event: string, listener: (change: never) => void) => {
      if (event === 'connection') listeners.push(listener as (change: { state: string }) => void);
      return () => undefined;
    },
  };
  const [former, again, next] = [channel('a'), channel('a'), channel('b')];
  const answers = [former, again, next];
  const model = new ChannelModel(client as TeleconsultClient, {
    openHealthChannel: async () => answers.shift()?.opened ?? next.opened,
  });
  const back = (): void => {
    for (const listener of listeners) listener({ state: 'connected' });
  };
  expect(await model.openRecords()).toBe(former.opened.records);
  back();
  await eventually('what was opened to look to be closed', () => again.closed.count === 1);
  expect(model.records).toBe(former.opened.records);
  back();
  await eventually('the former to be let go', () => model.records === null);
  expect(former.closed.count).toBe(1);
  expect(next.closed.count).toBe(1);
});
