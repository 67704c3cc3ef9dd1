import { apply } from './apply.ts';
import { claim } from './claim.ts';
import { drop } from './drop.ts';
import { probe } from './probe.ts';
import { seal } from './seal.ts';
import { stage } from './stage.ts';

/** The scripts of a sink; each has the keys of its state and of its list of parts. */
export const sinkScripts = {
  claimSink: { lua: claim, numberOfKeys: 2 },
  stageSink: { lua: stage, numberOfKeys: 2 },
  sealSink: { lua: seal, numberOfKeys: 2 },
  applySink: { lua: apply, numberOfKeys: 2 },
  dropSink: { lua: drop, numberOfKeys: 2 },
  probeSink: { lua: probe, numberOfKeys: 2 },
};

export type SinkScript = keyof typeof sinkScripts;
