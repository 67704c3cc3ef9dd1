import { actor, from, type Job, job, type Manifest, type Sink, type Source, type } from '../../lib/index.ts';
import { MarbleSource } from '../../lib/testing/index.ts';
import { keyBy, to } from '../../operators/index.ts';
import { differences, type Scenario } from './faulty-run.ts';

/** What a record asks the ledger of its account to do. */
export interface Entry {
  readonly account: string;
  readonly act:
    | { readonly add: number }
    | { readonly forget: true }
    | { readonly remindAt: number }
    | { readonly noReminderAt: number };
}

/** What comes in, in order. */
export type Incoming = Entry | { readonly watermark: number };

interface Account {
  readonly sum: number;
  readonly reminders: number;
}

const empty: Account = { sum: 0, reminders: 0 };

/** The ledger, fed by a spec, against its reference. */
export class Ledger implements Scenario<Incoming> {
  readonly name = 'ledger';
  readonly sinks = ['accounts', 'counts'];
  /** All that came in. */
  readonly incoming: Incoming[] = [];
  private readonly source = new MarbleSource('entries');

  job(sink: (name: string) => Sink<string>): Job {
    return ledgerJob(this.source, sink('accounts'), sink('counts'));
  }

  take(item: Incoming): void {
    this.incoming.push(item);
    this.source.push(
      'watermark' in item ? { kind: 'watermark', timestamp: item.watermark } : { kind: 'value', value: item },
    );
  }

  end(): void {
    this.source.push({ kind: 'complete' });
  }

  problems(sink: string, visible: readonly string[], committed: Manifest | undefined, isQuiet: boolean): string[] {
    const { position, finished } = committed?.sources.entries ?? { position: 0, finished: false };
    const covered = reference(this.incoming.slice(0, position as number), finished);
    return differences(visible, sink === 'accounts' ? covered.accounts : covered.counts, isQuiet);
  }
}

/**
 * A job with what a checkpoint must cover: keyed state that comes, changes and goes, timers, several outputs of one record,
 * un-keyed state, and two branches that read one source.
 */
function ledgerJob(source: Source<unknown>, accounts: Sink<string>, counts: Sink<string>): Job {
  return job('ledger', () => {
    const entries = from(source as Source<Entry>);
    const keyed = entries.pipe(keyBy(entry => entry.account));
    return [
      keyed.pipe(
        actor('accounts', {
          emits: type<string>(),
          update: 'return',
          initial: () => empty,
          receive(state, { account, act }: Entry, ctx) {
            if ('remindAt' in act) ctx.timers.atEventTime(act.remindAt);
            else if ('noReminderAt' in act) ctx.timers.cancelEventTime(act.noReminderAt);
            else if ('forget' in act) {
              ctx.forget();
              ctx.emit(`${account} forgotten`);
            } else {
              const sum = state.sum + act.add;
              ctx.emit(`${account} gets ${act.add}`);
              ctx.emit(`${account} has ${sum}`);
              return { ...state, sum };
            }
          },
          onTimer(state, time, ctx) {
            const reminders = state.reminders + 1;
            ctx.emit(`${ctx.key} at ${time}: ${state.sum}, reminder ${reminders}`);
            return { ...state, reminders };
          },
        }),
        to(accounts),
      ),
      entries.pipe(
        actor('count', {
          emits: type<string>(),
          update: 'return',
          initial: () => 0,
          receive(count, _: Entry, ctx) {
            ctx.emit(`${count + 1}`);
            return count + 1;
          },
        }),
        to(counts),
      ),
    ];
  });
}

export interface Reference {
  readonly accounts: readonly string[];
  readonly counts: readonly string[];
  /** The state of each account that has one. */
  readonly state: ReadonlyMap<string, Account>;
}

/** What the job must have put out after `incoming`, from a plain loop. `isEnded`: time has ended, too. */
export function reference(incoming: readonly Incoming[], isEnded = false): Reference {
  const accounts: string[] = [];
  const counts: string[] = [];
  const state = new Map<string, Account>();
  let timers: { readonly account: string; readonly time: number }[] = [];
  let reached = Number.NEGATIVE_INFINITY;
  const fireDue = (): void => {
    const due = timers.filter(({ time }) => time <= reached).sort((a, b) => a.time - b.time);
    timers = timers.filter(({ time }) => time > reached);
    for (const { account, time } of due) {
      const { sum, reminders } = state.get(account) ?? empty;
      accounts.push(`${account} at ${time}: ${sum}, reminder ${reminders + 1}`);
      state.set(account, { sum, reminders: reminders + 1 });
    }
  };
  for (const item of isEnded ? [...incoming, { watermark: Number.POSITIVE_INFINITY }] : incoming) {
    if ('watermark' in item) {
      reached = Math.max(reached, item.watermark);
      fireDue();
      continue;
    }
    const { account, act } = item;
    counts.push(`${counts.length + 1}`);
    if ('add' in act) {
      const before = state.get(account) ?? empty;
      const sum = before.sum + act.add;
      accounts.push(`${account} gets ${act.add}`, `${account} has ${sum}`);
      state.set(account, { ...before, sum });
    } else if ('forget' in act) {
      accounts.push(`${account} forgotten`);
      state.delete(account);
    } else if ('remindAt' in act) {
      const isSet = timers.some(({ account: other, time }) => other === account && time === act.remindAt);
      if (!isSet) timers.push({ account, time: act.remindAt });
      fireDue();
    } else {
      timers = timers.filter(timer => timer.account !== account || timer.time !== act.noReminderAt);
    }
  }
  return { accounts, counts, state };
}
