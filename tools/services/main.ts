// `npm run services`: a Redis and a Kafka until SIGTERM or Ctrl-C. Only the two addresses go to stdout.
import { type Services, startServices } from './services.ts';

/** Whichever signal comes first; a second one ends this process at once, and the watchdogs see to the services. */
const asked = new Promise<string>(resolve => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(signal, () => {
      resolve(signal);
      process.once(signal, () => process.exit(1));
    });
  }
  // npm may be killed without a chance to pass a signal on; its child then has another parent.
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event !== undefined) {
    setInterval(() => process.ppid !== parent && resolve('the end of npm'), 1000).unref();
  }
});

async function serve({ redisUrl, kafkaBrokers, lost, stop }: Services): Promise<void> {
  console.log(`REDIS_URL=${redisUrl}`);
  console.log(`KAFKA_BROKERS=${kafkaBrokers}`);
  console.error('Both answer. Ctrl-C stops them.');
  const why = await Promise.race([asked, lost.then(how => new Error(`${how}, unasked.`))]);
  console.error(why instanceof Error ? why.message : `Stopping both after ${why}.`);
  await stop();
  console.error('Both are stopped.');
  if (why instanceof Error) process.exitCode = 1;
}

try {
  console.error('Bringing up Redis and Kafka.');
  const services = await startServices();
  await serve(services);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
process.exit();
