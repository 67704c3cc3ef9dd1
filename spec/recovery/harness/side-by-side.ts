import path from 'node:path';
import { expect } from 'vitest';
import { Command, root } from './command.ts';
import type { Random } from './random.ts';
import { passes } from './restarts.ts';

/** Events a second of each job: a process lives for about as long as its share of them lasts. */
const rate = 1_500;

/** What one job is to answer, and where that can be seen. */
export interface Answer {
  /** The name of the job. */
  readonly job: string;
  /** Parameters of the sample. */
  readonly params: Readonly<Record<string, string>>;
  /** What is visible, at the last look. */
  readonly lines: readonly string[];
  /** What was visible although the golden output has no such line, or no more of them. */
  readonly problems: readonly string[];
  /** Sees what is visible now. */
  look(): Promise<void>;
  /** All of the golden output is visible, and nothing else. */
  verify(): Promise<void>;
}

export interface SideBySideOptions {
  /** As `--store` takes it. */
  readonly store: string;
  readonly answers: readonly Answer[];
  /** How many events there are. */
  readonly events: number;
  /** Parameters that all have in common. */
  readonly params: Readonly<Record<string, string>>;
}

/** Queries of the sample nexmark as jobs of one process (jobs/nexmark-side-by-side.ts): its end is a crash of each of them. */
export class SideBySide {
  private readonly options: SideBySideOptions;
  private looked = Promise.resolve();

  constructor(options: SideBySideOptions) {
    this.options = options;
  }

  private get jobs(): readonly string[] {
    return this.options.answers.map(({ job }) => job);
  }

  /**
   * Kills the process at `kills` moments, in each of which every job has been running between its first checkpoint and its
   * last one; and twice while it starts. Whatever is visible meanwhile is in the golden output.
   */
  async killAtRandom(kills: number, random: Random): Promise<void> {
    // Together they do not come to the end of the input: a process may go beyond it by most of a batch.
    const limit = Math.floor(this.options.events / (kills + 6));
    const restored = new Map<string, number[]>(this.jobs.map(job => [job, []]));
    await this.whileSeen(async () => {
      for (let kill = 1; kill <= kills; kill++) {
        const command = this.run({ rate: `${rate}` }, limit);
        for (const job of this.jobs) await command.says(`${job} running from `);
        const startMs = performance.now() - command.startedAt;
        // At every other kill each job has got on a good deal since the last one.
        if (kill % 2 === 1) for (const job of this.jobs) await command.says(`${job} got half way and committed`);
        await passes(random() * 500);
        expect(await command.killed(), command.output).toEqual({ code: null, signal: 'SIGKILL' });
        for (const job of this.jobs) {
          const from = betweenCheckpoints(job, command);
          expect(from, `${job} went back at kill ${kill}`).toBeGreaterThanOrEqual(restored.get(job)?.at(-1) ?? 0);
          restored.get(job)?.push(from);
        }
        if (kill === 3 || kill === 6) await this.killEarly(random() * startMs, limit);
        await this.lookAtAll();
        this.verifyNothingElse(`after kill ${kill}`);
      }
    });
    for (const { job, lines } of this.options.answers) expect(lines.length, job).toBeGreaterThan(0);
    for (const [job, from] of restored) expect(new Set(from).size, `${job} from ${from}`).toBeGreaterThan(kills / 2);
  }

  /** Runs all to the end, each with something left to do; everything must be visible, once. */
  async finish(): Promise<void> {
    const command = this.run({});
    await this.whileSeen(async () => {
      expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
    });
    for (const job of this.jobs) {
      expect(command.output).toMatch(new RegExp(`^${job} running from [1-9]`, 'm'));
      expect(command.output).toMatch(new RegExp(`^${job} finished after [1-9]`, 'm'));
    }
    await Promise.all(this.options.answers.map(answer => answer.verify()));
    this.verifyNothingElse('at the end');
  }

  private run(more: Readonly<Record<string, string>>, limit?: number): Command {
    const { store, answers, params } = this.options;
    const jobs = answers.map(answer => ({ name: answer.job, params: { ...params, ...answer.params, ...more } }));
    const script = path.join(root, 'spec/recovery/jobs/nexmark-side-by-side.ts');
    return new Command([script, JSON.stringify({ store, limit, jobs })], { lifetimeMs: 120_000 });
  }

  private async killEarly(afterMs: number, limit: number): Promise<void> {
    const command = this.run({ rate: `${rate}` }, limit);
    await passes(afterMs);
    expect(await command.killed(), command.output).toEqual({ code: null, signal: 'SIGKILL' });
  }

  /** Looks all the time, as a reader would. */
  private async whileSeen(work: () => Promise<void>): Promise<void> {
    let isOver = false;
    const look = async () => {
      while (!isOver) {
        await this.lookAtAll();
        // The reader's own pace; nothing waits for it.
        await passes(50);
      }
    };
    const looking = look();
    try {
      await work();
    } finally {
      isOver = true;
      await looking;
    }
  }

  /** One look after another: a slow one must not find less than what another one has seen. */
  private lookAtAll(): Promise<void> {
    this.looked = this.looked.then(async () => {
      for (const answer of this.options.answers) await answer.look();
    });
    return this.looked;
  }

  private verifyNothingElse(when: string): void {
    for (const { job, problems } of this.options.answers) expect(problems.slice(0, 5), `${job} ${when}`).toEqual([]);
  }
}

/** The checkpoint from which the job ran, 0 for the beginning: it was killed behind its first checkpoint and before its last. */
function betweenCheckpoints(job: string, { output }: Command): number {
  const from = Number(output.match(new RegExp(`^${job} running from (\\d+)$`, 'm'))?.[1]);
  const committed = output.split(`${job} committed `).length - 1;
  expect(Math.max(from, committed), `${job} had no checkpoint:\n${output}`).toBeGreaterThan(0);
  expect(output).not.toMatch(new RegExp(`^${job} (committed .*, the last one|finished .*)$`, 'm'));
  return from;
}
