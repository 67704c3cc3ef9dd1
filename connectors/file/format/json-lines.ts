import { LineScanner } from '../scan/line-scanner.ts';
import { type Format, notARecord } from './format.ts';

/** One JSON value a line; blank lines are passed over. */
export const jsonLinesFormat: Format = {
  name: 'json-lines',
  unit: 'line',
  isByLine: true,
  scanner: () => new LineScanner(),
  decoder: () => ({
    needsHeader: false,
    one(bytes, begin, end) {
      const text = bytes.toString('utf8', begin, end);
      // The first character decides nearly always; only a line that begins with space is looked at twice.
      if (text.length === 0 || (text.charCodeAt(0) <= 0x20 && text.trim() === '')) return notARecord;
      return JSON.parse(text);
    },
  }),
};
