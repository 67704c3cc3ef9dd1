import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Duration, parseDuration } from '../lib/duration.ts';
import {
  createSavepoint,
  deleteSavepoint,
  diffSavepoints,
  exportSavepoint,
  importSavepoint,
  listSavepoints,
  openSavepoint,
  readSavepointDirectory,
  type SnapshotStore,
} from '../lib/index.ts';
import { exitCodes, UsageError } from './exit-code.ts';
import { savepointHelp } from './help.ts';
import { diffLines, jsonOf, savepointDetails, savepointJson, savepointLines } from './savepoint-text.ts';
import type { World } from './world.ts';

interface Options {
  readonly store?: string;
  readonly json?: boolean;
  readonly name?: string;
  readonly patience?: Duration;
  readonly timeout?: Duration;
  readonly offline?: boolean;
  readonly checkpoint?: number;
  readonly drain?: boolean;
  readonly as?: string;
  readonly actor?: string;
  readonly examples?: number;
}

interface Surroundings {
  readonly world: World;
  readonly storeOption: () => Option;
  readonly defaultStore: string;
  readonly ended: (exitCode: number) => void;
}

/** Adds `tidemark savepoint …`. */
export function addSavepointCommands(
  program: Command,
  { world, storeOption, defaultStore, ended }: Surroundings,
): void {
  const group = program
    .command('savepoint')
    .description('Take, look at, move and delete savepoints.')
    .addHelpText('after', savepointHelp);
  const say = (lines: readonly string[]) => void world.stdout.write(`${lines.join('\n')}\n`);
  const tell = (text: string) => void world.stderr.write(`${text}\n`);

  const within = async (where: string | undefined, work: (store: SnapshotStore) => Promise<void>): Promise<void> => {
    const store = await world.openStore(where ?? defaultStore);
    try {
      await work(store);
    } finally {
      await store.close();
    }
    ended(exitCodes.done);
  };

  const take = (end: 'go-on' | 'stop', job: string, options: Options) =>
    within(options.store, async store => {
      const { name, patience, timeout, offline = false, checkpoint, drain = false, json = false } = options;
      const { savepoint, taken } = await createSavepoint(store, job, {
        end: end === 'stop' && drain ? 'drain' : end,
        offline: checkpoint ?? offline,
        progress: tell,
        ...(name !== undefined && { name }),
        ...(patience !== undefined && { patience }),
        ...(timeout !== undefined && { timeout }),
      });
      if (json) {
        say([jsonOf({ ...savepointJson(savepoint), taken })]);
        return;
      }
      const ids = savepoint.tasks.map(({ manifest }) => manifest.id).join(', ');
      const how =
        end === 'stop'
          ? `${job} has stopped with it, and goes on from it when it is started`
          : taken === 'running'
            ? 'the running job took it, and goes on'
            : 'nobody runs the job: its newest committed checkpoint is kept as it';
      say([
        `Savepoint ${savepoint.name} of ${job} is checkpoint ${ids}: ${end === 'stop' && drain ? `${job} has finished with it` : how}.`,
      ]);
    });

  const timed = (command: Command) =>
    command
      .addOption(storeOption())
      .option('--name <name>', 'its name, unique among the savepoints of the job (default: made from the time)')
      .addOption(
        new Option(
          '--patience <duration>',
          'how long a running job may take to see the request (default: 10s)',
        ).argParser(durationOf),
      )
      .addOption(new Option('--timeout <duration>', 'how long it may take in all (default: 10m)').argParser(durationOf))
      .option('--json', 'print JSON');

  timed(
    group
      .command('create')
      .description('Take a savepoint of a job, whether it runs or not.')
      .argument('<job>', 'its name'),
  )
    .option('--offline', 'ask nobody: keep the newest committed checkpoint')
    .addOption(
      new Option('--checkpoint <id>', 'ask nobody: keep this committed checkpoint')
        .argParser(whole)
        .conflicts('offline'),
    )
    .action((job: string, options: Options) => take('go-on', job, options));

  timed(
    group
      .command('stop')
      .description('Stop a running job with a savepoint as its last checkpoint.')
      .argument('<job>', 'its name'),
  )
    .option(
      '--drain',
      'complete its operators first, as at the end of input: windows close, timers fire, the job has finished',
    )
    .action((job: string, options: Options) => take('stop', job, options));

  group
    .command('list')
    .description('List the savepoints in a store, newest first.')
    .argument('[job]', 'name of a job (default: every job in the store)')
    .addOption(storeOption())
    .option('--json', 'print a JSON array')
    .action((job: string | undefined, { store: where, json }: Options) =>
      within(where, async store => {
        const found = await listSavepoints(store, job);
        if (json) say([jsonOf(found.map(savepointJson))]);
        else if (found.length === 0)
          say([`The ${store.kind} store at ${store.location} has no savepoint${job ? ` of ${job}` : ''}.`]);
        else say(savepointLines(found, world.clock.now()));
      }),
    );

  group
    .command('show')
    .description('Print what a savepoint or a checkpoint holds: actors, keys, sizes, positions.')
    .argument('<savepoint>', 'a directory, <job>/<name> or <job>/<checkpoint id>')
    .addOption(storeOption())
    .option('--json', 'print JSON')
    .action((given: string, { store: where, json }: Options) =>
      within(where, async store => {
        const savepoint = await openSavepoint(store, undefined, given);
        say(json ? [jsonOf(savepointJson(savepoint))] : savepointDetails(savepoint, world.clock.now()));
      }),
    );

  group
    .command('diff')
    .description('Compare the state of two savepoints or checkpoints by key.')
    .argument('<before>', 'a directory, <job>/<name> or <job>/<checkpoint id>')
    .argument('<after>', 'the same')
    .addOption(storeOption())
    .option('--actor <name>', 'only this actor')
    .addOption(new Option('--examples <count>', 'how many keys of each actor are shown').argParser(whole).default(10))
    .option('--json', 'print JSON')
    .action((before: string, after: string, { store: where, json, actor, examples = 10 }: Options) =>
      within(where, async store => {
        const [a, b] = [await openSavepoint(store, undefined, before), await openSavepoint(store, undefined, after)];
        const differences = await diffSavepoints(a, b, { actor, examples });
        say(json ? [jsonOf(differences)] : diffLines(differences));
      }),
    );

  group
    .command('export')
    .description('Write a savepoint or a checkpoint to a directory that needs nothing else.')
    .argument('<savepoint>', '<job>/<name> or <job>/<checkpoint id>')
    .argument('<directory>', 'where to; must not exist')
    .addOption(storeOption())
    .action((given: string, directory: string, { store: where }: Options) =>
      within(where, async store => {
        const savepoint = await openSavepoint(store, undefined, given);
        say([`Savepoint ${savepoint.name} of ${savepoint.job} is in ${await exportSavepoint(savepoint, directory)}.`]);
      }),
    );

  group
    .command('import')
    .description('Put a savepoint from a directory into a store that has nothing of the job.')
    .argument('<directory>', 'what export has written')
    .addOption(storeOption())
    .option('--as <job>', 'under the name of another job')
    .action((directory: string, { store: where, as }: Options) =>
      within(where, async store => {
        const savepoint = await readSavepointDirectory(directory);
        await importSavepoint(store, savepoint, as === undefined ? {} : { job: as });
        say([
          `Savepoint ${savepoint.name} is where the job ${as ?? savepoint.job} goes on in the ${store.kind} store at ${store.location}.`,
        ]);
      }),
    );

  group
    .command('delete')
    .description('Delete a savepoint in a store; what others share with it stays.')
    .argument('<savepoint>', '<job>/<name>')
    .addOption(storeOption())
    .action((given: string, { store: where }: Options) =>
      within(where, async store => {
        const at = given.lastIndexOf('/');
        if (at <= 0) throw new UsageError(`"${given}" is not of the form <job>/<name>.`);
        await deleteSavepoint(store, given.slice(0, at), given.slice(at + 1));
        say([`Savepoint ${given.slice(at + 1)} of ${given.slice(0, at)} is deleted.`]);
      }),
    );
}

function durationOf(given: string): Duration {
  const duration = /^\d+$/.test(given) ? Number(given) : given;
  if (parseDuration(duration)) return duration as Duration;
  throw new InvalidArgumentError('Give milliseconds, or a number with ms, s, m, h or d ("10s").');
}

function whole(given: string): number {
  if (/^\d{1,15}$/.test(given)) return Number(given);
  throw new InvalidArgumentError('Give a whole number.');
}
