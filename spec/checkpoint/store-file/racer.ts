// A process of its own for processes.spec.ts: takes the fence and commits until it is fenced, several times over.
import { fileStore } from '../../../lib/checkpoint/store-file/index.ts';
import { FencedError } from '../../../lib/errors.ts';
import { bytesOf, manifestOf, segment } from '../../contract/snapshot-store.manifests.ts';

const ref = { job: 'race', task: '0' };
const [directory = '', lives = '1', commits = '1'] = process.argv.slice(2);

const acquired: number[] = [];
const committed: { id: number; token: number }[] = [];
for (let life = 0; life < Number(lives); life++) {
  const task = fileStore(directory).task(ref);
  const token = await task.acquireFence(0);
  acquired.push(token);
  try {
    const stored = await task.manifests();
    let id = Math.max(0, ...stored.map(({ manifest }) => manifest.id));
    for (let i = 0; i < Number(commits); i++) {
      id++;
      const name = segment(id, token);
      await task.putSegment(token, name, bytesOf(name));
      await task.prepare(token, manifestOf(ref, token, id, [name]));
      await task.confirm(token, id);
      committed.push({ id, token });
      const before = (await task.manifests()).filter(each => each.confirmed).map(({ manifest }) => manifest.id);
      await task.collect(token, before.slice(0, -1));
    }
  } catch (error) {
    if (!(error instanceof FencedError)) throw error;
  }
}
process.stdout.write(JSON.stringify({ acquired, committed }));
