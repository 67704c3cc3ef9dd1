import { describe, expect, it } from 'vitest';
import { actor, type Behaviour, deadLetters, JobDefinitionError, memoryStore, type } from '../../../lib/index.ts';
import { marbles } from '../../../lib/testing/index.ts';
import { keyBy } from '../../../operators/index.ts';
import { later } from '../../operators/async/later.ts';

type Test = Parameters<Parameters<typeof marbles>[0]>[0];
type Asking = Behaviour<string, number, string, string, Readonly<Record<never, never>>, string, string>;

/** Asks about each letter, which takes 3 ms, and counts questions and answers of its key. */
const asking = ({ scheduler }: Test, over: Partial<Asking> = {}) =>
  actor<string, number, string, string, Readonly<Record<never, never>>, string, string>('ask', {
    emits: type<string>(),
    update: 'return',
    initial: () => 0,
    requests: { send: letter => later(scheduler, 3, () => letter.toUpperCase()) },
    receive(count, letter, ctx) {
      ctx.request(letter);
      return count + 1;
    },
    onAnswer(count, answer, ctx, request) {
      ctx.emit(`${ctx.key}${count}${request}${answer}@${ctx.timestamp}`);
      return count + 10;
    },
    ...over,
  });
const byLetter = keyBy((letter: string) => (letter === 'b' ? 'l' : 'k'));

describe('requests of an actor', () => {
  it('answer with the state, key and time of their record, also after a restore', () => {
    marbles(test => {
      const { record } = test;
      const values = { a: record('a', 1), b: record('b', 2), c: record('c', 3) };
      const input = '   -ab-cB-X------|';
      const expected = '----p(Bq)-(qr)|';
      const run = test.job(input, stream => stream.pipe(byLetter, asking(test)), { values });
      test.expectElements(run).toBe(expected, {
        p: record('k2aA@1', 1, 'k'),
        q: record('l1bB@2', 2, 'l'),
        r: record('k12cC@3', 3, 'k'),
      });
    });
  });

  it('do not happen when the handler throws', () => {
    const asked: string[] = [];
    marbles(test => {
      const refusing = asking(test, {
        supervise: 'skip',
        requests: {
          send: letter => {
            asked.push(letter);
            return later(test.scheduler, 1, () => letter);
          },
        },
        receive(count, letter, ctx) {
          ctx.request(letter);
          if (letter === 'b') throw new Error('no');
          return count + 1;
        },
      });
      const run = test.job('-a-b-|', stream => {
        const out = stream.pipe(byLetter, refusing);
        return { out, bad: out.side(deadLetters) };
      });
      test.expectElements(run, 'out').toBe('--p--|', { p: 'k1aa@NaN' });
      test.expectElements(run, 'bad').toBe('---l-|', { l: expect.objectContaining({ value: 'b', error: 'no' }) });
    });
    expect(asked).toEqual(['a']);
  });

  it('go to the dead letters themselves when onAnswer throws', () => {
    marbles(test => {
      const failing = asking(test, {
        supervise: 'skip',
        onAnswer() {
          throw new Error('no');
        },
      });
      const run = test.job('-a---|', stream => stream.pipe(byLetter, failing).side(deadLetters));
      test
        .expectElements(run)
        .toBe('----l|', { l: { actor: 'ask', key: 'k', value: 'a', timestamp: Number.NaN, error: 'no' } });
    });
  });

  it('are made in receive alone', () => {
    marbles(test => {
      const run = test.job('-a---|', stream =>
        stream.pipe(
          byLetter,
          asking(test, {
            onAnswer(_, answer, ctx) {
              (ctx as unknown as { request(letter: string): void }).request(answer);
            },
          }),
        ),
      );
      test.expectElements(run).toBe('----#', {}, /makes a request in onAnswer: only receive can/);
    });
  });

  it('that nobody makes any more are refused at a restore, or dropped when that is allowed', () => {
    const store = memoryStore();
    marbles(test => {
      test.expectElements(test.job('-a-S', stream => stream.pipe(byLetter, asking(test)), { store })).toBe('---B');
    });
    const silent = () =>
      actor<string, number, string, string>('ask', {
        emits: type<string>(),
        update: 'return',
        initial: () => 0,
        receive: (count, letter, ctx) => ctx.emit(`${letter}${count}`),
      });
    marbles(test => {
      const run = test.job(
        '-a-b-|',
        stream =>
          stream.pipe(
            keyBy(() => 'k'),
            silent(),
          ),
        { store },
      );
      test.expectElements(run).toBe('#', {}, /has 1 stored requests that were not answered/);
    });
    marbles(test => {
      const run = test.job(
        '-a-b-|',
        stream =>
          stream.pipe(
            keyBy(() => 'k'),
            silent(),
          ),
        {
          store,
          settings: { allowDroppedState: true },
        },
      );
      test.expectElements(run).toBe('---p-|', { p: 'b1' });
    });
  });

  it('need both ends, and the key of the stream', () => {
    const { send } = { send: (letter: string) => Promise.resolve(letter) };
    const base = { initial: () => 0, receive() {} };
    expect(() => actor('ask', { ...base, requests: { send } })).toThrow(JobDefinitionError);
    expect(() => actor('ask', { ...base, onAnswer() {} })).toThrow(/needs both "requests"/);
    expect(() => actor('ask', { ...base, stateKey: () => 1, requests: { send }, onAnswer() {} })).toThrow(/stateKey/);
  });
});
