/**
 * Where pushes may be sent. A subscription names a web address that this server then calls, so an address that is
 * taken from anybody would let its owner make the server call machines of the hospital's network.
 */

/** Hosts of the browsers' push services: Chrome and others, Firefox, Edge, Safari. */
const HOSTS: ReadonlySet<string> = new Set([
  'fcm.googleapis.com',
  'updates.push.services.mozilla.com',
  'web.push.apple.com',
]);

/** Services that give every region or cluster a name of its own. The point keeps `evilpush.apple.com` out. */
const DOMAINS = ['.push.services.mozilla.com', '.notify.windows.com', '.push.apple.com'] as const;

/** Old Chrome. Only this path of it: the other speaks a protocol without VAPID. */
const OLD_GOOGLE = { host: 'android.googleapis.com', path: '/fcm/' } as const;

/**
 * The address as it will be called, or null when it is none of a push service. Compared is what the URL parser made
 * of it, and that, not what was sent, is what is kept: two parsers may read one text differently.
 */
export function acceptedEndpoint(text: string, extraOrigins: readonly string[]): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || url.hash !== '') return null;
  if (extraOrigins.includes(url.origin)) return url.href;
  return url.protocol === 'https:' && url.port === '' && isPushService(url) ? url.href : null;
}

function isPushService({ hostname, pathname }: URL): boolean {
  if (hostname === OLD_GOOGLE.host) return pathname.startsWith(OLD_GOOGLE.path);
  return HOSTS.has(hostname) || DOMAINS.some((domain) => hostname.endsWith(domain));
}
