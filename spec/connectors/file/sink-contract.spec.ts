import { existsSync, readFileSync } from 'node:fs';
import { fileSink } from '../../../connectors/file/index.ts';
import { atLeastOnceSinkContract, exactlyOnceSinkContract } from '../../contract/sink.contract.ts';
import { Folder } from './folder.ts';

interface Line {
  readonly n: number;
  readonly by: string;
}

function subject(guarantee: 'exactly-once' | 'at-least-once') {
  return () => {
    const folder = new Folder();
    const path = folder.at('out/airports.jsonl');
    return {
      sink: () => fileSink<Line>({ path, guarantee }),
      // Lines of different lengths, so that one in the place of another does not go unseen.
      record: (n: number, by: number): Line => ({ n, by: 'é'.repeat(by) }),
      visible: async () =>
        existsSync(path)
          ? readFileSync(path, 'utf8')
              .split('\n')
              .filter(line => line !== '')
              .map(line => JSON.parse(line) as Line)
          : [],
      dispose: () => folder[Symbol.dispose](),
    };
  };
}

exactlyOnceSinkContract('the file sink', subject('exactly-once'));
atLeastOnceSinkContract('the file sink', subject('at-least-once'));
