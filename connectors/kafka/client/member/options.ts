import { z } from 'zod';
import { type Duration, SettingsError, settingsFields, settingsProblems } from '../../../../lib/index.ts';

const { duration, flag, section } = settingsFields;

/** How processes find each other in a consumer group. */
export interface GroupOptions {
  /**
   * The name of the consumer group. Not that of a source: a group with members refuses offsets that are committed from outside.
   */
  readonly group: string;
  /** What the tasks read, partition by partition. */
  readonly topics: readonly string[];
  /**
   * `group.instance.id`: a name that stays the same when the process starts again, of one process at a time. It gets back what
   * it had if it returns within the session timeout. Default: none.
   */
  readonly instanceId?: string;
  /** A member that the group does not hear of for so long is replaced; what the brokers allow, 6 s to 30 min usually. Default `15s`. */
  readonly sessionTimeout?: Duration;
  /** At most a third of the session timeout. Default a fifth of it, at most `1s`. */
  readonly heartbeatInterval?: Duration;
  /** How long tasks may take to end before they are given away; at least the session timeout. Default `60s`. */
  readonly rebalanceTimeout?: Duration;
  /** How long it is tried to join before that is a final loss. Default `5m`. */
  readonly joinTimeout?: Duration;
  /** Whether `close` gives the place to another member at once. Default: yes without `instanceId`, no with one. */
  readonly leavesOnClose?: boolean;
}

/** A member of a consumer group. */
export interface GroupMemberOptions extends GroupOptions {
  /** How many there are to spread: 0 … tasks - 1. */
  readonly tasks: number;
  /** Tells their state from what the job had before: members that differ in it are kept apart. */
  readonly spread?: string;
}

/** The options, checked and complete; durations in ms. */
export interface GroupMemberSettings {
  readonly group: string;
  readonly topics: readonly string[];
  readonly tasks: number;
  readonly spread: string | undefined;
  readonly instanceId: string | undefined;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly joinTimeoutMs: number;
  readonly leavesOnClose: boolean;
}

const name = (what: string) => z.string({ error: what }).min(1, { error: what });

const schema = section({
  group: name('the name of a consumer group'),
  topics: z.array(name('the name of a topic'), { error: 'a list of topics' }).min(1, { error: 'at least one topic' }),
  tasks: z.int({ error: 'a number of tasks' }).min(1, { error: 'at least one task' }),
  spread: z.string().optional(),
  instanceId: name('a name that this process has alone').optional(),
  sessionTimeout: duration().default(15_000),
  heartbeatInterval: duration().optional(),
  rebalanceTimeout: duration().default(60_000),
  joinTimeout: duration().default(300_000),
  leavesOnClose: flag().optional(),
});

/** Throws one `SettingsError` that names every problem. */
export function groupMemberSettings(given: GroupMemberOptions): GroupMemberSettings {
  const parsed = schema.safeParse(given, { reportInput: true });
  const what = 'The settings of the group member are wrong';
  if (!parsed.success) throw new SettingsError(what, settingsProblems(parsed.error.issues));
  const { group, topics, tasks, spread, instanceId, sessionTimeout, rebalanceTimeout, joinTimeout } = parsed.data;
  const { heartbeatInterval = Math.min(sessionTimeout / 5, 1_000) } = parsed.data;
  const problems: string[] = [];
  if (heartbeatInterval > sessionTimeout / 3) {
    problems.push(
      `heartbeatInterval: ${heartbeatInterval} ms is more than a third of sessionTimeout (${sessionTimeout} ms): too few of them could be lost`,
    );
  }
  if (rebalanceTimeout < sessionTimeout) {
    problems.push(
      `rebalanceTimeout: ${rebalanceTimeout} ms is less than sessionTimeout (${sessionTimeout} ms): it could be over before a member hears of it`,
    );
  }
  if (problems.length > 0) throw new SettingsError(what, problems);
  return {
    group,
    topics: [...new Set(topics)].sort(),
    tasks,
    spread,
    instanceId,
    sessionTimeoutMs: sessionTimeout,
    heartbeatIntervalMs: heartbeatInterval,
    rebalanceTimeoutMs: rebalanceTimeout,
    joinTimeoutMs: joinTimeout,
    leavesOnClose: parsed.data.leavesOnClose ?? instanceId === undefined,
  };
}
