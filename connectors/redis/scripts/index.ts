import { acquireFence } from './acquire-fence.ts';
import { clear } from './clear.ts';
import { collect } from './collect.ts';
import { confirm } from './confirm.ts';
import { prepare } from './prepare.ts';
import { probe } from './probe.ts';
import { readManifests } from './read-manifests.ts';
import { registerSegment } from './register-segment.ts';
import { touch } from './touch.ts';

/** The scripts, with the number of their keys. */
export const scripts = {
  acquireFence: { lua: acquireFence, numberOfKeys: 2 },
  registerSegment: { lua: registerSegment, numberOfKeys: 6 },
  prepare: { lua: prepare, numberOfKeys: 6 },
  confirm: { lua: confirm, numberOfKeys: 6 },
  collect: { lua: collect, numberOfKeys: 6 },
  clear: { lua: clear, numberOfKeys: 6 },
  readManifests: { lua: readManifests, numberOfKeys: 2 },
  touch: { lua: touch, numberOfKeys: 1 },
  probe: { lua: probe, numberOfKeys: 1 },
};

export type ScriptName = keyof typeof scripts;
