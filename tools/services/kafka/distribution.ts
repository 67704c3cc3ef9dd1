import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { type ContainerEngine, containerEngine } from '../container-engine.ts';
import { mavenJars } from './maven-jars.ts';
import { kafkaRelease } from './release.ts';

/** Where a Kafka to start comes from: jars for the machine's own Java, or an image for a container engine. */
export type KafkaDistribution =
  | { readonly jars: string }
  | { readonly image: string; readonly jars: string; readonly engine: ContainerEngine };

/** Oldest Java that Kafka 4 runs on. */
const oldestJava = 17;

/** Finds a Kafka: an installed one, else an image, else Apache Kafka's jars through Maven. */
export async function kafkaDistribution(): Promise<KafkaDistribution> {
  const hasJava = javaRelease() >= oldestJava;
  const installed = installedJars();
  if (installed !== undefined && hasJava) return { jars: installed };
  const engine = containerEngine();
  if (engine !== undefined) return { image: `apache/kafka:${kafkaRelease()}`, jars: '/opt/kafka/libs', engine };
  if (hasJava && spawnSync('mvn', ['--version'], { stdio: 'ignore' }).status === 0) return { jars: await mavenJars() };
  throw new Error(
    `There is no Kafka to start. Any of these gives one: Java ${oldestJava} or newer with Maven` +
      ' (Debian: apt-get install default-jre-headless maven; macOS: brew install openjdk maven); a running Docker or Podman;' +
      ` Java with KAFKA_HOME set to an unpacked Apache Kafka; or KAFKA_BROKERS set to a running broker.`,
  );
}

function installedJars(): string | undefined {
  const homes = process.env.KAFKA_HOME === undefined ? [] : [process.env.KAFKA_HOME];
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    for (const script of ['kafka-server-start.sh', 'kafka-server-start']) {
      const file = path.join(folder, script);
      if (existsSync(file)) homes.push(path.dirname(path.dirname(realpathSync(file))));
    }
  }
  return homes
    .flatMap(home => [path.join(home, 'libs'), path.join(home, 'libexec', 'libs')])
    .find(libs => existsSync(libs) && readdirSync(libs).some(file => /^kafka_.*\.jar$/.test(file)));
}

function javaRelease(): number {
  const { stderr, status } = spawnSync('java', ['-version'], { encoding: 'utf8' });
  return status === 0 ? Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0) : 0;
}
