import { describe, expect, it } from 'vitest';
import { SettingsError } from '../../lib/errors.ts';
import { type JobSettings, jobSettings, mergeSettings, resolveSettings } from '../../lib/job/settings.ts';

/** The problems of settings that no type checker would let through. */
function problems(input: unknown): readonly string[] {
  try {
    resolveSettings(input as JobSettings, 'the job "totals"');
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

const durations = 'a duration of milliseconds or a text such as "250ms", "10s", "5m", "2h" or "1d"';
const logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger };

describe('settings of a job', () => {
  it('have a default for everything, with durations in milliseconds', () => {
    expect(resolveSettings(undefined, 'a job')).toEqual({
      checkpoint: {
        interval: 10_000,
        mode: 'exactly-once',
        timeout: 600_000,
        minPause: 0,
        tolerableFailures: 0,
        retained: 3,
        onCancel: 'keep',
        atLeastEvery: 86_400_000,
        requestInterval: 1_000,
        compression: 'zstd',
        commitTimeout: 30_000,
      },
      restart: {
        strategy: 'exponential',
        initialDelay: 1_000,
        maxDelay: 60_000,
        multiplier: 2,
        jitter: 0.1,
        resetAfter: 600_000,
      },
      recovery: { acceptMovedKeys: false },
      task: 'main',
      tasks: 'single',
      maxTasks: 64,
      maxMarkers: 5_000,
      members: { sessionTimeout: 15_000, releaseTimeout: 60_000 },
      stopTimeout: 30_000,
      credits: { limit: 10_000 },
      freezeState: true,
      metricsInterval: 10_000,
      statusInterval: 250,
      fresh: false,
      allowDroppedState: false,
      params: {},
    });
  });

  it('describe every option', () => {
    const undescribed: string[] = [];
    for (const [key, field] of Object.entries(jobSettings.shape)) {
      const inner = (
        field as { unwrap?: () => { shape?: Record<string, { meta(): { description?: string } | undefined }> } }
      ).unwrap?.();
      if (inner?.shape) {
        for (const [name, option] of Object.entries(inner.shape)) {
          if (!option.meta()?.description) undescribed.push(`${key}.${name}`);
        }
      } else if (!field.meta()?.description) undescribed.push(key);
    }
    expect(undescribed).toEqual([]);
  });

  it('take each restart strategy, exponential when none is named', () => {
    const restart = (given: JobSettings['restart']) => resolveSettings({ restart: given }, 'a job').restart;
    expect(restart({ strategy: 'none' })).toEqual({ strategy: 'none' });
    expect(restart({ strategy: 'fixed-delay', attempts: 3, delay: '2s' })).toEqual({
      strategy: 'fixed-delay',
      attempts: 3,
      delay: 2_000,
    });
    expect(restart({ strategy: 'failure-rate', maxFailures: 2, per: '1m', delay: 0 })).toEqual({
      strategy: 'failure-rate',
      maxFailures: 2,
      per: 60_000,
      delay: 0,
    });
    expect(restart({ maxDelay: '5s' })).toMatchObject({
      strategy: 'exponential',
      initialDelay: 1_000,
      maxDelay: 5_000,
    });
  });

  it('take checkpointing off', () => {
    const { checkpoint } = resolveSettings({ checkpoint: { interval: 'off', minPause: '2d' } }, 'a job');
    expect(checkpoint.interval).toBe('off');
  });

  it('pass objects on as they are', () => {
    const overrides = () => {};
    const resolved = resolveSettings({ logger, overrides }, 'a job');
    expect(resolved.logger).toBe(logger);
    expect(resolved.overrides).toBe(overrides);
  });

  it('name every problem at once, with path, given value and what is accepted', () => {
    expect(
      problems({
        checkpoint: {
          interval: 'often',
          retained: 0,
          tolerableFailures: -1,
          mode: 'twice',
          onCancel: true,
          timeout: '0s',
        },
        restart: { strategy: 'fixed-delay', attempts: 1.5 },
        task: 'a/b',
        credits: { limit: '10' },
        freezeState: 'yes',
        stopTimeout: '25d',
        params: 3,
        logger: console.log,
        store: { check() {} },
        fresh: 1,
      }),
    ).toEqual([
      `checkpoint.interval: "often" was given; accepted is "off" or ${durations}, longer than 0 and at most 24 days`,
      'checkpoint.mode: "twice" was given; accepted is "exactly-once" or "at-least-once"',
      `checkpoint.timeout: "0s" was given; accepted is ${durations}, longer than 0 and at most 24 days`,
      'checkpoint.tolerableFailures: -1 was given; accepted is a whole number of at least 0',
      'checkpoint.retained: 0 was given; accepted is a whole number of at least 1',
      'checkpoint.onCancel: true was given; accepted is "keep" or "delete"',
      'restart.attempts: 1.5 was given; accepted is a whole number of at least 1',
      `restart.delay: nothing was given; accepted is ${durations}, at most 24 days`,
      'task: "a/b" was given; accepted is a name of 1 to 100 letters, digits, ".", "_" or "-", which begins with a letter or digit',
      `stopTimeout: "25d" was given; accepted is ${durations}, longer than 0 and at most 24 days`,
      'credits.limit: "10" was given; accepted is a whole number of at least 1',
      'freezeState: "yes" was given; accepted is true or false',
      'logger: [Function: log] was given; accepted is a logger: an object with the methods debug, info, warn, error, child',
      'store: an object (check) was given; accepted is a snapshot store: an object with the methods check, task, tasks, close',
      'fresh: 1 was given; accepted is true or false',
      'params: 3 was given; accepted is an object of parameters by name',
    ]);
  });

  it('refuse unknown keys and suggest the nearest one, beside other problems', () => {
    expect(
      problems({
        checkpoint: { intervall: '10s', retianed: 2, minPause: -1, colour: 'red' },
        restart: { strategy: 'none', delay: 5 },
        chekpoint: {},
      }),
    ).toEqual([
      `checkpoint.minPause: -1 was given; accepted is ${durations}, at most 24 days`,
      'checkpoint: "intervall" is not a setting here; did you mean "interval"?',
      'checkpoint: "retianed" is not a setting here; did you mean "retained"?',
      'checkpoint: "colour" is not a setting here; known are interval, mode, timeout, minPause, tolerableFailures, retained, onCancel, atLeastEvery, requestInterval, compression, commitTimeout',
      'restart: "delay" is not a setting here; known are strategy',
      'settings: "chekpoint" is not a setting here; did you mean "checkpoint"?',
    ]);
  });

  it('refuse what is no object', () => {
    expect(problems(7)[0]).toMatch(
      /^settings: 7 was given; accepted is an object with checkpoint, restart, recovery, task/,
    );
    expect(problems({ checkpoint: '10s' })).toEqual([
      'checkpoint: "10s" was given; accepted is an object with interval, mode, timeout, minPause, tolerableFailures, retained, onCancel, atLeastEvery, requestInterval, compression, commitTimeout',
    ]);
    expect(problems({ restart: 'none' })).toEqual(['restart: "none" was given; accepted is an object with strategy']);
    expect(problems({ restart: { strategy: 'often' } })).toEqual([
      'restart.strategy: "often" was given; accepted is "none", "fixed-delay", "exponential" or "failure-rate"',
    ]);
  });

  it('refuse impossible mixes with their numbers, beside other problems', () => {
    expect(problems({ checkpoint: { interval: '1m', minPause: '2m', atLeastEvery: '90s', retained: -1 } })).toEqual([
      'checkpoint.retained: -1 was given; accepted is a whole number of at least 1',
      'checkpoint.atLeastEvery: a checkpoint at least every 90000 ms is impossible when the next one starts after 120000 ms (interval 60000 ms, minPause 120000 ms): raise atLeastEvery or lower the others',
    ]);
    expect(problems({ restart: { initialDelay: '2m' } })).toEqual([
      'restart.maxDelay: 60000 ms is shorter than initialDelay, 120000 ms: raise it or lower initialDelay',
    ]);
    expect(problems({ restart: { strategy: 'failure-rate', maxFailures: 3, per: '10s', delay: '4s' } })).toEqual([
      'restart.per: 4 failures that lie 4000 ms apart take 12000 ms, so more than 3 within 10000 ms cannot happen and the job would restart forever: raise per to 12000 ms or lower delay',
    ]);
    expect(problems({ restart: { strategy: 'failure-rate', maxFailures: 3, per: '12s', delay: '4s' } })).toEqual([]);
  });

  it('say whose they are and do not show secrets', () => {
    expect(() => resolveSettings({ task: 'redis://app:hunter2@cache' }, 'the job "totals"')).toThrow(
      /^The settings of the job "totals" cannot be used:\n {2}- task: "redis:\/\/\[redacted\]@cache" was given/,
    );
  });

  it('of start go over those of the job: sections field by field, a restart strategy whole', () => {
    expect(
      mergeSettings(
        { checkpoint: { interval: '1m', retained: 5 }, restart: { maxDelay: '5s' }, params: { a: 1, b: 2 }, task: 'x' },
        {
          checkpoint: { interval: '1s', retained: undefined },
          restart: { strategy: 'none' },
          params: { b: 3 },
          task: undefined,
        },
      ),
    ).toEqual({
      checkpoint: { interval: '1s', retained: 5 },
      restart: { strategy: 'none' },
      params: { a: 1, b: 3 },
      task: 'x',
    });
  });
});
