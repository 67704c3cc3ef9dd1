import { ExternalError, messageOf, TidemarkError, type TidemarkErrorOptions } from '../../lib/index.ts';

/** The file system refused: a file that cannot be read, a folder that cannot be written, a disk that is full. */
export class FileError extends ExternalError {
  override readonly code = 'FILE';
  override readonly retriable: boolean;
  /** The system's own code, such as `ENOSPC`. */
  readonly reason: string | undefined;

  constructor(message: string, reason: string | undefined, options: TidemarkErrorOptions = {}) {
    super(message, options);
    this.reason = reason;
    this.retriable = reason === undefined || !lasting.has(reason);
  }
}

/** The visible file of a sink is not what its committed checkpoints wrote, or belongs to somebody else. */
export class OutputChangedError extends TidemarkError {
  readonly code = 'OUTPUT_CHANGED';
  readonly fault = 'user';
  readonly retriable = false;
}

/** Reasons that do not pass by themselves: no restart is tried. */
const lasting = new Set(['ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ENOTDIR', 'EROFS', 'ENAMETOOLONG', 'ELOOP']);

const explanations: Record<string, readonly [what: string, advice: string]> = {
  ENOENT: ['it does not exist', 'Correct the path, or put the file there.'],
  EACCES: ['permission is denied', 'Give the user of this process access to it.'],
  EPERM: ['the operation is not permitted', 'Give the user of this process access to it.'],
  EISDIR: ['it is a directory', 'Give the path of a file.'],
  ENOTDIR: ['a part of the path is a file, not a directory', 'Correct the path.'],
  EROFS: ['the file system is read-only', 'Write to another place, or mount it writable.'],
  ENAMETOOLONG: ['the path is too long', 'Give a shorter one.'],
  ELOOP: ['its symbolic links form a loop', 'Correct the links.'],
  ENOSPC: ['the disk is full', 'Make space; what was not written is tried again.'],
  EDQUOT: ['the disk quota is used up', 'Make space; what was not written is tried again.'],
  EFBIG: ['the file would be larger than this system allows', 'Raise the limit, or write to several files.'],
  EMFILE: ['this process has too many files open', 'Raise its limit of open files.'],
  ENFILE: ['this system has too many files open', 'Raise its limit of open files.'],
  EIO: ['the device reported an error', 'Look at the disk.'],
};

/** The system's code of anything that was thrown. */
export function reasonOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** What went wrong and what to do, without the path. */
export function explain(error: unknown): string {
  const known = explanations[reasonOf(error) ?? ''];
  return known ? `${known[0]}. ${known[1]}` : `${messageOf(error).replace(/[.\s]+$/, '')}.`;
}

/** `error` of the file system as a `FileError`: "Cannot <action> <path>: <why>. <What to do>." Errors of ours pass unchanged. */
export function fileError(action: string, path: string, error: unknown): TidemarkError {
  if (error instanceof TidemarkError) return error;
  return new FileError(`Cannot ${action} "${path}": ${explain(error)}`, reasonOf(error), { cause: error });
}
