import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { vi } from 'vitest';

/** The class of open files, which Node does not export: where a spec puts a fault. */
export async function fileHandles(): Promise<{
  write: (...args: never[]) => Promise<unknown>;
  sync: () => Promise<void>;
}> {
  const file = await open(process.execPath, 'r');
  await file.close();
  return Object.getPrototypeOf(file);
}

/** A folder on a disk that is full until `free` is called: a small tmpfs where that may be mounted, else every write fails. */
export async function fullDisk(folder: string, bytes: number): Promise<{ free(): void; [Symbol.dispose](): void }> {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder], { stdio: 'ignore' });
    return {
      free: () => void execFileSync('mount', ['-o', `remount,size=${bytes * 16}`, folder]),
      [Symbol.dispose]: () => void execFileSync('umount', ['-l', folder]),
    };
  } catch {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const spy = vi.spyOn(await fileHandles(), 'write').mockRejectedValue(full);
    return { free: () => spy.mockRestore(), [Symbol.dispose]: () => spy.mockRestore() };
  }
}
