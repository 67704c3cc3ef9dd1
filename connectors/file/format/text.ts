import { LineScanner } from '../scan/line-scanner.ts';
import type { Format } from './format.ts';

/** One string a line, without its line end; an empty line is an empty string. */
export const textFormat: Format = {
  name: 'text',
  unit: 'line',
  isByLine: true,
  scanner: () => new LineScanner(),
  decoder: () => ({
    needsHeader: false,
    one: (bytes, begin, end) => bytes.toString('utf8', begin, end),
  }),
};
