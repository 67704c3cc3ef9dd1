/** What a job as a whole asks of its servers. Counted by `one-task.ts` and `connections.ts`, not fitted. */
export interface JobSize {
  readonly tasks: number;
  readonly processes: number;
  /** With state, in each task. */
  readonly operators: number;
  /** Topics that a shuffle (`repartition`) goes through; each has a partition for each task. */
  readonly shuffles: number;
  /** Partitions that a task writes results to. */
  readonly outputPartitions: number;
  readonly intervalSeconds: number;
  readonly brokers: number;
}

export interface JobCosts {
  /** Ends of transactions that brokers write, a second. */
  readonly markersPerSecond: number;
  readonly redisCallsPerSecond: number;
  readonly kafkaConnections: number;
  readonly redisConnections: number;
}

/** Of one process to a broker, at most: four of the process, and one of each task, for fetches that wait. */
export const kafkaConnectionsOf = (tasks: number): number => 4 + tasks;

/** The segment of each operator is registered, written, and touched; then prepare, confirm and collect. WAIT or WAITAOF come on top. */
export const redisCallsOf = (operators: number): number => 3 + 3 * operators;

/** One in each partition that the transaction touched: results, shuffles, and the group of the commit record. */
export const markersOf = ({ tasks, shuffles, outputPartitions }: JobSize): number =>
  outputPartitions + shuffles * tasks + 1;

export function costsOf(size: JobSize): JobCosts {
  const { tasks, processes, operators, intervalSeconds, brokers } = size;
  return {
    markersPerSecond: (tasks * markersOf(size)) / intervalSeconds,
    redisCallsPerSecond: (tasks * redisCallsOf(operators)) / intervalSeconds,
    kafkaConnections: processes * kafkaConnectionsOf(tasks / processes) * brokers,
    redisConnections: processes,
  };
}
