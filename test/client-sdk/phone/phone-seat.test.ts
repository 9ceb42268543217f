import { describe, expect, it } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { opened, ringing } from '../helpers/opened-call.ts';
import { patient } from '../helpers/samples.ts';
import { ScriptedServer } from '../helpers/scripted-server.ts';

describe('a call that is answered by telephone', () => {
  it('[PSD21] is elsewhere for the devices of the person, and each of them may take it over', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await ringing(here);
    here.scripted.changeSeat(patient, { phone: true });
    here.scripted.tell({});
    await eventually(
      () => call.view.seats.some(({ phone }) => phone),
      (rings) => rings,
    );
    // It rings there as well: the device is asked on.
    expect(call.role).toBe('incoming');
    here.scripted.changeSeat(patient, { state: 'present', deviceId: null });
    here.scripted.tell({ state: 'live', ringUntil: null });
    await eventually(
      () => call.role,
      (role) => role === 'elsewhere',
    );
    server.once('seat.join', () => 'silence');
    void call.accept({ camera: false }).catch(() => {});
    await eventually(
      () => server.payloads('seat.join').length,
      (count) => count === 1,
    );
    expect(server.payloads('call.accept')).toEqual([]);
  });

  it('[PSD21] is elsewhere for the device that its person left for the telephone', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server);
    await using _ = here.client;
    const call = await ringing(here);
    await call.accept();
    await eventually(
      () => server.payloads('seat.produce').length,
      (count) => count === 1,
    );
    here.scripted.changeSeat(patient, { state: 'present', deviceId: null, phone: true });
    here.scripted.tell({});
    server.tell('seat.moved', here.scripted.seat);
    await eventually(
      () => call.role,
      (role) => role === 'elsewhere',
    );
    expect(here.media.running).toEqual([]);
  });
});
