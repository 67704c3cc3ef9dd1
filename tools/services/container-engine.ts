import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';

/** A container engine whose daemon answers. */
export interface ContainerEngine {
  readonly name: string;
  /** The command that runs an image in the foreground, with ports and one folder the same inside and outside. */
  run(
    image: string,
    shared: { readonly ports: readonly number[]; readonly folder: string },
    command: readonly string[],
  ): { readonly command: string; readonly args: readonly string[]; readonly endWith: readonly string[] };
}

/** Docker or Podman, whichever really answers; a client without its daemon is no engine. */
export function containerEngine(): ContainerEngine | undefined {
  const name = ['docker', 'podman'].find(
    candidate => spawnSync(candidate, ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0,
  );
  if (name === undefined) return undefined;
  return {
    name,
    run(image, { ports, folder }, command) {
      const container = `tidemark-${randomUUID()}`;
      // The files belong to whoever started it, so that the folder can be removed afterwards.
      const user = process.getuid === undefined ? [] : ['--user', `${process.getuid()}`];
      const published = ports.flatMap(port => ['--publish', `127.0.0.1:${port}:${port}`]);
      const shared = [...published, '--volume', `${folder}:${folder}`];
      return {
        command: name,
        args: ['run', '--rm', '--name', container, ...user, ...shared, image, ...command],
        endWith: [name, 'kill', container],
      };
    },
  };
}
