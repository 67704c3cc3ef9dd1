import { job } from 'tidemark';
import { parameters } from './parameters.ts';
import { pipeline } from './pipeline.ts';

/** One query of the Nexmark benchmark, over events that are generated or come from a file or a topic, into a file or a topic. */
export default job('nexmark', pipeline, { schema: parameters, checkpoint: { interval: '500ms' } });
