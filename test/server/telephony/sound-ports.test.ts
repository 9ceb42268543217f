import { readConfig } from '@teleconsult/server/config';
import { expect, test } from 'vitest';

const EMBEDDED = {
  TELECONSULT_PHONE_PROVIDER: 'embedded',
  TELECONSULT_PHONE_NUMBERS: '+8617000003333',
  TELECONSULT_SIP_TRUNK_HOST: '192.0.2.1',
  TELECONSULT_SIP_TRUNK_SOURCES: '192.0.2.0/24',
};
const read = (change: Readonly<Record<string, string>>) => readConfig({ ...EMBEDDED, ...change });

test('[RLE9] the sound of telephones has no port that a media worker may take', () => {
  expect(read({}).phone?.provider).toMatchObject({ trunk: { rtp: { firstPort: 20_000, lastPort: 20_999 } } });
  const workers = { TELECONSULT_MEDIA_WORKERS: '4' };
  for (const change of [
    { ...workers, TELECONSULT_MEDIA_FIRST_PORT: '20999' },
    { ...workers, TELECONSULT_MEDIA_FIRST_PORT: '19997' },
    { ...workers, TELECONSULT_MEDIA_FIRST_PORT: '20500' },
    { TELECONSULT_RTP_LAST_PORT: '61000' },
  ])
    expect(() => read(change)).toThrow('shared with media workers');
  for (const change of [
    { ...workers, TELECONSULT_MEDIA_FIRST_PORT: '19996' },
    { ...workers, TELECONSULT_MEDIA_FIRST_PORT: '21000' },
    { TELECONSULT_RTP_LAST_PORT: '60999' },
    // Without our own relay there is no such sound.
    { TELECONSULT_PHONE_PROVIDER: 'off', TELECONSULT_RTP_LAST_PORT: '65535' },
  ])
    expect(() => read(change)).not.toThrow();
});
