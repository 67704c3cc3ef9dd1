import {
  ExternalError,
  messageOf,
  StateLostError,
  StoreRefusedError,
  StoreUnavailableError,
  TidemarkError,
} from '../../errors.ts';

/** The error for what an operation on a file threw: which file, what failed, and what to do. */
export function fileFailure(action: string, path: string, error: unknown): TidemarkError {
  if (error instanceof TidemarkError) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? messageOf(error);
  const what = `The file store could not ${action} ${path} (${code})`;
  const options = { cause: error, context: { path, action, errno: code } };
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new StoreUnavailableError(
        `${what}: the disk is full. Free some space there or move the store; every committed checkpoint is intact.`,
        options,
      );
    case 'EROFS':
      return new StoreRefusedError(
        `${what}: the file system is read-only. Mount it writable or choose another folder for the store.`,
        options,
      );
    case 'EACCES':
    case 'EPERM':
      return new StoreRefusedError(
        action === 'link' && code === 'EPERM'
          ? `${what}: the file system has no hard links. Choose a folder on a local disk for the store.`
          : `${what}: permission denied. Let the user of this process read and write there, or choose another folder.`,
        options,
      );
    case 'ENOTSUP':
    case 'EXDEV':
    case 'ENOSYS':
      return new StoreRefusedError(
        `${what}: the file system cannot do that. Choose a folder on a local disk for the store.`,
        options,
      );
    case 'ENOTDIR':
    case 'EISDIR':
    case 'ELOOP':
    case 'ENAMETOOLONG':
      return new StoreRefusedError(
        `${what}: the path is not what it should be. Look at it, or choose another folder for the store.`,
        options,
      );
    case 'ENOENT':
      return new StateLostError(
        `${what}: its folder is gone, removed or unmounted while in use. Put it back before the job is started again.`,
        options,
      );
    case 'EMFILE':
    case 'ENFILE':
      return new StoreUnavailableError(
        `${what}: too many files are open. Raise the limit (ulimit -n) or close some.`,
        options,
      );
    case 'EIO':
      return new StoreUnavailableError(`${what}: the disk reports an error. Look at its health.`, options);
    default:
      return new ExternalError(`${what}: ${messageOf(error)}`, options);
  }
}
