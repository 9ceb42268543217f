/** A video call of two people in the reference pages, on a server and in browsers that can be broken one by one. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConsultationId, ConsultationView } from '@teleconsult/protocol';
import { childrenOf } from '../../helpers/child-processes.ts';
import { eventually } from '../../helpers/eventually.ts';
import { freePort, type ServerProcess, startServerProcess } from '../../helpers/server-process.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { hostToken, personToken } from '../../helpers/test-tokens.ts';
import { WEB_DIR } from '../pages.ts';
import { Caller } from './caller.ts';
import { openNetworks } from './own-network.ts';

export interface ResumeStage extends AsyncDisposable {
  readonly consultationId: ConsultationId;
  readonly patient: Caller;
  readonly doctor: Caller;
  /** SIGKILL to the server, and another on the same data. Answers when that one listened. */
  restartServer(): Promise<number>;
  /** SIGKILL to every media worker. Answers when that was. */
  killWorkers(): number;
}

export interface StageOptions {
  /** Both browsers live in networks of their own. */
  readonly ownNetworks: boolean;
}

export async function setResumeStage({ ownNetworks }: StageOptions): Promise<ResumeStage> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await tempDir());
  const port = await freePort();
  const networks = ownNetworks ? stack.use(openNetworks(port)) : null;
  const host = networks?.serverAddress ?? '127.0.0.1';
  const origin = `http://${host}:${port}`;
  const startServer = (): Promise<ServerProcess> =>
    startServerProcess({
      dataDir: join(dir.path, 'data'),
      port,
      env: {
        TELECONSULT_MEDIA: 'mediasoup',
        TELECONSULT_WEB_DIR: WEB_DIR,
        TELECONSULT_LISTEN_HOST: host,
        TELECONSULT_MEDIA_LISTEN_IP: host,
      },
    });
  let server = await startServer();
  stack.defer(() => server.kill());
  const { consultationId } = await createVisit(origin);
  const caller = async (role: 'patient' | 'doctor'): Promise<Caller> => {
    const folder = join(dir.path, role);
    await mkdir(folder, { recursive: true });
    const link = `${origin}/${role}#token=${personToken(role)}&consultation=${consultationId}`;
    const network = networks?.add() ?? null;
    const one = stack.use(new Caller({ role, personId: role, folder, origin, link, network }));
    await one.start();
    return one;
  };
  const patient = await caller('patient');
  const doctor = await caller('doctor');
  await beginCall(patient, doctor);
  await Promise.all([patient.isKnownToDisk(), doctor.isKnownToDisk()]);
  const owned = stack.move();
  return {
    consultationId,
    patient,
    doctor,
    restartServer: async () => {
      await server.kill();
      server = await startServer();
      return Date.now();
    },
    killWorkers: () => {
      const workers = childrenOf(server.pid, 'mediasoup');
      if (workers.length === 0) throw new Error('the server has no media workers');
      const killedAt = Date.now();
      for (const pid of workers) process.kill(pid, 'SIGKILL');
      return killedAt;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function createVisit(origin: string): Promise<ConsultationView> {
  const response = await fetch(`${origin}/v1/consultations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hostToken()}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      patient: { personId: 'patient', displayName: 'Patient' },
      doctor: { personId: 'doctor', displayName: 'Doctor' },
    }),
  });
  if (response.status !== 201) throw new Error(`creating answered ${response.status}`);
  return (await response.json()) as ConsultationView;
}

async function beginCall(patient: Caller, doctor: Caller): Promise<void> {
  await doctor.byId('accept').click();
  await patient.page.locator('[data-testid="entry"][data-kind="consultation.accepted"]').waitFor();
  await doctor.byId('call-video').click();
  await patient.byId('call-accept').click();
  for (const caller of [patient, doctor])
    await eventually(
      `the call of the ${caller.personId} to be live`,
      async () => (await caller.callNow())?.state === 'live',
      { withinMs: 30_000 },
    );
}
