import { AppError, RtpCapabilities } from '@teleconsult/protocol';
import { testFakeParameters } from 'mediasoup-client';
import { describe, expect, it } from 'vitest';
import { eventually } from './helpers/eventually.ts';
import { G711 } from './helpers/fake-media.ts';
import { answered, opened } from './helpers/opened-call.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

const WITH_G711 = RtpCapabilities.parse({
  ...testFakeParameters.generateRouterRtpCapabilities(),
  codecs: [...(testFakeParameters.generateRouterRtpCapabilities().codecs ?? []), ...G711],
});

/** A voice call on this device, with a server that can forward G.711. */
async function inCall(server: ScriptedServer, capabilities = WITH_G711) {
  const here = await opened(server, { media: 'voice' });
  here.scripted.routerCapabilities = capabilities;
  const call = await answered(here, server);
  const { seat } = here.scripted;
  return {
    ...here,
    call,
    tell: (wanted: boolean, codec: 0 | 8 = 8) => server.tell('seat.g711Wanted', { ...seat, wanted, codec }),
    sources: () => server.payloads('seat.produce').map(({ source }) => source),
    second: () => server.payloads('seat.produce').filter(({ source }) => source === 'microphone_g711'),
    /** Answers come in order: what was asked before this is answered after it. */
    settled: () => here.client.listConsultations(),
  };
}

describe('the microphone for telephones', () => {
  it('[PHS20] is the same track in G.711, sent while it is wanted and shown nowhere', async () => {
    await using server = await ScriptedServer.start();
    const { client, media, call, tell, second } = await inCall(server);
    await using _ = client;
    tell(true);
    await eventually(second, (sent) => sent.length === 1);
    const [payload] = second();
    expect(payload).toMatchObject({ kind: 'audio', paused: false });
    expect(payload?.rtpParameters.codecs.map(({ mimeType }) => mimeType)).toEqual(['audio/PCMA']);
    expect(media.current.send.sent.map(({ track }) => track)).toEqual([media.tracks[0], media.tracks[0]]);
    // One question for the microphone, one track, and nothing new in what the app shows.
    expect(media.asked).toHaveLength(1);
    expect(Object.keys(call.localTracks)).toEqual(['microphone', 'camera', 'screen']);
    tell(false);
    await eventually(
      () => media.current.send.stopped.length,
      (count) => count === 1,
    );
    expect(media.tracks[0]?.readyState).toBe('live');
    expect(media.tracks[0]?.enabled).toBe(true);
  });

  it('[PHS20] is sent in the other of the two codecs where the browser has that alone, and not without either', async () => {
    await using server = await ScriptedServer.start();
    const pcmu = {
      ...WITH_G711,
      codecs: WITH_G711.codecs?.filter(({ mimeType }) => mimeType !== 'audio/PCMA'),
    };
    const here = await inCall(server, RtpCapabilities.parse(pcmu));
    await using _ = here.client;
    here.tell(true, 8);
    await eventually(here.second, (sent) => sent.length === 1);
    expect(here.second()[0]?.rtpParameters.codecs[0]?.mimeType).toBe('audio/PCMU');
  });

  it('[PHS20] is not sent by a browser or to a server without G.711', async () => {
    await using server = await ScriptedServer.start();
    const none = RtpCapabilities.parse(testFakeParameters.generateRouterRtpCapabilities());
    const here = await inCall(server, none);
    await using _ = here.client;
    here.tell(true);
    await here.settled();
    await here.call.setMicrophone(false);
    await here.call.setMicrophone(true);
    await here.settled();
    expect(here.sources()).toEqual(['microphone']);
    expect(here.call.microphoneOn).toBe(true);
  });

  it('[PHS21] follows another device without a new negotiation, and who mutes is muted for both', async () => {
    await using server = await ScriptedServer.start();
    const { client, media, call, tell, second, settled } = await inCall(server);
    await using _ = client;
    tell(true);
    await eventually(second, (sent) => sent.length === 1);
    await settled();
    await call.selectDevice({ kind: 'microphone', deviceId: 'headset' });
    await eventually(
      () => media.current.send.replaced,
      (replaced) => replaced.length === 2,
    );
    expect(media.current.send.replaced).toEqual([media.tracks[1], media.tracks[1]]);
    await call.setMicrophone(false);
    expect(media.tracks[1]?.enabled).toBe(false);
    await call.selectDevice({ kind: 'microphone', deviceId: 'built-in' });
    await call.setMicrophone(true);
    await eventually(
      () => media.current.send.replaced,
      (replaced) => replaced.length === 4,
    );
    expect(media.current.send.replaced.slice(2)).toEqual([media.tracks[2], media.tracks[2]]);
    expect(media.tracks[2]?.enabled).toBe(true);
    expect(second()).toHaveLength(1);
  });

  it('[PHS22] begins anew when it is told again, and in a new session only when that is told', async () => {
    await using server = await ScriptedServer.start();
    const { client, media, scripted, tell, second, sources } = await inCall(server);
    await using _ = client;
    tell(true);
    await eventually(second, (sent) => sent.length === 1);
    tell(true);
    await eventually(second, (sent) => sent.length === 2);
    expect(media.current.send.stopped).toHaveLength(1);
    server.tell('seat.mediaLost', scripted.seat);
    await eventually(
      () => sources().filter((source) => source === 'microphone').length,
      (count) => count === 2,
    );
    expect(second()).toHaveLength(2);
    tell(true);
    await eventually(second, (sent) => sent.length === 3);
    expect(media.transports).toHaveLength(4);
    expect(media.current.send.sent).toHaveLength(2);
  });

  it('[PHS22] a refusal costs nothing but the telephone: the call goes on and nobody is troubled', async () => {
    await using server = await ScriptedServer.start();
    const here = await inCall(server);
    await using _ = here.client;
    const problems: unknown[] = [];
    here.call.on('problem', (error) => void problems.push(error));
    server.on('seat.produce', ({ source }) => {
      if (source === 'microphone_g711') throw new AppError('NOT_FOUND');
      return { producerId: 'one' };
    });
    here.tell(true);
    await eventually(
      () => here.media.current.send.stopped.length,
      (count) => count === 1,
    );
    await here.settled();
    expect(problems).toEqual([]);
    expect(here.scripted.joins).toBe(1);
    expect(here.call.microphoneOn).toBe(true);
  });

  it('[PHS22] told while there is no microphone yet, it begins with the microphone', async () => {
    await using server = await ScriptedServer.start();
    const here = await opened(server, { media: 'voice' });
    await using _ = here.client;
    here.scripted.routerCapabilities = WITH_G711;
    here.media.refuse = () => 'NotAllowedError';
    here.scripted.ring();
    await eventually(
      () => here.consultation.call?.view.state,
      (state) => state === 'ringing',
    );
    const { call } = here.consultation;
    if (call === null) throw new Error('no call');
    await call.accept();
    await eventually(
      () => here.scripted.joins,
      (joins) => joins === 1,
    );
    server.tell('seat.g711Wanted', { ...here.scripted.seat, wanted: true, codec: 8 });
    await here.client.listConsultations();
    here.media.refuse = () => null;
    await call.setMicrophone(true);
    await eventually(
      () => server.payloads('seat.produce').map(({ source }) => source),
      (sources) => sources.length === 2,
    );
    expect(server.payloads('seat.produce').map(({ source }) => source)).toEqual([
      'microphone',
      'microphone_g711',
    ]);
  });
});
