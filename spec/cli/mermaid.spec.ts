import { describe, expect, it } from 'vitest';
import { mermaid } from '../../cli/mermaid.ts';
import type { StreamNode } from '../../lib/stream/node.ts';

const node = (
  kind: StreamNode['kind'],
  name: string | undefined,
  inputs: StreamNode[],
  isKeyed = false,
): StreamNode => ({
  kind,
  ...(name === undefined ? {} : { name }),
  inputs,
  isKeyed,
  sides: [],
});

const source = node('source', 'flights "2001"', []);
const key = node('key', undefined, [source], true);
const actor = node('actor', 'worst#1', [key], true);
const late = node('side', 'late', [actor], true);
const union = node('union', undefined, [actor, late], true);
const sink = node('sink', 'out.jsonl', [union], true);
const expected = `flowchart LR
  n1[/"flights #quot;2001#quot;"/]
  n2("key")
  n3[("worst#35;1")]
  n4("late")
  n5{{"union"}}
  n6[\\"out.jsonl"\\]
  n1 --> n2
  n2 ==> n3
  n3 ==>|"late"| n4
  n3 ==> n5
  n4 ==> n5
  n5 ==> n6
`;

describe('mermaid', () => {
  it('draws every node once, keyed lines thick, and escapes names', () => {
    expect(mermaid([sink])).toBe(expected);
  });

  it('draws the same from the ends as from all nodes', () => {
    expect(mermaid([source, key, actor, late, union, sink])).toBe(expected);
  });

  it('draws an empty graph', () => {
    expect(mermaid([])).toBe('flowchart LR\n');
  });
});
