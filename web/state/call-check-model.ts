import type { DeviceCheck, NetworkReport } from '@teleconsult/client-sdk/api';

export type CheckState = 'open' | 'well' | 'trouble';
export type CheckPart = 'camera' | 'microphone' | 'speaker' | 'network';

/** What the check of a device has come to so far. */
export type CheckResult = Readonly<Record<CheckPart, CheckState>>;

export const UNCHECKED: CheckResult = {
  camera: 'open',
  microphone: 'open',
  speaker: 'open',
  network: 'open',
};

/** As loud as speech is on the SDK's meter; a quiet room stays below. */
const HEARD_LEVEL = 0.4;

/** What the devices say now; a microphone works only once somebody was heard. */
export function afterLooking(
  result: CheckResult,
  check: Pick<DeviceCheck, 'camera' | 'problems'>,
  level: number,
): CheckResult {
  const { camera, problems } = check;
  const wasHeard = result.microphone === 'well' || level >= HEARD_LEVEL;
  return {
    ...result,
    camera: problems.camera !== null ? 'trouble' : camera === null ? 'open' : 'well',
    microphone: problems.microphone !== null ? 'trouble' : wasHeard ? 'well' : 'open',
  };
}

export const afterMeasuring = (result: CheckResult, { verdict }: NetworkReport): CheckResult => ({
  ...result,
  network: verdict === 'good' || verdict === 'fair' ? 'well' : 'trouble',
});

/** Whether everything works; null while nothing failed and something was not looked at. */
export function conclusion(result: CheckResult): boolean | null {
  const states = Object.values(result);
  if (states.includes('trouble')) return false;
  return states.includes('open') ? null : true;
}
