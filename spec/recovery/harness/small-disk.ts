import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

const mounted: string[] = [];

/** Whether this process may mount file systems. */
export const mayMount: boolean = (() => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const folder = path.join('/tmp', `tidemark-mount-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status === 0;
  if (isMounted) spawnSync('umount', [folder]);
  spawnSync('rmdir', [folder]);
  return isMounted;
})();

/** A disk of so many KiB, there until the end of the test. */
export class SmallDisk {
  readonly folder: string;

  constructor(kib: number) {
    this.folder = path.join(temporaryFolder(), 'disk');
    mkdirSync(this.folder);
    this.mount(`size=${kib}k`);
    mounted.push(this.folder);
  }

  /** Gives it so many KiB, as when somebody makes space. */
  grow(kib: number): void {
    this.mount(`remount,size=${kib}k`);
  }

  private mount(options: string): void {
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', this.folder]);
    if (status !== 0) throw new Error(`mount failed: ${stderr}`);
  }
}

// Before the folder that it is mounted in is removed: hooks run in the opposite order.
afterEach(() => {
  for (const folder of mounted.splice(0)) if (existsSync(folder)) spawnSync('umount', ['-l', folder]);
});
