import { AppError, ConsultationId, type TypingActivity } from '@teleconsult/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lifetime } from '../../client-sdk/lifetime.ts';
import { TypingBoard } from '../../client-sdk/typing-board.ts';
import { TypingSender } from '../../client-sdk/typing-sender.ts';
import { FakeSignalling } from './helpers/fake-signalling.ts';
import { doctor, minted, patient } from './helpers/samples.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function sender() {
  const signalling = new FakeSignalling();
  const life = new Lifetime();
  const consultationId = ConsultationId.parse(minted('cns'));
  const typing = new TypingSender({ consultationId, signalling, life });
  const startedAt = performance.now();
  const told: [atMs: number, TypingActivity][] = [];
  signalling.answer = (_name, payload) => {
    if ('activity' in payload) {
      told.push([Math.round(performance.now() - startedAt), payload.activity as TypingActivity]);
    }
    return {};
  };
  return { signalling, life, typing, told };
}

function board() {
  const life = new Lifetime();
  const changes: string[] = [];
  const typing: TypingBoard = new TypingBoard({
    self: () => patient,
    life,
    onChange: () => changes.push(typing.typing.map(({ activity }) => activity).join()),
  });
  return { life, changes, typing };
}

describe('telling that one types', () => {
  it('[SDK126] however many keys are struck, the others are told at most once in three seconds, and of the end after five', () => {
    const { typing, told } = sender();
    for (let ms = 0; ms < 10_000; ms += 100) {
      typing.set('typing');
      vi.advanceTimersByTime(100);
    }
    vi.advanceTimersByTime(20_000);
    expect(told).toEqual([
      [0, 'typing'],
      [3_000, 'typing'],
      [6_000, 'typing'],
      [9_000, 'typing'],
      [14_900, 'none'],
    ]);
  });

  it('[SDK126] who stops and begins again at once is told of again after the three seconds', () => {
    const { typing, told } = sender();
    typing.set('typing');
    vi.advanceTimersByTime(1_000);
    typing.set('none');
    typing.set('typing');
    typing.set('none');
    typing.set('typing');
    vi.advanceTimersByTime(3_000);
    typing.set('none');
    expect(told).toEqual([
      [0, 'typing'],
      [1_000, 'none'],
      [3_000, 'typing'],
      [4_000, 'none'],
    ]);
  });

  it('[SDK126] recording lasts until it is set otherwise', () => {
    const { typing, told } = sender();
    typing.set('recording');
    vi.advanceTimersByTime(10_000);
    typing.set('none');
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual([
      [0, 'recording'],
      [3_000, 'recording'],
      [6_000, 'recording'],
      [9_000, 'recording'],
      [10_000, 'none'],
    ]);
  });

  it('[SDK126] offline nothing is told, and closing leaves no timer', () => {
    const { signalling, life, typing, told } = sender();
    signalling.connected = false;
    typing.set('typing');
    signalling.connected = true;
    typing.set('recording');
    life.end(new AppError('ABORTED'));
    typing.set('typing');
    expect(vi.getTimerCount()).toBe(0);
    expect(told).toEqual([[0, 'recording']]);
  });
});

describe('who types', () => {
  it('[SDK127] a notice that is not renewed is over after six seconds', () => {
    const { typing, changes } = board();
    typing.handle(doctor, 'typing');
    vi.advanceTimersByTime(5_000);
    typing.handle(doctor, 'typing');
    vi.advanceTimersByTime(5_000);
    expect(typing.typing).toEqual([{ personId: doctor, activity: 'typing' }]);
    vi.advanceTimersByTime(1_000);
    expect(typing.typing).toEqual([]);
    expect(changes).toEqual(['typing', '']);
  });

  it('[SDK127] this person is not among them, changes are told once, and a lost connection ends them', () => {
    const { life, typing, changes } = board();
    typing.handle(patient, 'typing');
    typing.handle(doctor, 'recording');
    typing.handle(doctor, 'recording');
    typing.clear();
    typing.handle(doctor, 'none');
    expect(changes).toEqual(['recording', '']);
    typing.handle(doctor, 'typing');
    life.end(new AppError('ABORTED'));
    expect(vi.getTimerCount()).toBe(0);
  });
});
