import { AddressList } from '../webhook-guard.ts';

/** What the operator sets up. The secrets go nowhere but into signatures and the address of the reports. */
export interface AlibabaSettings {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** Key of the number pool, `FC` and digits. */
  readonly poolKey: string;
  /** `https://dyplsapi.aliyuncs.com`. */
  readonly endpoint: string;
  readonly regionId: string;
  /** Part of the address of the reports, which nothing else proves: 32 characters or more of `A–Z a–z 0–9 _ -`. */
  readonly reportSecret: string;
  /** Addresses and networks that reports come from. None is believed from elsewhere. */
  readonly reportSources: readonly string[];
  /** Who chooses X: our pool, or Alibaba's (in `city`, where it can). */
  readonly chooses: 'us' | 'provider';
  readonly city: string | null;
  /**
   * `RingConfig` of a binding that records: the prompts by which both hear of it. They are uploaded and approved in the
   * console. null: nothing is recorded, since nobody would be told.
   */
  readonly recordingRingConfig: string | null;
  /** Ends of host names recordings are fetched from. */
  readonly recordingHosts: readonly string[];
}

const SECRET = /^[A-Za-z0-9_-]{32,128}$/;

/** @throws Error that names the setting that is wrong, never its value */
export function checkAlibabaSettings(settings: AlibabaSettings): AlibabaSettings {
  const { accessKeyId, accessKeySecret, poolKey, endpoint, reportSecret, reportSources, recordingHosts } =
    settings;
  if (accessKeyId === '' || accessKeySecret === '') throw new Error('The Alibaba access key is missing');
  if (!/^[A-Za-z0-9_]{4,64}$/.test(poolKey)) throw new Error('The Alibaba pool key is not one');
  if (!isSafe(endpoint)) throw new Error('The Alibaba endpoint is no https address');
  if (!SECRET.test(reportSecret))
    throw new Error('The secret of the Alibaba reports is too short or has other characters');
  if (reportSources.length === 0) throw new Error('Nowhere is allowed to send Alibaba reports from');
  new AddressList(reportSources);
  if (recordingHosts.some((host) => !/^[a-z0-9.:-]+$/.test(host)))
    throw new Error('A host of Alibaba recordings is not one');
  return { ...settings, endpoint: endpoint.replace(/\/+$/, '') };
}

function isSafe(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search } = new URL(text);
  const isHere = hostname === '127.0.0.1' || hostname === 'localhost';
  return (protocol === 'https:' || (protocol === 'http:' && isHere)) && pathname === '/' && search === '';
}
