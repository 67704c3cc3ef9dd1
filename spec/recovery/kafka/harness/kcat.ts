import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';

let found: string | undefined;

/** A client that is not ours: kafkajs's plain consumer shows aborted records, too. */
export function kcat(): string {
  found ??= ['kcat', 'kafkacat'].find(name => spawnSync(name, ['-V']).status === 0);
  if (found === undefined) {
    throw new Error(
      'This spec reads and writes topics with kcat, which is not here. Debian: apt-get install kcat; macOS: brew install kcat.',
    );
  }
  return found;
}

/** Puts records into a topic: a line each, `key⇥value`. `settings`: further ones of librdkafka, as `name=value`. */
export async function fillTopic(
  brokers: string,
  topic: string,
  lines: readonly string[],
  settings: readonly string[] = [],
): Promise<void> {
  // Without idempotence, a batch that is refused because the topic is so new comes behind those after it.
  const all = ['topic.partitioner=murmur2', 'enable.idempotence=true', ...settings];
  const child = spawn(
    kcat(),
    ['-P', '-b', brokers, '-t', topic, '-K', '\t', ...all.flatMap(setting => ['-X', setting])],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  );
  const closed = once(child, 'close');
  child.stdin.end(lines.map(line => `${line}\n`).join(''));
  expect(await closed).toEqual([0, null]);
}
