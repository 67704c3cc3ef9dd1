import { startServices } from './services.ts';

/** Global set-up of the test project `services`: its specs find both addresses in their environment. */
export async function setup(): Promise<() => Promise<void>> {
  const given = { REDIS_URL: process.env.REDIS_URL, KAFKA_BROKERS: process.env.KAFKA_BROKERS };
  const services = await startServices();
  process.env.REDIS_URL = services.redisUrl;
  process.env.KAFKA_BROKERS = services.kafkaBrokers;
  return async () => {
    await services.stop();
    for (const [name, value] of Object.entries(given)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}
