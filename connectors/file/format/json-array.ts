import { JsonArrayScanner } from '../scan/json-array-scanner.ts';
import type { Format } from './format.ts';

/** One JSON array a file. */
export const jsonArrayFormat: Format = {
  name: 'json-array',
  unit: 'element',
  isByLine: false,
  scanner: isInside => new JsonArrayScanner(isInside),
  decoder: () => ({
    needsHeader: false,
    one: (bytes, begin, end) => JSON.parse(bytes.toString('utf8', begin, end)),
  }),
};
