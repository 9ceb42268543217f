import { z } from 'zod';
import type { S3Checksums, S3Place } from './s3-client.ts';

const filled = z.string().trim().min(1, 'is empty');
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

/** Names that every S3 takes. Dots are left out: they break the certificate of `https://bucket.host`. */
const bucket = filled.regex(
  /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
  'is no name of a bucket (3–63 of a–z, 0–9 and -)',
);

/** Nothing but an origin: a path would be taken for a bucket, and keys in an address end up in logs. */
const endpoint = filled.refine(
  isEndpoint,
  'is no http(s) address without path or name in it, such as https://s3.example.org',
);

const prefix = z
  .string()
  .regex(/^(?:[A-Za-z0-9_-]+\/)*$/, 'is no folder such as hospital/ (letters, digits, _ and -; ends with /)')
  .max(200, 'is longer than 200 characters');

const checksums = z.enum(['crc32', 'sha256', 'off']);

/** The settings of where sealed objects lie, for the list of all settings. */
export const objectStoreSettings = {
  /** `disk`: the folder `objects` of the data; `s3`: a bucket. */
  OBJECT_STORE: z.enum(['disk', 's3']).default('disk'),
  S3_BUCKET: bucket.optional(),
  /** Left out: AWS itself. */
  S3_ENDPOINT: endpoint.optional(),
  S3_REGION: filled.optional(),
  S3_PATH_STYLE: flag.optional(),
  S3_CHECKSUMS: checksums.optional(),
  S3_PREFIX: prefix.optional(),
  /** Takes objects while the first store is down or full. */
  OBJECT_STORE_SECOND: z.enum(['disk', 's3']).optional(),
  /** A folder on another disk, for `disk` as the second. */
  SECOND_DIR: filled.optional(),
  SECOND_S3_BUCKET: bucket.optional(),
  SECOND_S3_ENDPOINT: endpoint.optional(),
  SECOND_S3_REGION: filled.optional(),
  SECOND_S3_PATH_STYLE: flag.optional(),
  SECOND_S3_CHECKSUMS: checksums.optional(),
  SECOND_S3_PREFIX: prefix.optional(),
};

type Settings = z.output<z.ZodObject<typeof objectStoreSettings>>;

/** One place for objects. A disk without a folder of its own is the one of the data. */
export type ObjectPlace =
  | { readonly kind: 'disk'; readonly dir: string | null }
  | { readonly kind: 's3'; readonly place: S3Place };

export interface ObjectPlaces {
  readonly first: ObjectPlace;
  readonly second: ObjectPlace | null;
}

/**
 * Where objects lie, by the settings.
 * @throws Error that says which settings do not fit together, and what to do
 */
export function objectPlaces(settings: Settings, prefix: string): ObjectPlaces {
  const say = (name: string) => prefix + name;
  const first: ObjectPlace =
    settings.OBJECT_STORE === 's3'
      ? { kind: 's3', place: s3Place(s3Settings(settings, ''), say) }
      : { kind: 'disk', dir: null };
  if (settings.OBJECT_STORE === 'disk') refuseUnused(settings, 'S3_', `${say('OBJECT_STORE')}=s3`, say);
  const second = secondPlace(settings, say);
  if (second?.kind === 's3' && first.kind === 's3' && isSamePlace(first.place, second.place))
    throw new Error(
      `${say('SECOND_S3_BUCKET')} is the bucket of the first store: the second would be down with it, and mistake ` +
        'its objects for its own. Name another one.',
    );
  return { first, second };
}

