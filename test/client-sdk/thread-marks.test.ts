import { AppError, ConsultationId, type RequestName } from '@teleconsult/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lifetime } from '../../client-sdk/lifetime.ts';
import { ThreadMarkKeeper } from '../../client-sdk/thread-marks.ts';
import { FakeSignalling } from './helpers/fake-signalling.ts';
import { doctor, minted, patient, textEntry } from './helpers/samples.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const consultationId = ConsultationId.parse(minted('cns'));
const from = (by: typeof doctor, sequence: number) => textEntry(sequence, { consultationId, by });

function keeper() {
  const signalling = new FakeSignalling();
  const life = new Lifetime();
  const told: string[] = [];
  const marks: ThreadMarkKeeper = new ThreadMarkKeeper({
    consultationId,
    signalling,
    life,
    onMarks: () => told.push(JSON.stringify(marks.marks.map(({ delivered, read }) => [delivered, read]))),
    onUnread: ({ unread, read }) => told.push(`${unread} unread after ${read}`),
  });
  signalling.answer = (_name: RequestName, payload) => ({
    consultationId,
    unread: 0,
    read: 'read' in payload ? payload.read : 0,
  });
  const sent = () =>
    signalling.payloads('thread.mark').map((payload) => {
      const { delivered, read } = payload as { delivered?: number; read?: number };
      return [delivered, read];
    });
  return { signalling, life, marks, told, sent };
}

describe('marks', () => {
  it('[SDK123] what others sent is marked as delivered, gathered, and once', async () => {
    const { marks, sent } = keeper();
    marks.handleEntries([from(doctor, 1), from(patient, 2)]);
    marks.handleEntries([from(doctor, 3)]);
    marks.handleEntries([from(patient, 4)]);
    expect(sent()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent()).toEqual([[3, undefined]]);
    marks.handleEntries([from(patient, 5)]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent().length).toBe(1);
  });

  it('[SDK124] reading is gathered, only rises, and says what is delivered as well', async () => {
    const { marks, sent } = keeper();
    marks.read(3);
    marks.read(7);
    marks.read(5);
    await vi.advanceTimersByTimeAsync(299);
    expect(sent()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent()).toEqual([[7, 7]]);
    marks.read(6);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent().length).toBe(1);
  });

  it('[SDK124] a mark that was not answered is sent again after the reconnect, with what came meanwhile', async () => {
    const { signalling, marks, sent } = keeper();
    signalling.connected = false;
    marks.read(3);
    await vi.advanceTimersByTimeAsync(60_000);
    marks.read(4);
    signalling.comeBack();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent()).toEqual([[4, 4]]);
    let isFirst = true;
    signalling.answer = () => {
      if (!isFirst) return { consultationId, unread: 0, read: 9 };
      isFirst = false;
      throw new AppError('STORAGE_FULL');
    };
    marks.read(9);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(sent()).toEqual([
      [4, 4],
      [9, 9],
      [9, 9],
    ]);
  });

  it('[SDK124] a refused mark is not sent in a loop', async () => {
    const { signalling, marks, sent } = keeper();
    signalling.answer = () => {
      throw new AppError('FORBIDDEN');
    };
    marks.read(3);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent()).toEqual([[3, 3]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('[SDK124] what is gathered is sent at once when the consultation closes', async () => {
    const { life, marks, sent } = keeper();
    marks.read(3);
    await marks.flush();
    life.end(new AppError('ABORTED'));
    expect(sent()).toEqual([[3, 3]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('[SDK124] what the server has already is not sent', async () => {
    const { marks, sent } = keeper();
    marks.handleSnapshot([{ personId: patient, delivered: 5, read: 5 }], {
      consultationId,
      unread: 0,
      read: 5,
    });
    marks.read(5);
    marks.handleEntries([from(doctor, 4)]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent()).toEqual([]);
  });

  it('[SDK125] marks of others only rise; what somebody hides is hidden', () => {
    const { marks, told } = keeper();
    marks.handleSnapshot([{ personId: doctor, delivered: 3, read: 2 }], {
      consultationId,
      unread: 0,
      read: 0,
    });
    marks.handleMarks({ personId: doctor, delivered: 2, read: 1 });
    marks.handleMarks({ personId: doctor, delivered: 4, read: 4 });
    marks.handleMarks({ personId: doctor, delivered: 4, read: 4 });
    marks.handleMarks({ personId: doctor, delivered: 5, read: null });
    marks.handleMarks({ personId: patient, delivered: 1, read: 1 });
    expect(told).toEqual(['[[3,2]]', '[[4,4]]', '[[5,null]]', '[[5,null],[1,1]]']);
  });

  it('[SDK125] what is unread comes from wherever it is newest, and each change is told once', async () => {
    const { marks, told } = keeper();
    marks.handleUnread({ consultationId, unread: 2, read: 3 });
    marks.handleUnread({ consultationId, unread: 2, read: 3 });
    marks.handleUnread({ consultationId, unread: 5, read: 1 });
    marks.read(5);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual(['2 unread after 3', '0 unread after 5']);
    expect(marks.unread).toEqual({ consultationId, unread: 0, read: 5 });
  });
});
