import { createHash } from 'node:crypto';
import { encodeName } from '../encoded-name.ts';

/** A folder's name for any job or task name: distinct for distinct names, on file systems that ignore case as well. */
export function folderName(name: string): string {
  const encoded = encodeName(name);
  // Most file systems take 255 bytes; nothing else contains a `~`.
  return encoded.length <= 200
    ? encoded
    : `${encoded.slice(0, 120)}~${createHash('sha256').update(encoded).digest('hex')}`;
}