function secondPlace(settings: Settings, say: (name: string) => string): ObjectPlace | null {
  const wanted = `${say('OBJECT_STORE_SECOND')}=s3`;
  if (settings.OBJECT_STORE_SECOND !== 's3') refuseUnused(settings, 'SECOND_S3_', wanted, say);
  if (settings.OBJECT_STORE_SECOND !== 'disk' && settings.SECOND_DIR !== undefined)
    throw new Error(
      `${say('SECOND_DIR')} is set and not used: set ${say('OBJECT_STORE_SECOND')}=disk, or leave it out.`,
    );
  switch (settings.OBJECT_STORE_SECOND) {
    case undefined:
      return null;
    case 's3':
      return { kind: 's3', place: s3Place(s3Settings(settings, 'SECOND_'), (name) => say(`SECOND_${name}`)) };
    case 'disk':
      if (settings.OBJECT_STORE === 'disk' && settings.SECOND_DIR === undefined)
        throw new Error(
          `${say('SECOND_DIR')} is required with two stores on disk: name a folder on another disk, since a second ` +
            'one on the same disk is full together with the first.',
        );
      return { kind: 'disk', dir: settings.SECOND_DIR ?? null };
  }
}

interface S3Settings {
  readonly bucket: string | undefined;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly pathStyle: boolean | undefined;
  readonly checksums: S3Checksums | undefined;
  readonly prefix: string | undefined;
}

const s3Settings = (settings: Settings, which: '' | 'SECOND_'): S3Settings => ({
  bucket: settings[`${which}S3_BUCKET`],
  endpoint: settings[`${which}S3_ENDPOINT`],
  region: settings[`${which}S3_REGION`],
  pathStyle: settings[`${which}S3_PATH_STYLE`],
  checksums: settings[`${which}S3_CHECKSUMS`],
  prefix: settings[`${which}S3_PREFIX`],
});

function s3Place(
  { bucket, endpoint, region, pathStyle, checksums, prefix }: S3Settings,
  say: (name: string) => string,
): S3Place {
  if (bucket === undefined)
    throw new Error(`${say('S3_BUCKET')} is required: name a bucket that exists and keeps no versions.`);
  if (region === undefined && endpoint === undefined)
    throw new Error(
      `${say('S3_REGION')} is required for AWS, such as cn-north-1; or set ${say('S3_ENDPOINT')} for another S3.`,
    );
  return {
    bucket,
    endpoint,
    // Most servers of other makers check no region; the signature needs one.
    region: region ?? 'us-east-1',
    // A name of its own for each bucket is what AWS has, and a server in a hospital rarely.
    pathStyle: pathStyle ?? endpoint !== undefined,
    checksums: checksums ?? 'crc32',
    prefix: prefix ?? '',
  };
}

/** A setting that changes nothing is a mistake: its author believes that objects go elsewhere. */
function refuseUnused(
  settings: Settings,
  beginning: 'S3_' | 'SECOND_S3_',
  needed: string,
  say: (name: string) => string,
): void {
  const unused = Object.entries(settings)
    .filter(([name, value]) => name.startsWith(beginning) && value !== undefined)
    .map(([name]) => say(name));
  if (unused.length > 0)
    throw new Error(`${unused.join(', ')} is set and not used: set ${needed}, or leave it out.`);
}

/**
 * Two prefixes of one bucket are one place as well: it is down as a whole, and one may hold the other. An address can be
 * written in many ways, and what is in both places is removed from the second: this rather refuses too much.
 */
function isSamePlace(one: S3Place, other: S3Place): boolean {
  if (one.bucket !== other.bucket) return false;
  const [first, second] = [serverOf(one), serverOf(other)];
  return first.host === second.host && (first.port === second.port || first.protocol !== second.protocol);
}

/** All of AWS is one server: a bucket's name is given once, whatever the region and the address. */
function serverOf({ endpoint, region }: S3Place): { protocol: string; host: string; port: string } {
  if (endpoint === undefined) return awsOf(region.startsWith('cn-'));
  const { protocol, hostname, port } = new URL(endpoint);
  const aws = /(?:^|\.)amazonaws\.com(\.cn)?\.?$/.exec(hostname);
  return aws === null ? { protocol, host: hostname, port } : awsOf(aws[1] !== undefined);
}

const awsOf = (isChina: boolean) => ({ protocol: 'https:', host: isChina ? 'aws-cn' : 'aws', port: '' });

function isEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, hash, username, password } = new URL(text);
  return (
    ['http:', 'https:'].includes(protocol) &&
    pathname === '/' &&
    `${search}${hash}${username}${password}` === ''
  );
}
