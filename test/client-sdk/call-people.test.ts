import { AppError, DeviceId, PersonId, type SeatView } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { concerns, outcomeOf } from '../../client-sdk/call-outcome.ts';
import { recorded } from './helpers/clients.ts';
import { codeOf, eventually } from './helpers/eventually.ts';
import { answered, opened, ringing } from './helpers/opened-call.ts';
import { consultationView, doctor, patient, ringingCall } from './helpers/samples.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

const here = DeviceId.parse('device-under-test');
const elsewhere = DeviceId.parse('other-device');
const relative = PersonId.parse('relative-1');

const overWith = (call: { outcome: unknown }) =>
  eventually(
    () => call.outcome,
    (outcome) => outcome !== null,
  );

describe('a call of several people', () => {
  it('[SDK140] leaving stops media at once and ends the call here, while it goes on for the others', async () => {
    await using server = await ScriptedServer.start();
    const visit = await opened(server);
    await using _ = visit.client;
    const call = await answered(visit, server);
    const leaving = call.leave();
    expect(visit.media.running).toEqual([]);
    await leaving;
    expect(server.payloads('call.leave').length).toBe(1);
    expect(server.payloads('call.hangUp')).toEqual([]);
    expect(call.outcome).toBe('completed');
    expect(call.view.state).not.toBe('ended');
    expect(visit.consultation.call).toBeNull();
  });

  it('[SDK140] who may not end the call for the others leaves it by hanging up', async () => {
    await using server = await ScriptedServer.start();
    const visit = await opened(server);
    await using _ = visit.client;
    const call = await answered(visit, server);
    server.on('call.hangUp', () => {
      throw new AppError('FORBIDDEN');
    });
    await call.hangUp();
    expect(server.payloads('call.leave').length).toBe(1);
    expect(call.outcome).toBe('completed');
  });

  it('[SDK141] who left is rung by a new invitation, and only by that', async () => {
    await using server = await ScriptedServer.start();
    const visit = await opened(server);
    await using _ = visit.client;
    const first = await answered(visit, server);
    await first.leave();
    visit.scripted.tell({ media: 'video' });
    await visit.client.listConsultations();
    expect(visit.consultation.call).toBeNull();
    visit.scripted.changeSeat(patient, { state: 'invited', deviceId: null, leftReason: null });
    visit.scripted.ring();
    const again = await eventually(
      () => visit.consultation.call,
      (call) => call !== null,
    );
    expect(again).not.toBe(first);
    expect(again?.role).toBe('incoming');
    expect(visit.media.running).toEqual([]);
  });

  it('[SDK141] a call in which this person has no part does not ring', async () => {
    await using server = await ScriptedServer.start();
    const visit = await opened(server);
    await using _ = visit.client;
    const others = visit.scripted.view.seats.filter(({ personId }) => personId !== patient);
    visit.scripted.tell({ seats: others });
    await visit.client.listConsultations();
    expect(visit.consultation.call).toBeNull();
  });

  it('[SDK142] a person who is taken out of the call is out of it on this device', async () => {
    await using server = await ScriptedServer.start();
    const visit = await opened(server);
    await using _ = visit.client;
    const call = await answered(visit, server);
    visit.scripted.changeSeat(patient, { state: 'left', leftReason: 'removed' });
    visit.scripted.ring();
    expect(await overWith(call)).toBe('completed');
    expect(visit.media.running).toEqual([]);
    expect(visit.media.transports.every(({ isClosed }) => isClosed)).toBe(true);
    expect(await codeOf(call.setMicrophone(true))).toBe('WRONG_STATE');
  });

  it('[SDK143] a microphone that the doctor mutes is silent here at once and stays so until the person switches it on', async () => {
    await using server = await ScriptedServer.start();
    const visit = await opened(server);
    await using _ = visit.client;
    const call = await answered(visit, server);
    const [track] = visit.media.tracks;
    const changed = recorded(call.on, 'changed');
    visit.scripted.changeSeat(patient, { microphoneOn: false, mutedBy: doctor });
    visit.scripted.ring();
    await eventually(
      () => changed.length,
      (count) => count === 1,
    );
    expect(track?.enabled).toBe(false);
    expect(call.microphoneOn).toBe(false);
    expect(call.localTracks.microphone).toBeNull();
    server.tell('seat.mediaLost', visit.scripted.seat);
    await eventually(
      () => server.payloads('seat.join').length,
      (count) => count === 2,
    );
    await visit.client.listConsultations();
    expect(track?.enabled).toBe(false);
    expect(server.payloads('seat.setSource')).toEqual([]);
    await call.setMicrophone(true);
    expect(track?.enabled).toBe(true);
    expect(server.payloads('seat.setSource')).toMatchObject([{ source: 'microphone', on: true }]);
  });

  it('[SDK143] a mute that happened while this device was away is obeyed, not undone', async () => {
    await using server = await ScriptedServer.start();
    const visit = await opened(server);
    await using client = visit.client;
    const call = await answered(visit, server);
    visit.scripted.showInSnapshots();
    await server.goAway();
    visit.scripted.changeSeat(patient, { microphoneOn: false, mutedBy: doctor });
    await server.comeBack();
    await eventually(
      () => call.microphoneOn,
      (on) => !on,
    );
    await client.listConsultations();
    expect(visit.media.tracks[0]?.enabled).toBe(false);
    expect(server.payloads('seat.setSource')).toEqual([]);
  });

  it('[SDK143] a mute that meets the person’s own switching on wins, and the server is not left to show it on', async () => {
    await using server = await ScriptedServer.start();
    const visit = await opened(server);
    await using _ = visit.client;
    const call = await answered(visit, server);
    await call.setMicrophone(false);
    server.once('seat.setSource', ({ on }) => {
      // The doctor's mute overtakes the answer.
      visit.scripted.changeSeat(patient, { microphoneOn: false, mutedBy: doctor });
      visit.scripted.ring();
      return { call: visit.scripted.changeSeat(patient, { microphoneOn: on, mutedBy: null }) };
    });
    await call.setMicrophone(true);
    await eventually(
      () => server.payloads('seat.setSource').at(-1)?.on,
      (on) => on === false,
    );
    expect(visit.media.tracks[0]?.enabled).toBe(false);
    expect(call.microphoneOn).toBe(false);
  });

  it('[SDK144] another call is left for this one only when the person says so', async () => {
    await using server = await ScriptedServer.start();
    const visit = await opened(server);
    await using _ = visit.client;
    const call = await ringing(visit);
    server.once('call.accept', () => {
      throw new AppError('BUSY');
    });
    expect(await codeOf(call.accept())).toBe('BUSY');
    await eventually(
      () => visit.media.running,
      (running) => running.length === 0,
    );
    await call.accept({ leaveOther: true });
    expect(server.payloads('call.accept').map(({ leaveOther }) => leaveOther)).toEqual([false, true]);
  });

  it('[SDK144] a call to people who are all busy is refused, and frees the devices', async () => {
    await using server = await ScriptedServer.start();
    const visit = await opened(server);
    await using _ = visit.client;
    server.on('call.start', () => ({
      call: visit.scripted.change({ state: 'ended', endReason: 'busy', startedBy: patient }),
    }));
    expect(await codeOf(visit.consultation.startCall('voice'))).toBe('BUSY');
    await eventually(
      () => visit.media.running,
      (running) => running.length === 0,
    );
    expect(visit.consultation.call).toBeNull();
  });

  it('[SDK145] one more person is rung, and another’s microphone muted, by what the server is told', async () => {
    await using server = await ScriptedServer.start();
    const visit = await opened(server);
    await using _ = visit.client;
    const call = await answered(visit, server);
    await call.invite(relative);
    await call.mute(doctor);
    expect(server.payloads('call.invite')).toMatchObject([{ personId: relative }]);
    expect(server.payloads('seat.mute')).toMatchObject([{ personId: doctor }]);
    expect(call.view.seats.find(({ personId }) => personId === doctor)?.microphoneOn).toBe(false);
    expect(call.microphoneOn).toBe(true);
  });
});

