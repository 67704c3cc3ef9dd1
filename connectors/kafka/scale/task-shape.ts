import { TopicError } from '../source/errors.ts';
import { CoPartitionError } from './errors.ts';

export interface TaskShape {
  readonly tasks: number;
  /** By topic. */
  readonly partitions: Readonly<Record<string, number>>;
}

/**
 * How many tasks share topics with these partition counts: task t has the partitions p with p mod tasks = t of each, so that a key
 * is in the same task whichever topic it comes from. Topics with the same count take any number; those with different counts only
 * one that divides each of them.
 */
export function taskShape(topics: readonly string[], counts: ReadonlyMap<string, number>, maxTasks: number): TaskShape {
  const missing = topics.filter(topic => (counts.get(topic) ?? 0) === 0);
  if (missing.length > 0) {
    throw new TopicError(
      `Tasks cannot be spread over ${missing.map(topic => `"${topic}"`).join(', ')}: Kafka has no such topic. Create it first: the number of its partitions says how many tasks there can be.`,
      { context: { topics: missing } },
    );
  }
  const sizes = topics.map(topic => counts.get(topic) ?? 0);
  const least = Math.min(...sizes);
  if (sizes.some(size => size % least !== 0)) {
    const list = topics.map((topic, i) => `"${topic}" has ${sizes[i]}`).join(', ');
    throw new CoPartitionError(
      `The topics of a job that runs as several tasks must have the same number of partitions, or multiples of the smallest number: ${list}. A key would be in different tasks otherwise. Give them the same number, or run the job as one task.`,
      { context: { partitions: Object.fromEntries(topics.map((topic, i) => [topic, sizes[i]])) } },
    );
  }
  const isSame = sizes.every(size => size === least);
  let tasks = Math.min(least, maxTasks);
  while (!isSame && least % tasks !== 0) tasks--;
  return { tasks, partitions: Object.fromEntries(topics.map((topic, i) => [topic, sizes[i] ?? 0])) };
}
