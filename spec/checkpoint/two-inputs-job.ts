import { actor, from, type Job, job, type Manifest, type Sink, type } from '../../lib/index.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { keyBy, to, union } from '../../operators/index.ts';
import { differences, type Scenario } from './faulty-run.ts';

export const sides = ['left', 'right'] as const;
export type Side = (typeof sides)[number];

/** A number that comes in on one side, for one of its accounts, or the end of that side. */
export type SideItem = { readonly side: Side } & (
  | { readonly add: number; readonly account: string }
  | { readonly ends: true }
);

interface Entry {
  readonly account: string;
  readonly add: number;
}

/**
 * A union of two inputs that end at different times, and a branch of one of them. Which side comes first is not fixed where
 * input is read again; what each account shows is. Every actor says something when its input ends, and only once.
 */
export class TwoInputs implements Scenario<SideItem> {
  readonly name = 'two-inputs';
  readonly sinks = ['sums', 'left'];
  private readonly sources = { left: new MarbleSource('left'), right: new MarbleSource('right') };
  private readonly entries: Record<Side, Entry[]> = { left: [], right: [] };
  private readonly ended = new Set<Side>();

  job(sink: (name: string) => Sink<string>): Job {
    return job(this.name, () => {
      const [left, right] = sides.map(side => from<Entry>(this.sources[side] as never));
      if (!left || !right) throw new Error('there are two sides');
      const account = (entry: Entry) => entry.account;
      return [
        union(left, right).pipe(keyBy(account), sums('sums'), to(sink('sums'))),
        left.pipe(keyBy(account), sums('left sums'), to(sink('left'))),
      ];
    });
  }

  take(item: SideItem): void {
    if (this.ended.has(item.side)) return;
    if ('ends' in item) {
      this.ended.add(item.side);
      this.sources[item.side].push({ kind: 'complete' });
      return;
    }
    const entry = { account: `${item.side} ${item.account}`, add: item.add };
    this.entries[item.side].push(entry);
    this.sources[item.side].push({ kind: 'value', value: entry });
  }

  end(): void {
    for (const side of sides) this.take({ side, ends: true });
  }

  problems(sink: string, visible: readonly string[], committed: Manifest | undefined, isQuiet: boolean): string[] {
    const read = sides.map(side => {
      const { position, finished } = committed?.sources[side] ?? { position: 0, finished: false };
      return { entries: this.entries[side].slice(0, position as number), finished };
    });
    if (sink === 'left') return byAccount(visible, reference(read.slice(0, 1)), isQuiet);
    return byAccount(visible, reference(read), isQuiet);
  }

  /** What must be visible in the end, in any order of the accounts. */
  expected(sink: string): string[] {
    const read = sides.map(side => ({ entries: this.entries[side], finished: true }));
    return [...reference(sink === 'left' ? read.slice(0, 1) : read).values()].flat();
  }
}

function sums(name: string) {
  return actor(name, {
    emits: type<string>(),
    update: 'return',
    initial: () => ({ sum: 0 }),
    receive({ sum }, { account, add }: Entry, ctx) {
      ctx.emit(`${account}: ${sum + add}`);
      return { sum: sum + add };
    },
    onComplete({ sum }, ctx) {
      ctx.emit(`${ctx.key}: ${sum} in the end`);
    },
  });
}

/** The lines of each account, from a plain loop over what was read of each input. */
function reference(inputs: readonly { readonly entries: readonly Entry[]; readonly finished: boolean }[]) {
  const lines = new Map<string, string[]>();
  const totals = new Map<string, number>();
  for (const { account, add } of inputs.flatMap(({ entries }) => entries)) {
    const sum = (totals.get(account) ?? 0) + add;
    totals.set(account, sum);
    lines.set(account, [...(lines.get(account) ?? []), `${account}: ${sum}`]);
  }
  if (inputs.every(({ finished }) => finished)) {
    for (const [account, sum] of totals) lines.get(account)?.push(`${account}: ${sum} in the end`);
  }
  return lines;
}

function byAccount(visible: readonly string[], covered: ReadonlyMap<string, readonly string[]>, isComplete: boolean) {
  const shown = Map.groupBy(visible, line => line.slice(0, line.indexOf(':')));
  return [...new Set([...shown.keys(), ...covered.keys()])].flatMap(account =>
    differences(shown.get(account) ?? [], covered.get(account) ?? [], isComplete),
  );
}
