import type { SharingContext } from '../shared-client.ts';
import type { KafkaCommitPoint } from './kafka-commit-point.ts';

/** The commit points that the sinks of a task have made, by bootstrap addresses; the task closes them. */
export const commitPoints = (context: SharingContext): Map<string, KafkaCommitPoint> =>
  context.shared<Map<string, KafkaCommitPoint>>(
    'kafka-commit-points',
    () => new Map(),
    () => {},
  );
