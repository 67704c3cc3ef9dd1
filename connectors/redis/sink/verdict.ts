import { FencedError, InternalError, StateLostError, type TidemarkError } from '../../../lib/index.ts';
import { RedisOutputError, RedisSinkError, RedisSinkRefusedError } from '../errors.ts';

/** Which sink, where, under which fence token. */
export interface SinkPlace {
  readonly sink: string;
  readonly job: string;
  readonly location: string;
  readonly token: number;
  /** The key that holds the sink's claim, for people. */
  readonly stateKey: string;
}

/** The error for a script's answer that is not the good one. */
export function verdictError([verdict, ...rest]: readonly string[], place: SinkPlace): TidemarkError {
  const { sink, job, location, token, stateKey } = place;
  const what = `Redis sink "${sink}" of job "${job}" at ${location}`;
  const context = { sink, job, token };
  const [first = '', second = '', third = ''] = rest;
  switch (verdict) {
    case 'stale':
      if (Number(first) > token) {
        return new FencedError(
          `${what} has been taken over: this incarnation holds fence token ${token}, a newer one holds ${first}. Nothing of ` +
            'this one is written any more and it must stop; run the task in one place only.',
          { context },
        );
      }
      return new StateLostError(
        first === ''
          ? `${what} finds nothing of its own any more: Redis was emptied or lost it. Restore it from a copy.`
          : `${what} was claimed by another process under the fence token ${first}, and this one holds ${token}: two stores ` +
              'hand out tokens for this job. Start it with one store only.',
        { context },
      );
    case 'missing':
      return new StateLostError(
        `${what} has lost writes that it had acknowledged (part ${first}): Redis was emptied, or came back without them. Look ` +
          'at its persistence, and restore it from a copy.',
        { context },
      );
    case 'unstaged':
      return new RedisSinkError(
        `${what} has lost output that was staged for the next checkpoint (part ${first}), as by a failover: no committed ` +
          'checkpoint is concerned, and the task writes it anew from its last one. Look at the log of the server.',
        { context },
      );
    case 'type':
      return new RedisOutputError(
        `${what} cannot write to the key ${JSON.stringify(first)}: it holds a ${second}, and the sink writes a ${third}. ` +
          'Nothing of the checkpoint was written. Rename or delete that key, then start the job again: nothing is lost.',
        { context: { ...context, key: first } },
      );
    case 'number': {
      const field = rest.length > 1 ? `field ${JSON.stringify(second)} of the key` : 'the key';
      return new RedisOutputError(
        `${what} cannot increment ${field} ${JSON.stringify(first)}: what is there is no whole number, or would leave the ` +
          'range of 64 bits. Nothing of the checkpoint was written. Correct or delete it, then start the job again: nothing ' +
          'is lost.',
        { context: { ...context, key: first } },
      );
    }
    case 'denied':
      return new RedisSinkRefusedError(
        `${what}: the user may not run ${first}, or not on the key ${JSON.stringify(second)}. Extend its ACL, then start the ` +
          'job again: nothing of the checkpoint was written.',
        { context: { ...context, key: second } },
      );
    case 'failed':
      return new RedisOutputError(
        `${what}: ${first} of the key ${JSON.stringify(second)} failed: ${third} The commands of the checkpoint before it ` +
          'are carried out, it and those behind it are not yet. Correct that, then start the job again: it goes on from there.',
        { context: { ...context, key: second } },
      );
    case 'ahead':
      return new RedisOutputError(
        `${what}: there is output of checkpoint ${idOf(first)}, which the job does not know of: it was started afresh, from an ` +
          'older checkpoint or with another store. To write on from what is there set existing: "keep"; to begin anew give ' +
          `the sink another name and other keys, or delete the output and the key ${JSON.stringify(stateKey)}.`,
        { context },
      );
    case 'behind':
      return new StateLostError(
        `${what}: the output is that of checkpoint ${first === '' ? 'none' : idOf(first)}, and committed checkpoints wrote more: ` +
          'Redis was emptied, restored from an older copy, or is another one. Put its data back; or set existing: "keep" to ' +
          'write on from what is there.',
        { context },
      );
    default:
      return new InternalError(`A script of ${what} answered "${verdict}".`, { context });
  }
}

const idOf = (pointer: string): string => pointer.split(':')[1] ?? '';

/** The error when another incarnation, or one of another store, holds the sink at the start. */
export function claimedError(held: string, { sink, job, location, token, stateKey }: SinkPlace): TidemarkError {
  return new RedisOutputError(
    `Redis sink "${sink}" of job "${job}" at ${location} is held under the fence token ${held}, and this incarnation has only ` +
      `${token}. Either a newer one has taken over, and this one must stop; or the job's store was emptied or is another one: ` +
      `then give the sink another name, or delete the key ${JSON.stringify(stateKey)} to take the output over.`,
    { context: { sink, job, token } },
  );
}
