import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { startRedis } from '../../tools/services/redis.ts';
import { ended } from './harness/places.ts';
import { mayMount, SmallDisk } from './harness/small-disk.ts';
import { temporaryFolder } from './harness/temporary-folder.ts';
import { lines, Words } from './harness/words.ts';

// docs/cli.md
const user = 4;
const external = 5;

describe('input', () => {
  it('that is not there is named', async () => {
    const job = new Words(temporaryFolder());
    await job.partly();
    renameSync(job.input, `${job.input}.away`);
    await job.refused({
      exitCode: external,
      code: 'FILE',
      says: [`Cannot read "${job.input}": it does not exist. Correct the path, or put the file there.`, 'words'],
    });
    renameSync(`${job.input}.away`, job.input);
    await job.finishes();
  });

  it('that may not be read is named', async () => {
    const job = new Words(temporaryFolder());
    await job.partly();
    chmodSync(job.input, 0);
    await job.refused(
      {
        exitCode: external,
        code: 'FILE',
        says: [`Cannot read "${job.input}": permission is denied. Give the user of this process access to it.`],
      },
      { isUnprivileged: true },
    );
    chmodSync(job.input, 0o644);
    await job.finishes();
  });

  it('with a broken record in the middle names the record; mended, the job goes on behind its last checkpoint', async () => {
    const job = new Words(temporaryFolder());
    const mend = job.breakLine(2_000, '{"word": oops}');
    const command = await job.refused(
      {
        exitCode: user,
        code: 'BAD_RECORD',
        says: [`Line 2000 of "${job.input}"`, 'is not valid JSON', 'Mend the line, or skip such records'],
      },
      { set: { rate: 8_000 } },
    );
    expect(command.output).toMatch(/checkpoint #\d+ committed/);
    const before = await job.committed();
    await job.refused({ exitCode: user, code: 'BAD_RECORD', says: ['Line 2000 of'] });
    expect((await job.committed())?.id).toBeGreaterThanOrEqual(before?.id ?? Number.NaN);
    mend();
    await job.finishes();
  });

  it('that was replaced, cut or emptied since the checkpoint is refused', async () => {
    const job = new Words(temporaryFolder());
    await job.partly();
    const before = await job.committed();
    for (const change of [
      () => writeFileSync(job.input, lines().reverse().join('')),
      () => truncateSync(job.input, 100),
      () => truncateSync(job.input, 0),
    ]) {
      change();
      await job.refused({ exitCode: user, code: 'SOURCE_POSITION', says: [job.input, /checkpoint/] });
      expect(await job.committed()).toEqual(before);
    }
    writeFileSync(job.input, lines().join(''));
    await job.finishes();
  });
});

describe('the job', () => {
  it('with wrong settings hears of all of them at once', async () => {
    const job = new Words(temporaryFolder());
    await job.refused(
      {
        exitCode: user,
        code: 'SETTINGS',
        says: [
          'The settings of the job "words" cannot be used',
          'checkpoint.timeout: "soon" was given; accepted is a duration',
          'checkpoint.retained: 0 was given; accepted is a whole number of at least 1',
          'stopTimeout: 0 was given',
          'credits.limit: 0.5 was given',
          'checkpoint: "intervall" is not a setting here; did you mean "interval"?',
        ],
      },
      {
        settings: {
          checkpoint: { timeout: 'soon', retained: 0, intervall: '5s' },
          stopTimeout: 0,
          credits: { limit: 0.5 },
        } as object,
      },
    );
    await job.finishes();
  });

  it('with wrong parameters hears of all of them at once', async () => {
    const job = new Words(temporaryFolder());
    await job.refused(
      {
        exitCode: user,
        code: 'SETTINGS',
        says: ['The parameters of the job "words" cannot be used', /- rate: /, /- version: /, /"colour"/],
      },
      { set: { rate: -1, version: 'two', colour: 'red' } },
    );
    await job.finishes();
  });

  it('with a parameter that is none is a wrong command line', async () => {
    const job = new Words(temporaryFolder());
    await job.refused({ exitCode: 2, code: 'key=value', says: ['--set'] }, { args: ['--set', 'nonsense'] });
  });

  it('with two actors of one name is refused', async () => {
    const job = new Words(temporaryFolder());
    await job.refused(
      { exitCode: user, code: 'JOB_DEFINITION', says: ['Two actors are named "count"', 'give each its own'] },
      { set: { actors: 'count,second,count' } },
    );
  });

  it('with another version of state is refused without migrate, and goes on with it', async () => {
    const job = new Words(temporaryFolder());
    await job.partly();
    const before = await job.committed();
    await job.refused(
      {
        exitCode: user,
        code: 'STATE_MISMATCH',
        says: ['The stored state of the actor "count" has version 1, the job\'s is 2', 'give the actor a "migrate"'],
      },
      { set: { version: 2 } },
    );
    expect(await job.committed()).toEqual(before);
    await job.partly({ set: { version: 2, migrates: true } });
    expect((await job.committed())?.actors.count?.version).toBe(2);
    await job.refused(
      { exitCode: user, code: 'STATE_MISMATCH', says: ["has version 2, which is newer than the job's 1"] },
      { set: { version: 1 } },
    );
    await job.finishes({ set: { version: 2 } });
  });

  it('without an actor that had state is refused, unless the state may be dropped', async () => {
    const job = new Words(temporaryFolder());
    await job.partly({ set: { actors: 'count,second' } });
    const before = await job.committed();
    await job.refused({
      exitCode: user,
      code: 'STATE_MISMATCH',
      says: ['the state of the actor "second", which the job no longer has', 'allowDroppedState'],
    });
    expect(await job.committed()).toEqual(before);
    await job.finishes({ settings: { allowDroppedState: true } });
  });
});

describe('a file store', () => {
  /** The only file in a folder whose name matches, or the newest such. */
  const newest = (folder: string, name = /./): string =>
    path.join(
      folder,
      readdirSync(folder)
        .filter(file => name.test(file))
        .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
        .at(-1) ?? '',
    );

  function changeByte(file: string): () => void {
    const before = readFileSync(file);
    const bytes = Buffer.from(before);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(file, bytes);
    return () => writeFileSync(file, before);
  }

  function takeAway(file: string): () => void {
    const away = path.join(temporaryFolder(), 'away');
    copyFileSync(file, away);
    renameSync(file, `${away}.moved`);
    return () => copyFileSync(away, file);
  }

  it.each([
    ['a changed byte in a segment', 'segments', changeByte, /segment .* is damaged: its checksum does not match/],
    ['a missing segment', 'segments', takeAway, /segment .*, which holds state of the actor "count", is gone/],
    ['a changed byte in the manifest', 'manifests', changeByte, /manifest .* is damaged: its checksum does not match/],
    ['a missing manifest', 'manifests', takeAway, /manifest .* is gone. Restore it from a copy/],
    ['a changed byte in the commit log', 'commits', changeByte, /commit log entry .* is damaged/],
  ])('with %s never gives the job empty state', async (_, folder, damage, says) => {
    const job = new Words(temporaryFolder());
    await job.partly();
    const committed = await job.committed();
    const segment = committed?.actors.count?.segments.at(-1)?.name ?? '';
    const file =
      folder === 'segments'
        ? job.stored(folder, segment)
        : folder === 'manifests'
          ? job.stored(folder, `${committed?.id}-${committed?.token}.json`)
          : newest(job.stored(folder));
    const mend = damage(file);
    await job.refused({ exitCode: external, code: 'STATE_LOST', says: [says, path.basename(file)] });
    mend();
    expect(await job.committed()).toEqual(committed);
    await job.finishes();
  });

  it('whose folder may not be written is named', async () => {
    const folder = temporaryFolder();
    const job = new Words(folder, { store: path.join(folder, 'locked/state') });
    mkdirSync(path.join(folder, 'locked'));
    chmodSync(path.join(folder, 'locked'), 0o555);
    await job.refused(
      {
        exitCode: external,
        code: 'STORE_REFUSED',
        says: [path.join(folder, 'locked'), 'permission denied', 'or choose another folder'],
      },
      { isUnprivileged: true },
    );
    chmodSync(path.join(folder, 'locked'), 0o755);
    await job.finishes();
  });
});

describe.skipIf(!mayMount)(`a full disk${mayMount ? '' : ', not run: mounting a disk needs root'}`, () => {
  it('under the store says so, and loses nothing', async () => {
    const disk = new SmallDisk(1_024);
    const folder = temporaryFolder();
    const job = new Words(folder, { store: path.join(disk.folder, 'state') });
    await job.partly();
    const before = await job.committed();
    fill(disk);
    await job.refused({
      exitCode: external,
      code: 'STORE_UNAVAILABLE',
      says: ['the disk is full', disk.folder, 'every committed checkpoint is intact'],
    });
    expect(await job.committed()).toEqual(before);
    disk.grow(8_192);
    await job.finishes();
  });

  it('under the output says so, and loses nothing', async () => {
    const disk = new SmallDisk(60);
    const folder = temporaryFolder();
    const job = new Words(folder, { out: path.join(disk.folder, 'words.jsonl') });
    const command = await job.refused({
      exitCode: external,
      code: 'CHECKPOINT',
      says: ['the disk is full', disk.folder, 'what was not written is tried again'],
    });
    expect(command.output).not.toContain('please report');
    disk.grow(8_192);
    await job.finishes();
  });

  it('is waited out by a job that restarts, without help', async () => {
    const disk = new SmallDisk(1_024);
    const folder = temporaryFolder();
    const job = new Words(folder, {
      store: path.join(disk.folder, 'state'),
      out: path.join(disk.folder, 'out/words.jsonl'),
    });
    await job.partly();
    fill(disk);
    const command = job.run({
      settings: { restart: { strategy: 'fixed-delay', attempts: 1_000, delay: '100ms' } },
      set: { rate: 4_000 },
    });
    await command.says('the disk is full', 2);
    disk.grow(8_192);
    expect(await command.exited, command.output).toEqual({ code: 0, signal: null });
    job.verifyExact();
  });

  /** Leaves not one block free. */
  function fill(disk: SmallDisk): void {
    const file = path.join(disk.folder, 'filler');
    for (const size of [65_536, 4_096]) {
      try {
        for (;;) appendFileSync(file, Buffer.alloc(size));
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
      }
    }
  }
});

describe('Redis', () => {
  it('that is down is named, and the job begins once it is there', async () => {
    const folder = temporaryFolder();
    const redis = ended(await startRedis({ dir: path.join(folder, 'redis') }));
    await redis.kill();
    const job = new Words(folder, { store: redis.url });
    await job.refused({
      exitCode: external,
      code: 'STORE_UNAVAILABLE',
      says: [`127.0.0.1:${redis.port}`, 'Check that it runs there and can be reached'],
    });
    ended(await startRedis({ dir: redis.dir, port: redis.port }));
    await job.finishes();
  });

  it('that refuses the password is named; no password is shown, whatever is logged', async () => {
    const folder = temporaryFolder();
    const redis = ended(await startRedis({ dir: path.join(folder, 'redis') }));
    const client = new Redis(redis.url);
    await client.config('SET', 'requirepass', 'right-s3cret');
    client.disconnect();
    const wrong = new Words(folder, { store: `redis://:wr0ng-s3cret@127.0.0.1:${redis.port}` });
    const none = new Words(folder, { store: redis.url });
    for (const [job, why] of [
      [wrong, /password/i],
      [none, /password|authentication|NOAUTH/i],
    ] as const) {
      const command = await job.refused(
        { exitCode: external, code: 'STORE_REFUSED', says: [`127.0.0.1:${redis.port}`, why] },
        { args: ['--log', 'debug'] },
      );
      expect(command.output).not.toContain('s3cret');
    }
    const right = new Words(folder, { store: `redis://:right-s3cret@127.0.0.1:${redis.port}` });
    const command = await right.finishes({ args: ['--log', 'debug'] });
    expect(command.output).not.toContain('s3cret');
  });
});
