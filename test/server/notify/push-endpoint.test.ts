import { acceptedEndpoint } from '@teleconsult/server/notify/push-endpoint';
import { expect, test } from 'vitest';

const EXTRA = ['https://push.hospital.example', 'http://127.0.0.1:9999'];

test.each([
  'https://fcm.googleapis.com/fcm/send/abc:def',
  'https://fcm.googleapis.com/wp/abc',
  'https://updates.push.services.mozilla.com/wpush/v2/abc',
  'https://autopush.prod.push.services.mozilla.com/wpush/v1/abc',
  'https://wns2-by3p.notify.windows.com/w/?token=abc%2b',
  'https://web.push.apple.com/abc',
  'https://api.push.apple.com/abc',
  'https://android.googleapis.com/fcm/send/abc',
  'https://push.hospital.example/abc',
  'http://127.0.0.1:9999/abc',
])('[PUSH13] %s is an address of a push service', (endpoint) => {
  expect(acceptedEndpoint(endpoint, EXTRA)).toBe(endpoint);
});

test.each([
  ['no address', 'nowhere'],
  ['empty', ''],
  ['not encrypted', 'http://fcm.googleapis.com/fcm/send/abc'],
  ['another protocol', 'ftp://fcm.googleapis.com/fcm/send/abc'],
  ['a file', 'file:///etc/passwd'],
  ['data', 'data:text/plain,abc'],
  ['a machine of the network', 'https://intranet/abc'],
  ['this machine', 'https://localhost/abc'],
  ['this machine by number', 'https://127.0.0.1/abc'],
  ['a number in disguise', 'https://2130706433/abc'],
  ['a number in octal', 'https://0177.0.0.1/abc'],
  ['IPv6', 'https://[::1]/abc'],
  ['IPv4 in IPv6', 'https://[::ffff:127.0.0.1]/abc'],
  ['metadata of a cloud', 'https://169.254.169.254/latest/meta-data'],
  ['a name before the host', 'https://fcm.googleapis.com@evil.example/abc'],
  ['a name and a secret before it', 'https://fcm.googleapis.com:443@evil.example/abc'],
  ['a name before the right host', 'https://evil@fcm.googleapis.com/abc'],
  ['a backslash', 'https://evil.example\\@fcm.googleapis.com/abc'],
  ['another port', 'https://fcm.googleapis.com:8443/abc'],
  ['port 80', 'https://fcm.googleapis.com:80/abc'],
  ['a trailing dot', 'https://fcm.googleapis.com./abc'],
  ['a trailing dot of a domain', 'https://a.push.apple.com./abc'],
  ['a longer domain', 'https://fcm.googleapis.com.evil.example/abc'],
  ['a domain that ends like one', 'https://evilpush.apple.com/abc'],
  ['a domain that ends like another', 'https://evil-notify.windows.com/abc'],
  ['the bare domain', 'https://push.services.mozilla.com/abc'],
  ['a name of Google that is no push service', 'https://www.googleapis.com/abc'],
  ['the old service without VAPID', 'https://android.googleapis.com/gcm/send/abc'],
  ['a way out of its path', 'https://android.googleapis.com/fcm/../gcm/send/abc'],
  ['a fragment', 'https://fcm.googleapis.com/abc#def'],
  ['another port of an extra origin', 'http://127.0.0.1:9998/abc'],
  ['an extra origin without its encryption', 'http://push.hospital.example/abc'],
  ['a name before an extra origin', 'https://evil@push.hospital.example/abc'],
  ['letters that look alike', 'https://fсm.googleapis.com/abc'],
])('[PUSH13] an address is refused: %s', (_what, endpoint) => {
  expect(acceptedEndpoint(endpoint, EXTRA)).toBeNull();
});

test('[PUSH13] kept is what the parser made of it, so that nothing else reads it otherwise', () => {
  expect(acceptedEndpoint('https:\\\\FCM.googleapis.com:443\\a\tb', [])).toBe(
    'https://fcm.googleapis.com/ab',
  );
  expect(acceptedEndpoint(' https://web.push.apple.com/a/../b ', [])).toBe('https://web.push.apple.com/b');
});
