import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { type Duration, parseDuration } from '../lib/duration.ts';
import { messageOf } from '../lib/errors.ts';
import type { Job } from '../lib/job/job.ts';
import type { JobSettings } from '../lib/job/settings.ts';
import { andThen } from '../lib/maybe-promise.ts';
import type { LogLevel } from '../lib/observe/create-logger.ts';
import { type ListenAddress, parseListenAddress } from '../lib/observe/status-server/listen-address.ts';
import { paths } from '../lib/observe/status-server/routes.ts';
import type { StatusServer } from '../lib/observe/status-server/status-server.ts';
import { errorLines } from './error-report.ts';
import { exitCodeOfError, exitCodes, UsageError } from './exit-code.ts';
import { checkingText, commandHelp, graphHelp, listHelp, runHelp } from './help.ts';
import { listCheckpoints } from './list-checkpoints.ts';
import { loadJob } from './load-job.ts';
import { makeReporter } from './make-reporter.ts';
import { mermaid } from './mermaid.ts';
import { runJob } from './run-job.ts';
import { addSavepointCommands } from './savepoint-commands.ts';
import { addSetting } from './set-option.ts';
import { stateReportJson, stateReportLines } from './state-report.ts';
import { mostWorkers } from './workers/start-workers.ts';
import type { WorkersHandle, World } from './world.ts';

interface RunOptions {
  readonly store?: string;
  readonly set: Record<string, string>;
  readonly fresh?: boolean;
  readonly acceptCheckpoint?: number;
  readonly fromSavepoint?: string;
  readonly rewind?: number[];
  readonly acceptMovedKeys?: boolean;
  readonly allowDroppedState?: boolean;
  readonly check?: boolean;
  readonly checkState?: boolean;
  readonly interval?: Duration | 'off';
  readonly tasks?: NonNullable<JobSettings['tasks']>;
  readonly maxTasks?: number;
  readonly instanceId?: string;
  readonly workers?: number;
  readonly listen?: ListenAddress;
  readonly log: LogLevel;
  readonly json?: boolean;
}

const defaultStore = './.tidemark';

/** Carries out a command line (without `node` and the script) and answers the exit code. Never rejects. */
export async function tidemark(args: readonly string[], world: World): Promise<number> {
  let exitCode: number = exitCodes.done;
  const program = makeProgram(world, code => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has said what is wrong already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    world.stderr.write(`error: ${errorLines(error).join('\n')}\n`);
    return exitCodeOfError(error);
  }
}

