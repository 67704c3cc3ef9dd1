import { expect } from 'vitest';
import type { Command } from './command.ts';
import { difference, expected, type FlightDelays, outputs, type RunOptions } from './flight-delays.ts';
import { PrefixReader } from './prefix-reader.ts';
import type { Random } from './random.ts';

export interface Restarts {
  /** How many processes came back from a checkpoint. */
  readonly recovered: number;
  /** How many were killed before they ran. */
  readonly killedEarly: number;
}

/**
 * Kills the job with SIGKILL at `kills` random moments, half of them while it starts or recovers, and starts it again each
 * time. What is committed never goes back, and the visible files are at every look a beginning of what they must be.
 */
export async function killAtRandom(
  job: FlightDelays,
  kills: number,
  random: Random,
  options: RunOptions,
): Promise<Restarts> {
  const reader = new PrefixReader(job).start();
  let recovered = 0;
  let killedEarly = 0;
  let startMs = 1_000;
  let lastId = 0;
  for (let kill = 1; kill <= kills; kill++) {
    const command = job.run(options);
    const isEarly = random() < 0.4;
    if (!isEarly) {
      await command.says(' running from ');
      startMs = performance.now() - command.startedAt;
    }
    await passes(random() * (isEarly ? startMs : 700));
    expect(command.isOver, `it ended before kill ${kill}:\n${command.output}`).toBe(false);
    await command.killed();
    if (command.output.includes('running from checkpoint')) recovered++;
    if (!command.output.includes(' running from ')) killedEarly++;
    const id = (await job.committed())?.id ?? 0;
    expect(id, `the committed checkpoint went back at kill ${kill}`).toBeGreaterThanOrEqual(lastId);
    lastId = id;
    await reader.look();
    expect(reader.problems, `after kill ${kill}`).toEqual([]);
  }
  await reader.stop();
  expect(reader.problems).toEqual([]);
  return { recovered, killedEarly };
}

/** Runs the job to its end and verifies every byte. */
export async function finishExactly(job: FlightDelays, options: RunOptions = {}): Promise<Command> {
  const reader = new PrefixReader(job).start();
  const command = job.run(options);
  const exit = await command.exited;
  await reader.stop();
  expect(exit, command.output).toEqual({ code: 0, signal: null });
  expect(reader.problems).toEqual([]);
  verifyExact(job);
  return command;
}

/** Every output is what it must be, byte for byte. */
export function verifyExact(job: FlightDelays): void {
  for (const output of outputs) expect(difference(job.visible(output), expected[output]), output).toBeUndefined();
}

/** Time passes: the fault is to come at some moment, and nothing is waited for. */
export function passes(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
