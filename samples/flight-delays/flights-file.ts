import { findPackageJSON } from 'node:module';
import path from 'node:path';

/** Where npm has put the data of `vega-datasets`: 20,000 US departures of early 2001, in time order. */
export function flightsFile(): string {
  const manifest = findPackageJSON('vega-datasets', import.meta.url);
  return path.join(path.dirname(manifest ?? 'node_modules/vega-datasets/package.json'), 'data/flights-20k.json');
}
