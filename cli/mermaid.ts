import type { StreamNode } from '../lib/stream/node.ts';

/** The graph of a job as a Mermaid flowchart: sources on the left, sinks on the right, a thick line where records have a key. */
export function mermaid(ends: readonly StreamNode[]): string {
  const ids = new Map<StreamNode, string>();
  const nodes: string[] = [];
  const edges: string[] = [];
  const visit = (node: StreamNode): string => {
    const known = ids.get(node);
    if (known) return known;
    const inputs = node.inputs.map(input => ({ id: visit(input), isKeyed: input.isKeyed, label: sideLabel(node) }));
    const id = `n${ids.size + 1}`;
    ids.set(node, id);
    nodes.push(`  ${id}${shape(node)}`);
    for (const input of inputs) edges.push(`  ${input.id} ${input.isKeyed ? '==>' : '-->'}${input.label} ${id}`);
    return id;
  };
  for (const end of ends) visit(end);
  return `${['flowchart LR', ...nodes, ...edges].join('\n')}\n`;
}

function shape(node: StreamNode): string {
  const name = quoted(node.name ?? node.kind);
  switch (node.kind) {
    case 'source':
      return `[/${name}/]`;
    case 'sink':
      return `[\\${name}\\]`;
    case 'actor':
      return `[(${name})]`;
    case 'union':
      return `{{${name}}}`;
    default:
      return `(${name})`;
  }
}

const sideLabel = (node: StreamNode): string => (node.kind === 'side' ? `|${quoted(node.name ?? 'side')}|` : '');

/** Mermaid reads entities of its own in quoted text: `#quot;`. */
function quoted(text: string): string {
  return `"${text.replaceAll('#', '#35;').replaceAll('"', '#quot;').replaceAll(/\s+/g, ' ')}"`;
}
