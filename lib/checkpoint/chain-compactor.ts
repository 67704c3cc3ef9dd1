import type { Logger } from '../observe/logger.ts';
import type { ChainCompactor } from './coordinator.ts';
import type { TaskStore } from './snapshot-store.ts';
/** TEMP */
export function chainCompactor(
  _store: TaskStore,
  _logger: Logger,
  _maxBytes: number,
): ChainCompactor & { close(): void } {
  return { consider() {}, close() {} };
}
