/** What may stand before the first record that a reader looks for. */
export type Lead =
  /** At the beginning of a file: a byte order mark. */
  | 'byte-order-mark'
  /** Behind a last line that had no line end when it was read: its line end, if the file has grown since. */
  | 'line-end';

/**
 * How many bytes of `bytes` stand before the first record; `undefined` when that needs more bytes, and a text that says what
 * is wrong when the input cannot be read from here.
 */
export function leadBytes(lead: Lead, bytes: Uint8Array, isEnd: boolean): number | string | undefined {
  const [first, second, third] = bytes;
  if (lead === 'byte-order-mark') {
    if ((first === 0xfe && second === 0xff) || (first === 0xff && second === 0xfe)) return 'UTF-16';
    if (first === 0xef && second === 0xbb && third === 0xbf) return 3;
    const mayCome = bytes.length < 3 && !isEnd && [0xef, 0xfe, 0xff, undefined].includes(first);
    return mayCome ? undefined : 0;
  }
  if (first === 0x0a) return 1;
  if (first === 0x0d && second === 0x0a) return 2;
  if (first === undefined || (first === 0x0d && second === undefined)) return isEnd ? bytes.length : undefined;
  return 'continued';
}
