import { asyncScheduler, type Subscriber } from 'rxjs';
import { type ErrorContext, messageOf, NotRunningError, TidemarkError, UserCodeError } from '../errors.ts';
import { all, andThen, attempt, eachInOrder, isPromise } from '../maybe-promise.ts';
import { createLogger } from '../observe/create-logger.ts';
import { detached } from '../stream/data-stream.ts';
import { type Mark, type StreamElement, StreamRecord } from '../stream/elements.ts';
import type { SourceNode } from '../stream/from.ts';
import { describe, type WirableNode } from '../stream/node.ts';
import type { Stage } from '../stream/stage.ts';
import { Wiring } from '../stream/wiring.ts';
import { Gate } from './gate.ts';
import { SharedServices } from './shared-services.ts';
import { SourceRunner } from './source-runner.ts';

detached.run = runDetached;

/**
 * Runs a stream outside a job, without checkpoints: for unit tests and for a look at an embedded source. Answers how to end it.
 */
function runDetached(
  node: WirableNode,
  out: (element: StreamElement<unknown>) => void,
  subscriber: Subscriber<unknown>,
): () => void {
  const gate = new Gate(asyncScheduler, (error, context) => {
    subscriber.error(shown(error, context));
  });
  const sources: SourceRunner[] = [];
  let holders = 0;
  const actors: { close(): void; open(): void }[] = [];
  const logger = createLogger({ level: 'warn' });
  const shared = new SharedServices(asyncScheduler, logger);
  const wiring = new Wiring(
    gate,
    {
      alignment: 'exactly-once',
      freezesState: true,
      source(sourceNode, stage) {
        const { source } = sourceNode as SourceNode;
        if (!source.embedded) {
          throw new NotRunningError(
            `${describe(sourceNode)} is read by a running job only: start the job and subscribe to handle.output(tag).`,
          );
        }
        sources.push(
          new SourceRunner(source, stage, gate, {
            job: 'detached',
            task: 'detached',
            logger,
            shared: shared.of,
            takesCheckpoints: false,
            checkpoint() {},
          }),
        );
      },
      sink(sinkNode) {
        throw new NotRunningError(`${describe(sinkNode)} is written by a running job only: start the job.`);
      },
      actor: stage => actors.push(stage),
      holdInput: isHeld => {
        holders += isHeld ? 1 : -1;
        if (isHeld) for (const source of sources) source.pause();
        else {
          gate.afterwards(() => {
            for (const source of sources) if (holders === 0) source.resume();
          });
        }
      },
      random: Math.random,
      captured: (_actor, _barrier, capture) => {
        // Nothing is kept, so the next capture is relative to this one.
        capture.commit();
      },
      wasFinished: () => false,
      finished: () => {},
    },
    [node],
  );
  try {
    wiring.connect(node, new ElementView(gate, out, subscriber));
  } catch (error) {
    wiring.close();
    throw error;
  }
  wiring.open(work => gate.between(work));
  for (const actor of actors) actor.open();
  const failed = (error: unknown) => gate.fail(error);
  const opened = attempt<void>(
    () =>
      andThen(
        eachInOrder(sources, source => source.open(undefined)),
        () => {
          for (const source of sources) source.start();
        },
      ),
    failed,
  );
  if (isPromise(opened)) void opened.then(undefined, failed);
  return () => {
    gate.close();
    wiring.close();
    for (const actor of actors) actor.close();
    void andThen(all(sources.map(source => source.close())), () => shared.close());
  };
}

/** As RxJS would: what native operators threw and sources failed with is shown as it is. */
function shown(error: unknown, context: ErrorContext): unknown {
  if (error instanceof UserCodeError && error.context.source !== undefined) return error.cause;
  if (error instanceof TidemarkError || !context.operator) return error;
  return new UserCodeError(`"${context.operator}" threw: ${messageOf(error)}`, { cause: error, context });
}

/** Shows what passes as elements. */
class ElementView implements Stage<unknown> {
  private readonly gate: Gate;
  private readonly out: (element: StreamElement<unknown>) => void;
  private readonly subscriber: Subscriber<unknown>;

  constructor(gate: Gate, out: (element: StreamElement<unknown>) => void, subscriber: Subscriber<unknown>) {
    this.gate = gate;
    this.out = out;
    this.subscriber = subscriber;
  }

  next(value: unknown): void {
    this.out(new StreamRecord(value, this.gate.timestamp, this.gate.key));
  }

  mark(mark: Mark): void {
    this.out(mark);
  }

  error(error: unknown): void {
    this.gate.fail(error);
  }

  complete(): void {
    this.subscriber.complete();
  }
}
