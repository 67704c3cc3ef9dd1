import { SettingsError } from '../../../lib/index.ts';

/** What decides how old a transaction can get; milliseconds. */
export interface CheckpointTimes {
  readonly interval: number | 'off';
  readonly minPause: number;
  /** Of one checkpoint. */
  readonly timeout: number;
  readonly tolerableFailures: number;
}

/** As Kafka's `transaction.max.timeout.ms` unless it was changed. */
export const defaultTransactionTimeoutMs = 900_000;

/** The part of its timeout at which a transaction is too old: its task restarts, before the broker ends it. */
export const tooOld = 0.8;

/**
 * The timeout of the task's transactions: `asked`, or what fits. Throws a `SettingsError` with all numbers when a transaction
 * could get too old while checkpoints fail as often as they may, or when the broker does not allow it.
 */
export function transactionTimeout(
  asked: number | undefined,
  brokerMax: number | undefined,
  { interval, minPause, timeout, tolerableFailures }: CheckpointTimes,
): number {
  const chosen = asked ?? Math.min(defaultTransactionTimeoutMs, brokerMax ?? defaultTransactionTimeoutMs);
  const problems: string[] = [];
  if (brokerMax !== undefined && chosen > brokerMax) {
    problems.push(
      `transactionTimeout is ${chosen} ms, but the brokers allow ${brokerMax} ms (transaction.max.timeout.ms): lower it, or raise theirs`,
    );
  }
  const pause = Math.max(interval === 'off' ? 0 : interval, minPause);
  const needed = (tolerableFailures + 1) * (pause + timeout);
  if (tooOld * chosen < needed) {
    problems.push(
      `a transaction may get ${needed} ms old: (tolerableFailures ${tolerableFailures} + 1) × (max(interval ` +
        `${interval === 'off' ? interval : `${interval} ms`}, minPause ${minPause} ms) + checkpoint timeout ${timeout} ms); but at ` +
        `${tooOld} × transactionTimeout ${chosen} ms = ${tooOld * chosen} ms the task restarts: raise transactionTimeout to ` +
        `${Math.ceil(needed / tooOld)} ms${brokerMax === undefined ? '' : ` (the brokers allow ${brokerMax} ms, transaction.max.timeout.ms)`}, or lower checkpoint.timeout, interval, minPause or tolerableFailures`,
    );
  }
  if (problems.length > 0)
    throw new SettingsError('The settings of checkpoints and of Kafka transactions do not fit', problems);
  return chosen;
}
