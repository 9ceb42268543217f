/**
 * How long until everybody is back after the server was killed and started again. Each device comes back as the SDK does,
 * and then asks for its consultation and its list; with `calls` each two of them are in a call, and take their seats again
 * (without media). Server on core 0, devices on core 1, where `taskset` exists.
 * Run: node bench/restart.ts [devices] [admissions a second] [runs] [calls]
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { loopDelayMs, mostInASecond } from '../test/chaos/restart-devices.ts';
import { freePort, startServerProcess } from '../test/helpers/server-process.ts';
import { tempDir } from '../test/helpers/temp-dir.ts';
import { createConsultation, peopleOf } from '../test/helpers/test-app.ts';
import { hostToken, personToken } from '../test/helpers/test-tokens.ts';
import { LightDevice } from './light-device.ts';

const DEVICES = Number(process.argv[2] ?? 5_000);
const PER_SECOND = process.argv[3] ?? '1000';
const RUNS = Number(process.argv[4] ?? 3);
const IN_CALLS = process.argv[5] === 'calls';
const PATIENCE_MS = 120_000;
/** How many are connected at the same time at first. */
const ABREAST = 50;

const pin = (pid: number, core: number) =>
  spawnSync('taskset', ['-a', '-p', '-c', String(core), String(pid)]);
pin(process.pid, 1);

async function start(dataDir: string, port: number) {
  const env = { TELECONSULT_ADMISSIONS_PER_SECOND: PER_SECOND, TELECONSULT_LOG_LEVEL: 'error' };
  const server = await startServerProcess({ dataDir, port, env });
  pin(server.pid, 0);
  return server;
}

async function connectAll(origin: string): Promise<LightDevice[]> {
  const devices: LightDevice[] = [];
  for (let from = 0; from < DEVICES / 2; from += ABREAST) {
    const pairs = Array.from({ length: Math.min(ABREAST, DEVICES / 2 - from) }, (_, n) => from + n);
    await Promise.all(
      pairs.map(async (number) => {
        const view = await createConsultation(origin, hostToken(), `restart-${number}`);
        const pair: LightDevice[] = [];
        for (const person of Object.values(peopleOf(view))) {
          const device = new LightDevice({
            origin,
            deviceId: `device-of-${person}`,
            token: personToken(person),
            consultationId: view.consultationId,
          });
          pair.push(device);
          const served = new Promise<void>((resolve) => {
            device.onServed = resolve;
          });
          device.connect();
          await served;
        }
        devices.push(...pair);
        if (IN_CALLS) await call(view.consultationId, pair);
      }),
    );
  }
  return devices;
}

/**
 * What the server has used so far, by the kernel's count of a hundredth of a second: how much it could serve on a machine
 * of its own, however busy this one is.
 */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** The patient's device comes first. */
async function call(consultationId: string, [patient, doctor]: readonly LightDevice[]): Promise<void> {
  if (patient === undefined || doctor === undefined) return;
  await patient.request('consultation.enter', { consultationId });
  await doctor.request('consultation.accept', { consultationId });
  const started = await doctor.request('call.start', { consultationId, media: 'video' });
  const { callId } = (started as { call: { callId: string } }).call;
  await patient.request('call.accept', { consultationId, callId });
  await patient.join(callId);
  await doctor.join(callId);
}

for (let run = 1; run <= RUNS; run++) {
  await using dir = await tempDir();
  const port = await freePort();
  let server = await start(dir.path, port);
  const { origin } = server;
  const devices = await connectAll(origin);
  for (const device of devices) device.servedAt.length = device.enteredAt.length = device.refused = 0;
  const killedAt = performance.now();
  await server.kill();
  server = await start(dir.path, port);
  const listeningAt = performance.now();
  const cpuBefore = cpuMs(server.pid);
  await loopDelayMs(origin);
  const isBack = ({ servedAt }: LightDevice): boolean => servedAt.length > 0;
  while (!devices.every(isBack) && performance.now() - listeningAt < PATIENCE_MS)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const cpuEach = (cpuMs(server.pid) - cpuBefore) / DEVICES;
  const times = (of: (device: LightDevice) => readonly number[]): number[] =>
    devices
      .flatMap((device) =>
        of(device)
          .slice(0, 1)
          .map((at) => at - listeningAt),
      )
      .sort((a, b) => a - b);
  const served = times(({ servedAt }) => servedAt);
  const at = (share: number): string =>
    ((served[Math.ceil(served.length * share) - 1] ?? Number.NaN) / 1_000).toFixed(2);
  console.log(
    `${run}  ${DEVICES} devices${IN_CALLS ? ' in calls' : ''}, ${PER_SECOND} let in a second, down for ${((listeningAt - killedAt) / 1_000).toFixed(1)} s: ` +
      `served after p50 ${at(0.5)} s  p95 ${at(0.95)} s  last ${at(1)} s, ` +
      `${devices.filter((device) => !isBack(device)).length} never back, ` +
      `${devices.filter(({ enteredAt }) => enteredAt.length > 1).length} twice, ` +
      `at most ${mostInASecond(times(({ enteredAt }) => enteredAt))} entered in a second, ` +
      `${devices.reduce((sum, { refused }) => sum + refused, 0)} sent away, ` +
      `${cpuEach.toFixed(2)} ms of the processor a device, ` +
      `event loop p99 ${(await loopDelayMs(origin)).toFixed(0)} ms`,
  );
  for (const device of devices) device.close();
  await server.kill();
}
process.exit(0);
