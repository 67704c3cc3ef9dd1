import { describe, expect, it } from 'vitest';
import { Generator } from '../../../samples/nexmark/generator/generator.ts';
import { nexmarkSource } from '../../../samples/nexmark/source.ts';
import { sourceContract } from '../../contract/source.contract.ts';
import { SourceProbe } from '../../contract/source-probe.ts';

const options = { seed: 5, eventsPerSecond: 1_000, disorderMs: 250 };
const generator = new Generator(options);
const expected = Array.from({ length: 1_700 }, (_, n) => generator.at(n));

sourceContract('the source of Nexmark events', () => ({
  source: () => nexmarkSource({ ...options, events: expected.length }),
  expected,
}));

describe('the source of Nexmark events', () => {
  it('gives every event its own time', async () => {
    const probe = (await SourceProbe.open(nexmarkSource({ ...options, events: 1_700 }))).start();
    await probe.untilCompleted();
    expect(probe.timestamps).toEqual(expected.map(({ dateTime }) => dateTime));
    await probe.close();
  });

  it('has the number of the next event as its position', async () => {
    const probe = await SourceProbe.open(nexmarkSource({ ...options, events: 1_700 }));
    expect(probe.position()).toMatchObject({ next: 0 });
    probe.start();
    await probe.untilCompleted();
    expect(probe.position()).toMatchObject({ next: 1_700 });
    await probe.close();
  });

  it('ends at once, and completes, when there are no events', async () => {
    const probe = (await SourceProbe.open(nexmarkSource({ ...options, events: 0 }))).start();
    await probe.untilCompleted();
    expect(probe.values).toEqual([]);
    await probe.close();
  });

  it.each([
    ['seed', 6],
    ['eventsPerSecond', 999],
    ['disorderMs', 0],
  ])('does not go on from a position of another %s', async (name, value) => {
    const probe = await SourceProbe.open(nexmarkSource({ ...options, events: 1_700 }));
    const position = probe.position();
    await probe.close();
    const other = nexmarkSource({ ...options, [name]: value, events: 1_700 });
    await expect(SourceProbe.open(other, position)).rejects.toThrow(new RegExp(`generated with ${name} .*--fresh`));
  });
});
