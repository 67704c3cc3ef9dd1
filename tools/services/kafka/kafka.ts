import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../free-port.ts';
import { type ServiceProcess, type ServiceProcessOptions, startProcess } from '../service-process.ts';
import { type KafkaDistribution, kafkaDistribution } from './distribution.ts';
import { kafkaAnswers, kafkaCoordinates } from './kafka-answers.ts';
import { serverProperties } from './server-properties.ts';

export interface KafkaOptions {
  /** Where it keeps its data; kept by `stop`. Left out: a temporary folder, removed by `stop`. */
  readonly dir?: string;
  /** Left out: a free one. */
  readonly port?: number;
  /** Of the controller; left out: a free one. To bring back the first broker of a cluster of several, the one it had. */
  readonly controllerPort?: number;
  /** Another broker of the cluster that `server` began, with this number from 2 on. */
  readonly joins?: { readonly server: KafkaServer; readonly nodeId: number };
  /** 22 characters of base64url; left out: the same for all, so that a restart finds its own data. */
  readonly clusterId?: string;
  /** Broker settings beyond ours; they win. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Ports of listeners that `settings` add. */
  readonly morePorts?: readonly number[];
  /** Users for SCRAM-SHA-512, by their names: the passwords. Made with the data folder. */
  readonly scramUsers?: Readonly<Record<string, string>>;
}

export interface KafkaServer extends AsyncDisposable {
  /** `host:port`, as clients want it. */
  readonly brokers: string;
  readonly port: number;
  /** Of the controller that it is, or whose cluster it joined. */
  readonly controllerPort: number;
  readonly dir: string;
  readonly pid: number;
  /** Settles when the broker is gone, wanted or not; says how it ended. */
  readonly exited: Promise<string>;
  /**
   * SIGKILL, as a crash would be; waits until it is gone and keeps the data. `startKafka({ dir, port })` brings it back,
   * once the session of the killed broker has run out: `broker.session.timeout.ms`, 9 s unless `settings` say less.
   */
  kill(): Promise<void>;
  /** Ends it in order, waits until it is gone, and removes the folder if it was a temporary one. */
  stop(): Promise<void>;
}

const defaultClusterId = 'dGlkZW1hcmstc3BlY3MtMQ';
/** Long enough to fetch the image first, where it comes from one; a broker that ends is noticed at once. */
const startTimeoutMs = 180_000;
const coordinatorsTimeoutMs = 60_000;
const jvm = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
// What the two logging bindings that a distribution may bring are told by.
const logging = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=info', '-Dlog4j2.level=INFO'];

/** Starts a Kafka of one's own: a broker that is its own controller or joins another, loopback only; resolves when it answers. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  const distribution = await kafkaDistribution();
  const temporary = options.dir === undefined;
  const dir = path.resolve(options.dir ?? mkdtempSync(path.join(tmpdir(), 'tidemark-kafka-')));
  mkdirSync(dir, { recursive: true });
  const port = options.port ?? (await freePort());
  const brokers = `127.0.0.1:${port}`;
  const listenOn = 'image' in distribution ? '0.0.0.0' : '127.0.0.1';
  const controllerPort = options.joins?.server.controllerPort ?? options.controllerPort ?? (await freePort());
  const nodeId = options.joins?.nodeId ?? 1;
  const address = { port, controllerPort, nodeId, folder: path.join(dir, 'data'), listenOn };
  writeFileSync(path.join(dir, 'server.properties'), serverProperties(address, options.settings));
  const removeFolder = () => temporary && rmSync(dir, { recursive: true, force: true });

  let server: ServiceProcess | undefined;
  try {
    server = startProcess({
      name: 'Kafka',
      ...brokerCommand(
        distribution,
        dir,
        [port, ...(options.morePorts ?? [])],
        [
          ...['-t', options.clusterId ?? defaultClusterId],
          ...Object.entries(options.scramUsers ?? {}).flatMap(addScram),
        ],
      ),
      logFile: path.join(dir, 'kafka.log'),
      ...(temporary ? { temporaryFolder: dir } : {}),
    });
    await server.untilAnswers(() => kafkaAnswers([brokers]), startTimeoutMs);
    await server.untilAnswers(() => kafkaCoordinates([brokers]), coordinatorsTimeoutMs);
  } catch (error) {
    await server?.kill();
    removeFolder();
    throw error;
  }
  const started = server;
  const stop = async () => {
    await started.stop();
    removeFolder();
  };
  const { pid, exited } = started;
  return {
    brokers,
    port,
    controllerPort,
    dir,
    pid,
    exited,
    kill: () => started.kill(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** One command that formats the folder, if need be, and becomes the broker. */
function brokerCommand(
  distribution: KafkaDistribution,
  dir: string,
  ports: readonly number[],
  formatArgs: readonly string[],
): Pick<ServiceProcessOptions, 'command' | 'args' | 'endWith'> {
  const java = ['java', ...jvm, ...logging, '-cp', `${distribution.jars}/*`];
  const settings = path.join(dir, 'server.properties');
  const format = [...java, 'kafka.tools.StorageTool', 'format', '--ignore-formatted', '-c', settings, ...formatArgs];
  const serve = [...java, 'kafka.Kafka', settings];
  const script = `${quoted(format)} && exec ${quoted(serve)}`;
  if ('image' in distribution)
    return distribution.engine.run(distribution.image, { ports, folder: dir }, ['sh', '-c', script]);
  return { command: 'sh', args: ['-c', script] };
}

function addScram([name, password]: [string, string]): string[] {
  return ['--add-scram', `SCRAM-SHA-512=[name=${name},password=${password}]`];
}

function quoted(words: readonly string[]): string {
  return words.map(word => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}
