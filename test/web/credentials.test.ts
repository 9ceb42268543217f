import { describe, expect, it } from 'vitest';
import { parseFragment } from '../../web/state/credentials.ts';
import { linksOf } from '../../web/state/landing-links.ts';

describe('the link that opens a page', () => {
  it('[WEB3] holds a token, and a consultation unless it opens a list', () => {
    expect(parseFragment('#token=a.b.c&consultation=cns_1')).toEqual({
      token: 'a.b.c',
      consultationId: 'cns_1',
    });
    expect(parseFragment('#token=a.b.c')).toEqual({ token: 'a.b.c', consultationId: null });
    expect(parseFragment('#token=a&consultation=')).toEqual({ token: 'a', consultationId: null });
  });

  it('[WEB3] without a token is no link', () => {
    for (const fragment of ['', '#', '#token=', '#consultation=cns_1', '#something'])
      expect(parseFragment(fragment)).toBeNull();
  });

  it('[WEB3] the landing page carries development tokens on in the fragment, never in the query', () => {
    const links = linksOf('#patient=tok%2Bp&doctor=tokd&consultation=cns_1');
    expect(links.patient).toBe('/patient#token=tok%2Bp&consultation=cns_1');
    expect(parseFragment(links.patient.slice('/patient'.length))).toEqual({
      token: 'tok+p',
      consultationId: 'cns_1',
    });
    expect(linksOf('')).toEqual({ patient: '/patient', doctor: '/doctor', isDevelopment: false });
  });
});
