import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSink, OutputChangedError } from '../../../connectors/file/index.ts';
import { FencedError } from '../../../lib/index.ts';
import { type Committed, SinkProbe } from '../../contract/sink-probe.ts';
import { Folder } from './folder.ts';

type Line = { readonly n: number };

let folder: Folder;
let path: string;
let opened: SinkProbe<Line>[];

beforeEach(() => {
  folder = new Folder();
  path = folder.at('out/lines.jsonl');
  opened = [];
});

afterEach(async () => {
  for (const probe of opened) await probe.close();
  folder[Symbol.dispose]();
});

async function openSink(token: number, from?: Committed): Promise<SinkProbe<Line>> {
  const probe = await SinkProbe.open(fileSink<Line>({ path }), token, from);
  opened.push(probe);
  return probe;
}

const visible = (): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** Lets others go on for so many turns. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve));
}

/** What became of the older one, which no store has told yet that it is fenced off. */
async function outcomeOf(older: Promise<SinkProbe<Line>>): Promise<unknown> {
  try {
    const probe = await older;
    probe.write({ n: -1 });
    await probe.commit(await probe.prepare(5));
    return 'it committed';
  } catch (error) {
    return error;
  }
}

/** It was through before the other began; or it was told why not. Only a store knows which of the two to say. */
const isOverOrFenced = (outcome: unknown): boolean =>
  outcome === 'it committed' || outcome instanceof FencedError || outcome instanceof OutputChangedError;

// The file system puts the steps of the two in an order of its own, another one each time.
const rounds = Array.from({ length: 16 }, (_, i) => i);

describe('two incarnations that open one output at the same time', () => {
  it('leave the newer one undisturbed, wherever the older one is: both start afresh', async () => {
    for (const round of rounds) {
      path = folder.at(`afresh-${round}/lines.jsonl`);
      const older = outcomeOf(openSink(1));
      await turns(round);
      const newer = await openSink(2);
      newer.write({ n: 1 });
      const first = await newer.prepare(7);
      await newer.commit(first);
      newer.write({ n: 2 });
      const prepared = await newer.prepare(8);
      const outcome = await older;
      await newer.commit(prepared);
      expect(visible(), `round ${round}`).toBe('{"n":1}\n{"n":2}\n');
      expect(outcome, `round ${round}`).toSatisfy(isOverOrFenced);
    }
  });

  it('leave the newer one undisturbed, wherever the older one is: both go on from a checkpoint', async () => {
    for (const round of rounds) {
      path = folder.at(`from-${round}/lines.jsonl`);
      const before = await openSink(1);
      before.write({ n: 0 });
      const from = await before.checkpoint(1);
      before.write({ n: 99 });
      // Behind the checkpoint that both come back from: they drop it, by a new file.
      await before.checkpoint(2);
      const older = outcomeOf(openSink(2, from));
      await turns(round);
      const newer = await openSink(3, from);
      newer.write({ n: 1 });
      const first = await newer.prepare(7);
      await newer.commit(first);
      newer.write({ n: 2 });
      const prepared = await newer.prepare(8);
      const outcome = await older;
      await newer.commit(prepared);
      expect(visible(), `round ${round}`).toBe('{"n":0}\n{"n":1}\n{"n":2}\n');
      expect(outcome, `round ${round}`).toSatisfy(isOverOrFenced);
    }
  });
});
