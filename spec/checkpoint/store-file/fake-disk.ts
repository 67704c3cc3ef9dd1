import { basename, dirname, join, normalize } from 'node:path';
import type { FileSystem } from '../../../lib/checkpoint/store-file/file-system.ts';

/** A file; only `isDurable` ones keep their bytes through a loss of power. */
interface FakeFile {
  bytes: Uint8Array;
  isDurable: boolean;
}

/** A folder: what processes see now, and what would be there after a loss of power. */
class FakeFolder {
  names = new Map<string, FakeFile | FakeFolder>();
  durable = new Map<string, FakeFile | FakeFolder>();
}

/** Thrown into a process that dies. */
export class Killed extends Error {}

/**
 * A disk in memory that is as unkind as POSIX allows: each operation waits for `turn`, a listing is no snapshot, a killed
 * write leaves half a file, and a loss of power keeps any subset of the names that were not synced.
 */
export class FakeDisk {
  #root = new FakeFolder();
  readonly #chance: () => boolean;

  constructor(chance: () => boolean) {
    this.#chance = chance;
  }

  /** The disk as one process sees it; `turn` is awaited before each atomic step and may throw `Killed`. */
  mount(turn: () => Promise<void> | void): FileSystem {
    return {
      makeFolder: async path => {
        for (const each of ancestors(path)) {
          await turn();
          const folder = this.#folder(dirname(each)) as FakeFolder;
          if (folder.names.has(basename(each))) continue;
          const made = new FakeFolder();
          folder.names.set(basename(each), made);
          await turn();
          folder.durable.set(basename(each), made);
        }
      },
      write: async (path, bytes) => {
        await turn();
        const folder = this.#folder(dirname(path));
        if (!folder || folder.names.has(basename(path))) throw new Error(`cannot create ${path}`);
        const file: FakeFile = { bytes: bytes.slice(0, bytes.length / 2), isDurable: false };
        folder.names.set(basename(path), file);
        await turn();
        file.bytes = bytes.slice();
        await turn();
        file.isDurable = true;
      },
      read: async path => {
        await turn();
        const found = this.#find(path);
        return found && !(found instanceof FakeFolder) ? found.bytes.slice() : undefined;
      },
      exists: async path => {
        await turn();
        return this.#find(path) !== undefined;
      },
      list: async path => {
        await turn();
        const before = this.#folder(path);
        if (!before) return undefined;
        const seen = [...before.names.keys()];
        await turn();
        const now = [...before.names.keys()];
        // What was there all the time is listed; what came or went meanwhile may be or not.
        return [...new Set([...seen, ...now])].filter(
          name => (seen.includes(name) && now.includes(name)) || this.#chance(),
        );
      },
      link: async (file, name) => {
        await turn();
        const found = this.#find(file);
        const folder = this.#folder(dirname(name));
        if (!found || !folder) return 'missing';
        if (folder.names.has(basename(name))) return 'exists';
        folder.names.set(basename(name), found);
        return 'done';
      },
      moveFolder: async (from, to) => {
        await turn();
        const found = this.#folder(from);
        const target = this.#folder(dirname(to));
        if (!found || !target) return 'missing';
        const there = target.names.get(basename(to));
        if (there instanceof FakeFolder && there.names.size > 0) return 'exists';
        this.#folder(dirname(from))?.names.delete(basename(from));
        target.names.set(basename(to), found);
        return 'done';
      },
      remove: async path => {
        await turn();
        this.#folder(dirname(path))?.names.delete(basename(path));
      },
      sync: async path => {
        await turn();
        const folder = this.#folder(path);
        if (!folder) throw new Error(`no folder ${path}`);
        folder.durable = new Map(folder.names);
      },
    };
  }

  /** What is there after the power failed: all that is durable, and by chance some of the rest. */
  losePower(): void {
    const files = new Set<FakeFile>();
    const lose = (folder: FakeFolder) => {
      const names = new Map<string, FakeFile | FakeFolder>();
      for (const name of new Set([...folder.names.keys(), ...folder.durable.keys()])) {
        const [now, durable] = [folder.names.get(name), folder.durable.get(name)];
        const kept = now === durable || this.#chance() ? now : durable;
        if (kept) names.set(name, kept);
      }
      folder.names = names;
      folder.durable = new Map(names);
      for (const each of names.values()) {
        if (each instanceof FakeFolder) lose(each);
        else files.add(each);
      }
    };
    lose(this.#root);
    for (const file of files) {
      if (!file.isDurable) file.bytes = this.#chance() ? file.bytes : file.bytes.slice(0, file.bytes.length / 3);
    }
  }

  /** The names in a folder. */
  namesIn(path: string): string[] {
    return [...(this.#folder(path)?.names.keys() ?? [])].sort();
  }

  #find(path: string): FakeFile | FakeFolder | undefined {
    let found: FakeFile | FakeFolder | undefined = this.#root;
    for (const part of normalize(path).split('/').filter(Boolean)) {
      found = found instanceof FakeFolder ? found.names.get(part) : undefined;
    }
    return found;
  }

  #folder(path: string): FakeFolder | undefined {
    const found = this.#find(path);
    return found instanceof FakeFolder ? found : undefined;
  }
}

function ancestors(path: string): string[] {
  const parts = normalize(path).split('/').filter(Boolean);
  return parts.map((_, i) => join('/', ...parts.slice(0, i + 1)));
}
