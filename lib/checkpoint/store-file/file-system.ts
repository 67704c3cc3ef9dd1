/**
 * What the file store does with a disk. Every method fails with one of our errors that names the path; what a race between
 * processes can bring about is an answer, not an error.
 */
export interface FileSystem {
  /** Creates a folder, and those above it, durably; nothing when it is there. */
  makeFolder(path: string): Promise<void>;
  /** Creates a file whose content is durable when this answers; its name is so only after `sync` of its folder. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** The content; `undefined` when there is no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
  exists(path: string): Promise<boolean>;
  /** The names in a folder, in any order; `undefined` when there is no such folder. */
  list(folder: string): Promise<readonly string[] | undefined>;
  /** Gives a file one more name, in one step that fails where the name is taken; 'missing' when the file or the folder is. */
  link(file: string, name: string): Promise<'done' | 'exists' | 'missing'>;
  /** Renames a folder, in one step that fails where a folder with content is; 'missing' when `from` is. */
  moveFolder(from: string, to: string): Promise<'done' | 'exists' | 'missing'>;
  /** Removes a file, or a folder with its content; nothing when it is not there. */
  remove(path: string): Promise<void>;
  /** Makes the names in a folder durable. */
  sync(folder: string): Promise<void>;
}
