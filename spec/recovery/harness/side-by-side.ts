import path from 'node:path';
import { expect } from 'vitest';
import { Command, root } from './command.ts';
import type { Random } from './random.ts';
import { passes } from './restarts.ts';

/** What one job is to answer, and where that can be seen. */
export interface Answer {
  /** The name of the job. */
  readonly job: string;
  /** Parameters of the sample. */
  readonly params: Readonly<Record<string, string>>;
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
  /** Parameters that all have in common. */
  readonly params: Readonly<Record<string, string>>;
}

/** What a process was told of one job. */
interface Progress {
  /** The checkpoint from which it runs, 0 from the beginning; `undefined` before it runs. */
  readonly from: number | undefined;
  readonly committed: number;
  readonly isOver: boolean;
}

/** Queries of the sample nexmark as jobs of one process (jobs/nexmark-side-by-side.ts): its end is a crash of each of them. */
export class SideBySide {
  private readonly options: SideBySideOptions;
  private isFollowing = false;

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
  async killAtRandom(kills: number, rate: number, random: Random): Promise<void> {
    this.isFollowing = true;
    const following = this.follow();
    const restored = new Map<string, number[]>(this.jobs.map(job => [job, []]));
    let startMs = 0;
    for (let kill = 1; kill <= kills; kill++) {
      const command = this.run({ rate: `${rate}` });
      for (const job of this.jobs) await command.says(`${job} running from `);
      startMs = performance.now() - command.startedAt;
      // At every other kill each job has got on since the last one.
      if (kill % 2 === 1) for (const job of this.jobs) await command.says(`${job} committed `);
      await passes(random() * 500);
      expect(await command.killed(), command.output).toEqual({ code: null, signal: 'SIGKILL' });
      for (const job of this.jobs) {
        const { from = 0, committed, isOver } = progressOf(job, command);
        const is = `${job} at kill ${kill}:\n${command.output}`;
        expect(isOver, is).toBe(false);
        expect(Math.max(from, committed), is).toBeGreaterThan(0);
        expect(from, is).toBeGreaterThanOrEqual(restored.get(job)?.at(-1) ?? 0);
        restored.get(job)?.push(from);
      }
      if (kill === 3 || kill === 6) await this.killEarly(random() * startMs);
      await this.lookAtAll(`after kill ${kill}`);
    }
    this.isFollowing = false;
    await following;
    for (const [job, from] of restored) expect(new Set(from).size, `${job} from ${from}`).toBeGreaterThan(kills / 2);
  }

  /** Runs all to the end, each with something left to do; everything must be visible, once. */
  async finish(): Promise<void> {
    const command = this.run({});
    expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
    for (const job of this.jobs) {
      expect(progressOf(job, command).from, command.output).toBeGreaterThan(0);
      expect(command.output).toMatch(new RegExp(`^${job} finished after [1-9]`, 'm'));
    }
    await Promise.all(this.options.answers.map(answer => answer.verify()));
  }

  private run(more: Readonly<Record<string, string>>): Command {
    const { store, answers, params } = this.options;
    const jobs = answers.map(answer => ({ name: answer.job, params: { ...params, ...answer.params, ...more } }));
    const script = path.join(root, 'spec/recovery/jobs/nexmark-side-by-side.ts');
    return new Command([script, JSON.stringify({ store, jobs })], { lifetimeMs: 120_000 });
  }

  private async killEarly(afterMs: number): Promise<void> {
    const command = this.run({});
    await passes(afterMs);
    await command.killed();
    for (const job of this.jobs) expect(progressOf(job, command).isOver, command.output).toBe(false);
  }

  private async lookAtAll(when: string): Promise<void> {
    for (const answer of this.options.answers) {
      await answer.look();
      expect(answer.problems, `${answer.job} ${when}`).toEqual([]);
    }
  }

  /** Looks all the time, as a reader would; what is wrong is told after the next kill. */
  private async follow(): Promise<void> {
    while (this.isFollowing) {
      for (const answer of this.options.answers) await answer.look();
      // The reader's own pace; nothing waits for it.
      await passes(50);
    }
  }
}

function progressOf(job: string, { output }: Command): Progress {
  const from = output.match(new RegExp(`^${job} running from (\\d+)$`, 'm'))?.[1];
  return {
    from: from === undefined ? undefined : Number(from),
    committed: output.split(`${job} committed `).length - 1,
    isOver: new RegExp(`^${job} (committed .*, the last one|finished .*)$`, 'm').test(output),
  };
}
