export interface WorkerOptions {
  readonly brokers: string;
  readonly redis: string;
  readonly topic: string;
  readonly name: string;
  readonly tasks: 'single' | 'per-partition';
  /** Rounds of work for each record; 0: a count by key and nothing else. */
  readonly work: number;
  /** Of checkpoints. */
  readonly interval: string;
}

export type Question = 'begin' | 'end' | 'state' | 'events' | 'pauses';

/** What became of a task in a process; `at` in ms since 1970, with fractions, the same in all processes. */
export interface TaskEvent {
  readonly is: 'assigned' | 'running' | 'revoked';
  readonly task: number;
  readonly at: number;
}

export interface WorkerState {
  readonly at: number;
  readonly running: readonly number[];
  readonly keys: number;
  readonly handled: number;
  /** Since the process began. */
  readonly cpuSeconds: number;
  readonly checkpoints: number;
  readonly lastCheckpointAt: number;
  readonly fetches: number;
  readonly kafkaRequests: number;
  readonly connections: { readonly kafka: number; readonly redis: number };
}

/** A time in which no record of a partition was handled. */
export interface Pause {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

export type Answer = WorkerState | readonly TaskEvent[] | readonly Pause[];
