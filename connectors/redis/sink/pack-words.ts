/**
 * Lists of words as Redis' scripts unpack them: MessagePack, where every word is a raw string. (`cmsgpack` knows nothing of
 * the later type for bytes, in which encoders write Buffers.)
 */
export function packWords(lists: readonly (readonly (string | Buffer)[])[]): Buffer {
  let size = 5;
  for (const words of lists) {
    size += 5;
    for (const word of words) size += 5 + (typeof word === 'string' ? Buffer.byteLength(word) : word.length);
  }
  const bytes = Buffer.allocUnsafe(size);
  let at = writeHead(bytes, 0, array, lists.length);
  for (const words of lists) {
    at = writeHead(bytes, at, array, words.length);
    for (const word of words) {
      const length = typeof word === 'string' ? Buffer.byteLength(word) : word.length;
      at = writeHead(bytes, at, raw, length);
      if (typeof word === 'string') bytes.write(word, at);
      else word.copy(bytes, at);
      at += length;
    }
  }
  return bytes.subarray(0, at);
}

/** First bytes of the forms for up to so many elements: few, 2^16, 2^32. */
const array = { few: 0x90, most: 15, two: 0xdc, four: 0xdd } as const;
const raw = { few: 0xa0, most: 31, two: 0xda, four: 0xdb } as const;

function writeHead(bytes: Buffer, at: number, form: typeof array | typeof raw, length: number): number {
  if (length <= form.most) return bytes.writeUInt8(form.few | length, at);
  if (length < 0x10000) return bytes.writeUInt16BE(length, bytes.writeUInt8(form.two, at));
  return bytes.writeUInt32BE(length, bytes.writeUInt8(form.four, at));
}
