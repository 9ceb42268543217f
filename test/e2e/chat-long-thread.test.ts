import type { CDPSession } from 'playwright-core';
import { expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { namedToken } from '../helpers/test-tokens.ts';
import { textDraft } from '../helpers/visit.ts';
import { DESK, type Person } from './browser.ts';
import { CHEN, choose, LIN, setStage, watched } from './pages.ts';

const MESSAGES = 10_000;
/** Requests on the way at once while the thread is filled. */
const AT_ONCE = 50;
const MAX_ROWS = 300;
const MAX_GROWTH_BYTES = 40 * 1024 * 1024;

/** Runs in the page: every row that is ever shown is noted, and the most rows there were at once. */
function noteRows(): void {
  const noted = {
    seen: new Set<number>(),
    doubled: new Set<number>(),
    most: 0,
    list: null as Element | null,
  };
  Object.assign(window, { noted });
  const lists = (root: Document | ShadowRoot): Element | null => {
    for (const element of root.querySelectorAll('*')) {
      if (element.matches('section.scroller')) return element.querySelector('ol');
      const found = element.shadowRoot === null ? null : lists(element.shadowRoot);
      if (found !== null) return found;
    }
    return null;
  };
  const look = (): void => {
    if (noted.list?.isConnected !== true) noted.list = lists(document);
    if (noted.list !== null) {
      const rows = [...noted.list.children];
      noted.most = Math.max(noted.most, rows.length);
      const shown = new Set<number>();
      for (const row of rows) {
        const sequence = Number(row.getAttribute('data-sequence') ?? 0);
        if (sequence === 0) continue;
        if (shown.has(sequence)) noted.doubled.add(sequence);
        shown.add(sequence);
        noted.seen.add(sequence);
      }
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

interface Noted {
  readonly seen: readonly number[];
  readonly doubled: readonly number[];
  readonly most: number;
  /** The sequences in the page now, as they stand. */
  readonly shown: readonly number[];
}

const noted = ({ page }: Person): Promise<Noted> =>
  page.evaluate(() => {
    const { noted } = window as typeof window & {
      noted: { seen: Set<number>; doubled: Set<number>; most: number; list: Element | null };
    };
    const shown = [...(noted.list?.children ?? [])].flatMap((row) => {
      const sequence = Number(row.getAttribute('data-sequence') ?? 0);
      return sequence === 0 ? [] : [sequence];
    });
    return { seen: [...noted.seen], doubled: [...noted.doubled], most: noted.most, shown };
  });

async function heapBytes(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  return (await session.send('Runtime.getHeapUsage')).usedSize;
}

const isGapless = (sequences: readonly number[]): boolean =>
  sequences.every((sequence, index) => index === 0 || sequence === (sequences[index - 1] ?? 0) + 1);

test('[WEB94] a thread of 10,000 messages is read from end to beginning and back with bounded rows and memory', async () => {
  await using stage = await setStage();
  const { consultationId } = await stage.createVisit(LIN, CHEN);
  await using patient = await RawClient.connect(stage.app.origin, namedToken(LIN.personId, LIN.displayName));
  await patient.request('consultation.enter', { consultationId });
  let last = 0;
  for (let from = 1; from <= MESSAGES; from += AT_ONCE) {
    const numbers = Array.from({ length: AT_ONCE }, (_, index) => from + index);
    const sent = await Promise.all(
      numbers.map((number) =>
        patient.request('message.send', {
          consultationId,
          clientMessageId: `message-number-${number}`,
          content: textDraft(`第 ${number} 条：今天感觉比昨天好一些，夜里还是有点咳嗽。`),
        }),
      ),
    );
    last = Math.max(last, ...sent.map(({ sequence }) => sequence));
  }
  const doctor = await stage.open('doctor', CHEN, DESK);
  await doctor.page.addInitScript(noteRows);
  await doctor.page.goto('about:blank');
  await doctor.page.goto(stage.link('doctor', CHEN, consultationId));
  await watched({ doctor }, async () => {
    const { page } = doctor;
    // Everything is unread, so it opens at the first message; the newest is a press away.
    await doctor.byId('new-messages').click();
    const newest = doctor.page.locator(`[data-testid="entry"][data-sequence="${last}"]`);
    await newest.waitFor();
    const session = await page.context().newCDPSession(page);
    await session.send('HeapProfiler.enable');
    const opened = await heapBytes(session);

    // By the wheel through some thousand messages, which must come without a gap.
    await doctor.byId('thread').hover();
    const scrolledTo = last - 3_000;
    let lowest = last;
    await eventually(
      `message ${scrolledTo} by the wheel`,
      async () => {
        await page.mouse.wheel(0, -4_000);
        lowest = Math.min(...(await noted(doctor)).shown);
        return lowest <= scrolledTo;
      },
      { withinMs: 30_000, lastSeen: () => lowest },
    );
    const after = await noted(doctor);
    expect(after.doubled).toEqual([]);
    expect(after.most).toBeLessThanOrEqual(MAX_ROWS);
    expect(isGapless(after.shown)).toBe(true);
    const passed = new Set(after.seen);
    const missing = Array.from({ length: last - scrolledTo }, (_, index) => scrolledTo + index + 1).filter(
      (sequence) => !passed.has(sequence),
    );
    expect(missing).toEqual([]);
    const scrolled = await heapBytes(session);

    // The rest by the jump to the beginning, a way down from there, and back to the newest.
    await choose(doctor, 'toBeginning');
    await page.locator('[data-testid="entry"][data-sequence="1"]').waitFor();
    await doctor.screenshot('long-thread-beginning-desk-en');
    await doctor.byId('thread').hover();
    await eventually('message 400 on the way down', async () => {
      await page.mouse.wheel(0, 4_000);
      return Math.max(...(await noted(doctor)).shown) >= 400;
    });
    const downwards = await noted(doctor);
    expect(isGapless(downwards.shown)).toBe(true);
    const early = new Set(downwards.seen);
    expect(Array.from({ length: 400 }, (_, index) => index + 1).filter((one) => !early.has(one))).toEqual([]);
    await doctor.byId('new-messages').click();
    await newest.waitFor();
    const end = await noted(doctor);
    expect(end.shown.at(-1)).toBe(last);
    expect(isGapless(end.shown)).toBe(true);
    expect(end.doubled).toEqual([]);
    expect(end.most).toBeLessThanOrEqual(MAX_ROWS);
    const back = await heapBytes(session);
    for (const bytes of [scrolled, back]) expect(bytes - opened).toBeLessThanOrEqual(MAX_GROWTH_BYTES);
    // What is shown of a new message is not lost at the end of all this.
    await patient.request('message.send', {
      consultationId,
      clientMessageId: 'message-after-all',
      content: textDraft('最后一条'),
    });
    await page.locator(`[data-testid="entry"][data-sequence="${last + 1}"]`).waitFor();
    console.info(
      `heap: opened ${mebibytes(opened)}, scrolled ${mebibytes(scrolled)}, back ${mebibytes(back)}; most rows ${end.most}`,
    );
  });
}, 120_000);

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
