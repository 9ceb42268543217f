import { PROMPTS } from '@teleconsult/server/telephony/ports';
import { contextOf } from '@teleconsult/server/telephony/twilio/call-context';
import { checkTwilioSettings } from '@teleconsult/server/telephony/twilio/settings';
import { Twiml } from '@teleconsult/server/telephony/twilio/twiml';
import { element, xmlDocument } from '@teleconsult/server/telephony/twilio/xml';
import { describe, expect, test } from 'vitest';
import { newBindingId, newPhoneCallId } from '../../../contract/relay.core.ts';
import { twilioSettings } from '../../../contract/relay.twilio.fixture.ts';
import { BOB, X } from '../../../contract/relay.under-test.ts';
import { PUBLIC } from './twilio-stand-in.ts';
import { readTwiml } from './twiml-reader.ts';

const settings = twilioSettings('https://api.dublin.ie1.twilio.com');
const twiml = new Twiml(settings);
const decision = {
  do: 'bridge',
  bindingId: newBindingId(),
  phoneCallId: newPhoneCallId(),
  caller: 'a',
  to: BOB,
  showAs: X,
  language: 'zh',
  recorded: false,
  ringMs: 25_000,
  maxTalkMs: 900_000,
} as const;

const address = (webhook: string): string =>
  `${PUBLIC}/v1/phone/twilio/${webhook}?b=${decision.bindingId}&p=${decision.phoneCallId}&w=a&g=zh&l=900#rc=3&rp=5xx,ct,rt`;

describe('TwiML', () => {
  test('[TWI3] a call is put through with X shown, its limits, and addresses that say whose call it is', () => {
    expect(readTwiml(twiml.bridge(decision, X))).toEqual({
      name: 'Response',
      attributes: {},
      text: '',
      children: [
        {
          name: 'Dial',
          attributes: {
            callerId: X,
            answerOnBridge: 'true',
            timeout: '25',
            timeLimit: '900',
            action: address('dialled'),
            method: 'POST',
            record: 'do-not-record',
          },
          text: '',
          children: [
            {
              name: 'Number',
              attributes: {
                statusCallback: address('leg'),
                statusCallbackEvent: 'initiated ringing answered completed',
                statusCallbackMethod: 'POST',
              },
              text: BOB,
              children: [],
            },
          ],
        },
      ],
    });
  });

  test('[TWI4] a recorded call says the notice to the caller first, and to the callee before they are connected', () => {
    const [notice, dial] = readTwiml(twiml.bridge({ ...decision, recorded: true }, X)).children;
    expect(notice).toMatchObject({ name: 'Say', attributes: { language: 'zh-CN' }, text: 'zh:recorded' });
    // Nothing is recorded from here: not the first words of who picks up, before the notice.
    expect(dial?.attributes).toMatchObject({ record: 'do-not-record', action: address('dialled') });
    expect(Object.keys(dial?.attributes ?? {}).filter((name) => /record|trim/i.test(name))).toEqual([
      'record',
    ]);
    expect(dial?.children[0]?.attributes).toMatchObject({ url: address('notice'), method: 'POST' });
    const context = contextOf(decision);
    expect(readTwiml(twiml.notice({ ...context, language: 'en' })).children[0]).toMatchObject({
      name: 'Say',
      text: 'en:recorded',
    });
    expect(readTwiml(twiml.notice(context)).children).toMatchObject([
      { name: 'Say', attributes: { language: 'zh-CN' }, text: 'zh:recorded' },
      { name: 'Redirect', attributes: { method: 'POST' }, text: address('noticed') },
    ]);
    expect(readTwiml(twiml.connect()).children).toEqual([]);
    expect(twiml.recordingReport(context)).toBe(address('recording'));
  });

  test.each([
    [1_000, '5', 500, '1'],
    [9_000_000, '600', 86_400_000, '14400'],
    [29_999, '29', 60_999, '60'],
  ])(
    '[TWI5] limits stay within Twilio’s: %i ms of ringing are %s s, %i ms of talk %s s',
    (ringMs, ring, maxTalkMs, talk) => {
      const [dial] = readTwiml(twiml.bridge({ ...decision, ringMs, maxTalkMs }, X)).children;
      expect(dial?.attributes).toMatchObject({ timeout: ring, timeLimit: talk });
    },
  );

  test('[TWI6] prompts are our own recordings where there are some', () => {
    const playing = new Twiml({
      ...settings,
      prompts: { kind: 'play', base: 'https://clinic.example/prompts/' },
    });
    for (const prompt of PROMPTS)
      expect(readTwiml(playing.announce(prompt, 'zh')).children).toEqual([
        {
          name: 'Play',
          attributes: {},
          text: `https://clinic.example/prompts/zh/${prompt}.wav`,
          children: [],
        },
        { name: 'Hangup', attributes: {}, text: '', children: [] },
      ]);
  });

  test('[TWI7] no text and no attribute can break out of the XML', () => {
    const hostile = `</Say><Dial>+1</Dial>"'&amp;<!--]]>\u0000\u0008\ufffe\ud800end😀`;
    const read = readTwiml(xmlDocument(element('Response', {}, element('Say', { voice: hostile }, hostile))));
    const shown = `</Say><Dial>+1</Dial>"'&amp;<!--]]>end😀`;
    expect(read.children).toEqual([{ name: 'Say', attributes: { voice: shown }, text: shown, children: [] }]);
  });
});

describe('settings', () => {
  test.each([
    [{ accountSid: 'AC1' }, /account SID/],
    [{ authToken: 'tok3n' }, /auth token/],
    [{ apiKey: { sid: 'SK1', secret: 'secret-secret-secret' } }, /API key/],
    [{ publicUrl: 'http://clinic.example' }, /public URL/],
    [{ publicUrl: 'https://clinic.example/?a=1' }, /public URL/],
    [{ apiBase: 'nowhere' }, /base of the Twilio interface/],
    [{ prompts: { kind: 'play', base: 'ftp://x' } as const }, /prompts/],
  ])('[TWI8] a setting that cannot be right is named at the start, not its value: %j', (change, message) => {
    const wrong = { ...settings, ...change };
    expect(() => checkTwilioSettings(wrong)).toThrow(message);
    try {
      checkTwilioSettings(wrong);
    } catch (error) {
      for (const secret of [settings.authToken, 'tok3n', 'secret-secret', 'http:', 'ftp:'])
        expect(String(error)).not.toContain(secret);
    }
  });

  test('[TWI8] an edge and region is another base of the interface', () => {
    expect(checkTwilioSettings({ ...settings, publicUrl: 'https://clinic.example/x/' })).toMatchObject({
      publicUrl: 'https://clinic.example/x',
      apiBase: 'https://api.dublin.ie1.twilio.com',
    });
  });
});

test.each([
  ['https://clinic.example:443', 'https://clinic.example'],
  ['https://clinic.example:443/tele/', 'https://clinic.example/tele'],
  ['https://clinic.example:8443/tele', 'https://clinic.example:8443/tele'],
  ['http://127.0.0.1:80', 'http://127.0.0.1'],
])('[TWI61] the public address %s is written %s', (publicUrl, written) => {
  expect(checkTwilioSettings({ ...settings, publicUrl }).publicUrl).toBe(written);
});