function makeProgram(world: World, ended: (exitCode: number) => void): Command {
  const program = new Command('tidemark')
    .description('Fault-tolerant stream processing for RxJS.')
    .version(world.version, '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help.')
    .addHelpText('after', commandHelp)
    .configureOutput({
      writeOut: text => void world.stdout.write(text),
      writeErr: text => void world.stderr.write(text),
      getOutHelpWidth: () => world.stdout.columns ?? 100,
      getErrHelpWidth: () => world.stderr.columns ?? 100,
    })
    .showHelpAfterError('Run it with --help to see what it takes.')
    .exitOverride();

  program
    .command('run')
    .description('Run a job until its input ends or it is stopped.')
    .argument(
      '<module>',
      'a TypeScript or JavaScript module whose default export is a job, or a folder with a job.ts or job.js',
    )
    .addOption(storeOption())
    .addOption(setOption())
    .option('--fresh', 'start from empty state although there is a checkpoint')
    .addOption(
      new Option(
        '--accept-checkpoint <id>',
        'go on from this checkpoint although what decides, or the store, has lost a later one; see the error that says so',
      )
        .argParser(checkpointId)
        .conflicts('fresh'),
    )
    .addOption(
      new Option(
        '--from-savepoint <savepoint>',
        'start from a savepoint: a directory, its name, or <job>/<name> for one of another job in the store; started again with it, the job goes on from where it was',
      ).conflicts('fresh'),
    )
    .addOption(
      new Option(
        '--rewind <ids>',
        'with --from-savepoint: give up this checkpoint, the newest of the job, or those of its tasks, as 10,12,9; see the error that says so',
      ).argParser(checkpointIds),
    )
    .option(
      '--accept-moved-keys',
      'with --from-savepoint: partitions were added to the topics of a job in several tasks, and all that was written before is read; see the error that says so',
    )
    .option('--allow-dropped-state', 'start although there is state of actors or sources that the job no longer has')
    .option(
      '--check',
      'load, wire and validate the job, compare it with its stored state, then end; nothing is written',
    )
    .option('--check-state', 'as --check, and run all migrations over the stored state')
    .addOption(
      new Option(
        '--interval <duration>',
        'time between checkpoints, or "off" (default: what the job says, else 10s)',
      ).argParser(interval),
    )
    .addOption(
      new Option(
        '--tasks <mode>',
        'how processes with this job share it: single (this one runs all), standby (one runs all, the others wait to take over), per-partition (spread over all)',
      ).choices(['single', 'standby', 'per-partition']),
    )
    .addOption(
      new Option('--max-tasks <count>', 'the most per-partition tasks; fixed for the life of the state').argParser(
        wholeNumberFrom1,
      ),
    )
    .addOption(
      new Option(
        '--workers <count>',
        `run the tasks in this many child processes, 1 to ${mostWorkers}, which are restarted when they die; implies --tasks per-partition`,
      ).argParser(workerCount),
    )
    .option(
      '--instance-id <name>',
      'a name that this process alone has: it gets its tasks back when it restarts in time; workers are <name>-1 and so on',
    )
    .addOption(
      new Option(
        '--listen <address>',
        `serve ${paths.join(', ')} over HTTP at [host:]port; without a host only this machine reaches it`,
      ).argParser(listenAddress),
    )
    .addOption(
      new Option('--log <level>', 'least level of what is logged')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('info'),
    )
    .option('--json', 'log JSON lines, also in a terminal')
    .addHelpText('after', runHelp)
    .action(async (module: string, options: RunOptions) => ended(await run(module, options, world)));

  program
    .command('graph')
    .description('Print the graph of a job as a Mermaid flowchart.')
    .argument('<module>', 'as for run')
    .addOption(setOption())
    .addHelpText('after', graphHelp)
    .action(async (module: string, { set }: Pick<RunOptions, 'set'>) => {
      const job = await loadJob(module, world.cwd);
      world.stdout.write(mermaid(job.graph({ ...job.settings.params, ...set })));
    });

  program
    .command('checkpoints')
    .description('List the checkpoints in a store, newest first. Changes nothing.')
    .argument('[job]', 'name of a job (default: every job in the store)')
    .addOption(storeOption())
    .option('--json', 'print a JSON array')
    .addHelpText('after', listHelp)
    .action(
      async (job: string | undefined, { store = defaultStore, json = false }: Pick<RunOptions, 'store' | 'json'>) => {
        const opened = await world.openStore(store);
        try {
          world.stdout.write(await listCheckpoints(opened, { job, isJson: json, now: world.clock.now() }));
        } finally {
          await opened.close();
        }
      },
    );
  addSavepointCommands(program, { world, storeOption, defaultStore, ended });
  return program;
}

async function run(module: string, options: RunOptions, world: World): Promise<number> {
  const job = await loadJob(module, world.cwd);
  const { store: where, set, fresh, acceptCheckpoint, rewind, interval, workers, listen, log, json = false } = options;
  const recovery = {
    ...(acceptCheckpoint === undefined ? {} : { acceptCheckpoint }),
    ...(rewind === undefined ? {} : { rewind }),
    ...(options.acceptMovedKeys ? { acceptMovedKeys: true } : {}),
  };
  if (workers !== undefined && options.tasks !== undefined && options.tasks !== 'per-partition') {
    throw new UsageError(
      `--workers spreads the tasks of the job over processes, and --tasks ${options.tasks} has one task: leave one of them out.`,
    );
  }
  const tasks = workers === undefined ? options.tasks : 'per-partition';
  const settings: JobSettings = {
    params: set,
    ...(fresh ? { fresh } : {}),
    ...(Object.keys(recovery).length === 0 ? {} : { recovery }),
    ...(options.fromSavepoint === undefined ? {} : { fromSavepoint: options.fromSavepoint }),
    ...(options.allowDroppedState ? { allowDroppedState: true } : {}),
    ...(interval === undefined ? {} : { checkpoint: { interval } }),
    ...(tasks === undefined ? {} : { tasks }),
    ...(options.maxTasks === undefined ? {} : { maxTasks: options.maxTasks }),
    ...(options.instanceId === undefined ? {} : { members: { instanceId: options.instanceId } }),
  };
  if (options.check || options.checkState) return await checkJob(job, settings, options, world);
  // Workers open their own.
  const store = where === undefined || workers !== undefined ? undefined : await world.openStore(where);
  const reporter = makeReporter(world, { level: log, isJson: json });
  const { logger } = reporter;
  let server: StatusServer | undefined;
  let supervised: WorkersHandle | undefined;
  const startWorkers = (count: number) => {
    const print = (line: string) => void world.stdout.write(`${line}\n`);
    const request = { job, module, cwd: world.cwd, workers: count, store: where, settings, log, logger, print };
    supervised = world.startWorkers(request);
    return supervised;
  };
  const start = async () => {
    // Before the job: where the port is taken, the job must not be taken over from the process that runs it.
    if (listen) {
      server = await world.openStatusServer(listen);
      reporter.notice(`serves ${paths.join(', ')} at ${server.url}`);
    }
    const handle =
      workers === undefined
        ? await world.start(job, { ...settings, logger, ...(store ? { store } : {}) })
        : startWorkers(workers);
    server?.show(handle);
    return handle;
  };
  return await runJob(start, {
    reporter,
    signals: world.signals,
    clock: world.clock,
    isVerbose: log === 'debug',
    abort: () => supervised?.kill(),
    close: () => andThen(server?.close(), () => store?.close()),
  });
}

