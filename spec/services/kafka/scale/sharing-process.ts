import { kafkaTaskSharing } from '../../../../connectors/kafka/index.ts';
import type { KafkaTaskSharingOptions } from '../../../../connectors/kafka/scale/options.ts';
import type { TaskShare } from '../../../../lib/index.ts';

type Call =
  | { readonly is: 'assigned' | 'revoked'; readonly tasks: readonly number[] }
  | { readonly is: 'lost'; readonly why: string; readonly isFinal: boolean; readonly code: string | undefined };

/** What a process of a job would do with its tasks: it runs what it is told, and ends it when it is told. */
export class SharingProcess {
  readonly name: string;
  readonly running = new Set<number>();
  readonly calls: Call[] = [];
  /** Awaited before a task has ended. */
  ends: Promise<void> = Promise.resolve();
  readonly #share: TaskShare;

  constructor(
    name: string,
    tasks: number,
    options: KafkaTaskSharingOptions,
    everybody: readonly SharingProcess[] = [],
  ) {
    this.name = name;
    const end = async (ended: readonly number[]) => {
      await this.ends;
      for (const task of ended) this.running.delete(task);
    };
    this.#share = kafkaTaskSharing(options).join({
      tasks,
      listener: {
        assigned: given => {
          this.calls.push({ is: 'assigned', tasks: given });
          for (const { name, running } of everybody) {
            const twice = given.filter(task => running.has(task));
            if (twice.length > 0) doubles.push(`${twice} at ${this.name} and ${name}`);
          }
          for (const task of given) this.running.add(task);
        },
        revoked: taken => {
          this.calls.push({ is: 'revoked', tasks: taken });
          return end(taken);
        },
        lost: ({ why, isFinal, error }) => {
          this.calls.push({ is: 'lost', why, isFinal, code: error?.code });
          return end([...this.running]);
        },
      },
    });
  }

  close(isForGood = false): Promise<void> {
    return this.#share.close({ isForGood });
  }

  /** What was done with these tasks since the call with this number. */
  heardOf(tasks: Iterable<number>, since: number): readonly Call[] {
    const these = new Set(tasks);
    return this.calls.slice(since).filter(call => call.is === 'lost' || call.tasks.some(task => these.has(task)));
  }
}

/** Tasks that were assigned while another process still ran them. */
export const doubles: string[] = [];

/** Every task runs once, and nobody has two more than another. */
export function isShared(processes: readonly SharingProcess[], tasks: number): boolean {
  const running = processes.flatMap(process => [...process.running]);
  const loads = processes.map(process => process.running.size);
  return running.length === tasks && new Set(running).size === tasks && Math.max(...loads) - Math.min(...loads) <= 1;
}
