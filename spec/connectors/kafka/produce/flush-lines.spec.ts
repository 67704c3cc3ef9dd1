import { describe, expect, test } from 'vitest';
import { FlushLines } from '../../../../connectors/kafka/produce/flush-lines.ts';

/** What has been told by now, once all promises had their turn. */
async function told(lines: Record<string, Promise<void>>): Promise<string[]> {
  const done: string[] = [];
  for (const [name, line] of Object.entries(lines)) {
    line.then(
      () => done.push(name),
      error => done.push(`${name}: ${error}`),
    );
  }
  await new Promise(resolve => setImmediate(resolve));
  return done;
}

describe('a flush line', () => {
  test('is reached at once when nothing lies before it', async () => {
    expect(await told({ line: new FlushLines().draw() })).toEqual(['line']);
  });

  test('is reached when all batches before it are acknowledged, in whatever order, and no others', async () => {
    const lines = new FlushLines();
    const [a, b] = [lines.closed(), lines.closed()];
    const first = lines.draw();
    const c = lines.closed();
    const second = lines.draw();

    lines.acknowledged(c);
    lines.acknowledged(b);
    expect(await told({ first, second })).toEqual([]);
    lines.acknowledged(a);
    expect(await told({ first, second })).toEqual(['first', 'second']);
    expect(lines.open).toBe(0);
  });

  test('is not reached by what comes after it', async () => {
    const lines = new FlushLines();
    lines.closed();
    const line = lines.draw();
    lines.acknowledged(lines.closed());
    expect(await told({ line })).toEqual([]);
  });

  test('is told of a failure', async () => {
    const lines = new FlushLines();
    lines.closed();
    const line = lines.draw();
    lines.fail('broken');
    expect(await told({ line })).toEqual(['line: broken']);
  });
});
