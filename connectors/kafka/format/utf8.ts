import { isUtf8 } from 'node:buffer';

/** The text of the bytes; throws where they are not UTF-8, instead of replacing what is not. */
export function utf8Text(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new Error('it is not UTF-8');
  return bytes.toString();
}
