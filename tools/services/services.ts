import { startKafka } from './kafka/kafka.ts';
import { kafkaAnswers } from './kafka/kafka-answers.ts';
import { redisAnswers, startRedis } from './redis.ts';

/** A service that answers: one of ours, or one that was there already. */
interface Service {
  readonly address: string;
  /** Settles when a service of ours is gone, wanted or not; never for one that was there already. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

/** A Redis and a Kafka that answer. */
export interface Services {
  readonly kafkaBrokers: string;
  readonly redisUrl: string;
  /** Settles with what happened when one of ours ends by itself. */
  readonly lost: Promise<string>;
  /** Stops what was started here, and waits for it. */
  stop(): Promise<void>;
}

/** Brings up both; what `KAFKA_BROKERS` and `REDIS_URL` name is used as it is. When one fails, the other is stopped. */
export async function startServices(): Promise<Services> {
  const [redis, kafka] = await Promise.allSettled([haveRedis(), haveKafka()]);
  const stop = async () => {
    const started = [redis, kafka].filter(service => service.status === 'fulfilled');
    const ends = await Promise.allSettled(started.map(service => service.value.stop()));
    const failures = ends.filter(end => end.status === 'rejected').map(end => end.reason);
    if (failures.length > 0) throw new AggregateError(failures, 'A service could not be stopped.');
  };
  if (redis.status === 'rejected' || kafka.status === 'rejected') {
    await stop();
    const reasons = [redis, kafka].filter(service => service.status === 'rejected').map(service => service.reason);
    throw new AggregateError(reasons, reasons.map(reasonOf).join('\n'));
  }
  const lost = Promise.race([
    redis.value.exited.then(how => `Redis ${how}`),
    kafka.value.exited.then(how => `Kafka ${how}`),
  ]);
  return { kafkaBrokers: kafka.value.address, redisUrl: redis.value.address, lost, stop };
}

async function haveRedis(): Promise<Service> {
  const given = process.env.REDIS_URL;
  if (!given) {
    const redis = await startRedis();
    return { address: redis.url, exited: redis.exited, stop: redis.stop };
  }
  if (!(await redisAnswers(given))) throw new Error(silence('REDIS_URL', new URL(given).host));
  return alreadyThere(given);
}

async function haveKafka(): Promise<Service> {
  const given = process.env.KAFKA_BROKERS;
  if (!given) {
    const kafka = await startKafka();
    return { address: kafka.brokers, exited: kafka.exited, stop: kafka.stop };
  }
  if (!(await kafkaAnswers(given.split(',')))) throw new Error(silence('KAFKA_BROKERS', given));
  return alreadyThere(given);
}

function alreadyThere(address: string): Service {
  return { address, exited: new Promise(() => {}), stop: async () => {} };
}

/** Names the host only: the address may hold a password. */
function silence(variable: string, host: string): string {
  return `${variable} is set, but nothing answers at ${host}. Start it, or unset ${variable} to have one started.`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
