import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { PHONE_WEBHOOKS_PATH, phoneWebhooksRouter } from '@teleconsult/server/http/phone-webhooks';
import type { RelayProvider, WebhookRequest } from '@teleconsult/server/telephony/ports';
import express from 'express';
import { expect, test } from 'vitest';
import { alibabaUnderTest } from '../../../contract/relay.alibaba.fixture.ts';
import { twilioUnderTest } from '../../../contract/relay.twilio.fixture.ts';
import { ANN, BOB, bind, type RelayUnderTest, X } from '../../../contract/relay.under-test.ts';
import { eventually } from '../../../helpers/eventually.ts';
import { POOL } from '../alibaba/alibaba-stand-in.ts';
import { ACCOUNT, PUBLIC } from './twilio-stand-in.ts';
import { readTwiml } from './twiml-reader.ts';

/** The server's own way in for reports, with the adapter behind it. */
async function mounted(
  { provider, log }: RelayUnderTest & { provider: RelayProvider },
  limits: { phoneReportMs?: number } = {},
) {
  const app = express().use(
    PHONE_WEBHOOKS_PATH,
    phoneWebhooksRouter({ log, phoneWebhooks: provider.webhooks, ...limits }),
  );
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    post: async ({ path, headers, body }: WebhookRequest) => {
      const given = Object.fromEntries(
        Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
      );
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        headers: given,
        body: Uint8Array.from(body),
      });
      return {
        status: response.status,
        type: response.headers.get('content-type'),
        text: await response.text(),
      };
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('[TWI26] over HTTP, a call is answered with TwiML and a report is kept, and one whose bytes changed is not', async () => {
  await using under = await twilioUnderTest();
  await using http = await mounted(under);
  await bind(under);
  const form = {
    AccountSid: ACCOUNT,
    CallSid: under.standIn.sid('CA'),
    From: ANN,
    To: X,
    CallStatus: 'ringing',
    FromCity: '北京 & + =',
  };
  const asked = under.standIn.request(`${PUBLIC}/v1/phone/twilio/voice`, form);
  const answer = await http.post(asked);
  expect(answer).toMatchObject({ status: 200, type: 'text/xml; charset=utf-8' });
  const [dial] = readTwiml(answer.text).children;
  expect(dial?.children[0]?.text).toBe(BOB);
  const report = under.standIn.request(dial?.children[0]?.attributes['statusCallback'] ?? '', {
    AccountSid: ACCOUNT,
    CallSid: under.standIn.sid('CA'),
    ParentCallSid: form.CallSid,
    CallStatus: 'ringing',
  });
  expect((await http.post({ ...report, path: `${report.path}&l=1` })).status).toBe(403);
  expect(under.core.events.size).toBe(0);
  expect((await http.post(report)).status).toBe(204);
  expect(under.core.told(form.CallSid).types).toEqual(['ringing']);
});

test('[ALI25] over HTTP, a report at the secret address is kept, and nothing is found beside it', async () => {
  await using under = await alibabaUnderTest({ reportSources: ['127.0.0.1'] });
  await using http = await mounted(under);
  const bound = await bind(under);
  const records = [
    {
      pool_key: POOL,
      sub_id: `#${bound.ref}`,
      out_id: bound.bindingId,
      call_id: 'call-000001',
      call_type: 1,
    },
  ];
  const report = under.standIn.request('ring', records);
  expect(
    (await http.post({ ...report, path: report.path.replace(/[^/]+\/ring$/, 'guessed/ring') })).status,
  ).not.toBe(200);
  expect(await http.post(report)).toMatchObject({ status: 200, text: expect.stringContaining('"code":0') });
  expect(under.core.told('call-000001')).toMatchObject({ types: ['ringing'], callers: ['b'] });
});

test('[TWI70] who takes for ever over a report is sent away, and a quick one on the same connection is not', async () => {
  await using under = await twilioUnderTest();
  await using http = await mounted(under, { phoneReportMs: 200 });
  const path = '/v1/phone/twilio/voice';
  const slow = connect(http.port, '127.0.0.1');
  slow.on('error', () => undefined);
  await once(slow, 'connect');
  slow.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf`);
  await once(slow, 'close');
  const quick = connect(http.port, '127.0.0.1');
  await once(quick, 'connect');
  let received = '';
  quick.on('data', (chunk: Buffer) => {
    received += chunk.toString();
  });
  const answers = (): number => received.split('HTTP/1.1 403').length - 1;
  for (const body of ['a=1', '', 'b=2']) {
    const before = answers();
    quick.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    await eventually('an answer', () => answers() > before);
    // Longer than a report may take to arrive.
    const since = performance.now();
    await eventually('time to pass', () => performance.now() - since > 300);
  }
  expect(quick.destroyed).toBe(false);
  quick.destroy();
});
