import { AppError } from '@teleconsult/protocol';
import { describe, expect, it } from 'vitest';
import { recorded } from './helpers/clients.ts';
import { eventually } from './helpers/eventually.ts';
import { CallBrowser } from './helpers/restored-call.ts';
import { ScriptedServer } from './helpers/scripted-server.ts';

const ticket = (join: number): string => String(join).padStart(32, '0');
const ticketsOf = (server: ScriptedServer) =>
  server.payloads('seat.join').map(({ resumeTicket, takeOver }) => (takeOver ? 'take over' : resumeTicket));

async function joins(server: ScriptedServer, count: number): Promise<void> {
  await eventually(
    () => server.payloads('seat.join').length,
    (seen) => seen === count,
  );
}

describe('resume tickets', () => {
  it('[SDK190] each join of a device brings the ticket of the last answer, and the first none', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using page = await browser.loadInCall();
    for (const count of [2, 3]) {
      server.tell('seat.mediaLost', browser.scripted.seat);
      await browser.sent(count);
    }
    expect(ticketsOf(server)).toEqual([undefined, ticket(1), ticket(2)]);
    expect(page.call.role).toBe('answered');
  });

  it('[SDK190] an answer that is lost costs nothing: the ticket before is still good', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using page = await browser.loadInCall();
    server.once('seat.join', (payload, from) => {
      browser.scripted.answerJoin(payload, from);
      server.cutAll();
      return 'silence';
    });
    server.tell('seat.mediaLost', browser.scripted.seat);
    await browser.sent(2);
    expect(ticketsOf(server)).toEqual([undefined, ticket(1), ticket(1)]);
    server.tell('seat.mediaLost', browser.scripted.seat);
    await browser.sent(3);
    expect(ticketsOf(server).at(-1)).toBe(ticket(3));
    expect(page.call.role).toBe('answered');
  });

  it('[SDK191] when the answer to the very first join is lost, the device takes over the seat that is its own', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    server.once('seat.join', (payload, from) => {
      browser.scripted.answerJoin(payload, from);
      server.cutAll();
      return 'silence';
    });
    await using page = await browser.loadInCall();
    expect(ticketsOf(server)).toEqual([undefined, undefined, 'take over']);
    expect(page.call.role).toBe('answered');
  });

  it('[SDK192] a refused ticket puts the device outside once and for all, until the person takes the seat over', async () => {
    await using server = await ScriptedServer.start();
    const browser = new CallBrowser(server);
    await using page = await browser.loadInCall();
    const problems = recorded(page.call.on, 'problem');
    const active = recorded(page.client.on, 'activeCall');
    server.once('seat.join', () => {
      throw new AppError('RESUME_REFUSED');
    });
    server.tell('seat.mediaLost', browser.scripted.seat);
    await eventually(
      () => page.call.role,
      (role) => role === 'elsewhere',
    );
    expect(problems.map(({ code }) => code)).toEqual(['RESUME_REFUSED']);
    expect(active).toEqual([null]);
    expect(page.media.running).toEqual([]);
    await browser.keeps(null);
    // Not even a new connection makes it ask again.
    const watches = server.payloads('consultation.watch').length;
    server.cutAll();
    await eventually(
      () => server.payloads('consultation.watch').length,
      (count) => count > watches,
    );
    await page.client.listConsultations();
    await joins(server, 2);
    await page.call.accept();
    expect(ticketsOf(server)).toEqual([undefined, ticket(1), 'take over']);
    expect(page.call.role).toBe('answered');
    expect(page.client.activeCall).toBe(page.call);
    await browser.keeps({ ticket: ticket(2) });
  });
});
