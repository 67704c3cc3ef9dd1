import { execFileSync, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { afterEach } from 'vitest';

const ownName = /^tidemark-(\d+)-\d+$/;
/** The link address of nobody: whoever gets a frame for it drops that silently. */
const nobody = '02:00:00:00:00:01';

let count = 0;
const made: NetworkNamespace[] = [];

/** A network of its own for processes of a spec, there until the end of the test: they reach what is at the other ends of its links, and nothing else. */
export class NetworkNamespace {
  readonly name = `tidemark-${process.pid}-${count++}`;
  private links: Link[] = [];

  constructor() {
    removeLeftOver();
    ip('netns', 'add', this.name);
    made.push(this);
    ip('-n', this.name, 'link', 'set', 'lo', 'up');
  }

  /** A cable from here into it. */
  link(): Link {
    const link = new Link(this.name, `tm${process.pid}-${count++}`);
    this.links.push(link);
    return link;
  }

  /** What a command that runs in it begins with. */
  get command(): readonly string[] {
    return ['ip', 'netns', 'exec', this.name];
  }

  /** Ends what runs in it, too: while the links work, so that the other side hears of it and says nothing more. */
  remove(): void {
    try {
      for (const link of this.links) link.mend();
      for (const pid of ip('netns', 'pids', this.name).split('\n')) if (pid !== '') kill(Number(pid));
    } finally {
      for (const link of this.links.splice(0)) link.remove();
      spawnSync('ip', ['netns', 'del', this.name]);
    }
  }
}

/** One cable: servers listen at `host`, on the side of the spec. */
export class Link {
  readonly host: string;
  private readonly outside: string;
  private readonly ends: readonly { readonly at: readonly string[]; readonly peer: string }[];

  constructor(namespace: string, name: string) {
    const [host, inside] = freeAddresses();
    const [outside, within] = [`${name}h`, `${name}n`];
    this.host = host;
    this.outside = outside;
    ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', within, 'netns', namespace);
    ip('addr', 'add', `${host}/30`, 'dev', outside);
    ip('link', 'set', outside, 'up');
    ip('-n', namespace, 'addr', 'add', `${inside}/30`, 'dev', within);
    ip('-n', namespace, 'link', 'set', within, 'up');
    this.ends = [
      { at: ['neigh', 'replace', inside, 'dev', outside], peer: linkAddress('-n', namespace, 'link', 'show', within) },
      { at: ['-n', namespace, 'neigh', 'replace', host, 'dev', within], peer: linkAddress('link', 'show', outside) },
    ];
    this.mend();
  }

  /** From now on every packet is lost, in both directions, and nobody is told. */
  cut(): void {
    for (const { at } of this.ends) ip(...at, 'lladdr', nobody, 'nud', 'permanent');
  }

  /** Packets arrive again. */
  mend(): void {
    for (const { at, peer } of this.ends) ip(...at, 'lladdr', peer, 'nud', 'permanent');
  }

  remove(): void {
    spawnSync('ip', ['link', 'del', this.outside]);
  }
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
}

function linkAddress(...show: string[]): string {
  const [, address = ''] = /link\/ether ([0-9a-f:]+)/.exec(ip(...show)) ?? [];
  return address;
}

/** For both ends, in no network that is there. The first is as long as 127.0.0.1: a proxy puts it into what brokers say. */
function freeAddresses(): readonly [string, string] {
  for (;;) {
    const network = `10.${randomInt(10)}.${randomInt(10)}`;
    const first = 12 + 4 * randomInt(21);
    const known = ip('route', 'show', 'match', `${network}.${first + 1}`).split('\n');
    if (known.some(route => route !== '' && !route.startsWith('default'))) continue;
    return [`${network}.${first + 1}`, `${network}.${first + 2}`];
  }
}

/** What a run that was killed has left. */
function removeLeftOver(): void {
  for (const line of ip('netns', 'list').split('\n')) {
    const [name = ''] = line.split(' ');
    const [, pid] = ownName.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) spawnSync('ip', ['netns', 'del', name]);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Why this process may not have such a network; undefined where it may. */
export const noNamespaces: string | undefined = (() => {
  if (process.platform !== 'linux') return 'network namespaces are of Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  if (spawnSync('ip', ['-V']).error) return 'there is no ip (iproute2)';
  try {
    const namespace = new NetworkNamespace();
    namespace.link().cut();
    return undefined;
  } catch (error) {
    return `network namespaces are not permitted: ${String(error instanceof Error ? error.message : error)
      .trim()
      .replaceAll('\n', ': ')}`;
  } finally {
    for (const namespace of made.splice(0)) namespace.remove();
  }
})();

afterEach(() => {
  for (const namespace of made.splice(0)) namespace.remove();
});