/** Tells what a start would find; throws what it would be refused with. */
async function checkJob(
  job: Job,
  settings: JobSettings,
  { store: where, checkState: migrations = false, json }: RunOptions,
  world: World,
): Promise<number> {
  await world.check(job, settings);
  const store = where === undefined ? undefined : await world.openStore(where);
  try {
    const report = await world.checkState(job, { ...settings, ...(store && { store }) }, { migrations });
    const lines = stateReportLines(report, world.clock.now());
    if (json) world.stdout.write(`${JSON.stringify({ job: job.name, ...stateReportJson(report) })}\n`);
    else for (const line of lines) world.stdout.write(`${line}\n`);
    if (report.problem) throw report.problem;
    if (!json) world.stdout.write(`${checkingText(job.name, report)}\n`);
    return exitCodes.done;
  } finally {
    await store?.close();
  }
}

function storeOption(): Option {
  return new Option(
    '--store <where>',
    `where checkpoints are kept: a folder, redis://… or rediss://…, or memory: (default: ${defaultStore})`,
  ).env('TIDEMARK_STORE');
}

function setOption(): Option {
  return new Option('--set <key=value>', 'a parameter of the job; repeatable')
    .argParser((given: string, before: Record<string, string>) => {
      try {
        return addSetting(given, before);
      } catch (error) {
        throw new InvalidArgumentError(messageOf(error));
      }
    })
    .default({}, 'none');
}

function checkpointId(given: string): number {
  if (/^[1-9]\d{0,14}$/.test(given)) return Number(given);
  throw new InvalidArgumentError('Give the id of a checkpoint, as the error that asks for it says it.');
}

function checkpointIds(given: string): number[] {
  if (/^[1-9]\d{0,14}(,[1-9]\d{0,14})*$/.test(given)) return given.split(',').map(Number);
  throw new InvalidArgumentError(
    'Give the id of a checkpoint, or one for each task (10,12,9), as the error that asks for it says it.',
  );
}

function wholeNumberFrom1(given: string): number {
  if (/^[1-9]\d{0,8}$/.test(given)) return Number(given);
  throw new InvalidArgumentError('Give a whole number from 1.');
}

function workerCount(given: string): number {
  if (/^[1-9]\d?$/.test(given) && Number(given) <= mostWorkers) return Number(given);
  throw new InvalidArgumentError(`Give a whole number from 1 to ${mostWorkers}.`);
}

function listenAddress(given: string): ListenAddress {
  const address = parseListenAddress(given);
  if (address) return address;
  throw new InvalidArgumentError('Give a port, or host:port, such as 9464, 0.0.0.0:9464 or [::1]:9464.');
}

function interval(given: string): Duration | 'off' {
  const duration = /^\d+$/.test(given) ? Number(given) : given;
  if (given === 'off' || parseDuration(duration)) return duration as Duration | 'off';
  throw new InvalidArgumentError('Give milliseconds, a number with ms, s, m, h or d ("10s"), or "off".');
}