describe('how a call ended for a device', () => {
  const own = { personId: patient, deviceId: here };
  const { consultationId } = consultationView();
  const view = (seat: Partial<SeatView>, changes: Parameters<typeof ringingCall>[1] = {}) => {
    const call = ringingCall(consultationId, changes);
    return {
      ...call,
      seats: call.seats.map((one) => (one.personId === patient ? { ...one, ...seat } : one)),
    };
  };

  it.each([
    [
      'declined on another device',
      { state: 'left', leftReason: 'declined', deviceId: elsewhere },
      'declined',
      'declined_elsewhere',
    ],
    ['declined here', { state: 'left', leftReason: 'declined', deviceId: here }, 'declined', 'declined'],
    [
      'answered on another device',
      { state: 'left', leftReason: 'hung_up', deviceId: elsewhere },
      'completed',
      'answered_elsewhere',
    ],
    ['not answered', { state: 'left', leftReason: 'no_answer', deviceId: null }, 'no_answer', 'no_answer'],
  ] as const)('[SDK146] %s', (_title, seat, endReason, outcome) => {
    const ended = view(seat, { state: 'ended', endReason });
    expect(outcomeOf(ended, own, { tookPart: false })).toBe(outcome);
  });

  it('[SDK146] a call that goes on without this person ended as their seat did', () => {
    expect(outcomeOf(view({ state: 'left', leftReason: 'no_answer' }), own, { tookPart: false })).toBe(
      'no_answer',
    );
    expect(outcomeOf(view({ state: 'left', leftReason: 'removed' }), own, { tookPart: true })).toBe(
      'completed',
    );
    const declined = view({ state: 'left', leftReason: 'declined', deviceId: elsewhere });
    expect(outcomeOf(declined, own, { tookPart: false })).toBe('declined_elsewhere');
  });

  it('[SDK146] the caller’s other devices hear how it ended, not that it was answered', () => {
    const ended = view(
      { deviceId: elsewhere },
      { state: 'ended', endReason: 'no_answer', startedBy: patient },
    );
    expect(outcomeOf(ended, own, { tookPart: false })).toBe('no_answer');
  });

  it('[SDK141] a seat that was lost concerns the person while they may come back; one that was left does not', () => {
    const lost = { state: 'left', leftReason: 'lost', deviceId: here } as const;
    expect(concerns(view({ ...lost, returnUntil: 9 }), own)).toBe(true);
    expect(concerns(view(lost), own)).toBe(false);
    expect(concerns(view({ state: 'left', leftReason: 'hung_up', deviceId: here }), own)).toBe(false);
    expect(concerns(view({}), { ...own, personId: null })).toBe(true);
  });

  it('[SDK146] a ring declined on another device says so', async () => {
    await using server = await ScriptedServer.start();
    const visit = await opened(server);
    await using _ = visit.client;
    const call = await ringing(visit);
    visit.scripted.changeSeat(patient, { state: 'left', leftReason: 'declined', deviceId: elsewhere });
    visit.scripted.end('declined');
    expect(await overWith(call)).toBe('declined_elsewhere');
  });
});
