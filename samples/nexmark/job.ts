import { job } from 'tidemark';
import { type Parameters, parameters } from './parameters.ts';
import { pipeline } from './pipeline.ts';

/** One query of the Nexmark benchmark, over events that are generated or come from a file or a topic, into a file or a topic. */
export default job('nexmark', (given: Parameters) => pipeline(given), {
  schema: parameters,
  checkpoint: { interval: '500ms' },
});
