interface Family {
  readonly head: readonly string[];
  readonly samples: string[];
}

/**
 * The metrics of several processes as one Prometheus text: every sample with the worker that it is from as a label, every metric with
 * its help and type once.
 */
export function mergedMetrics(texts: readonly { readonly worker: string; readonly text: string }[]): string {
  const families = new Map<string, Family>();
  for (const { worker, text } of texts) {
    for (const { name, head, samples } of familiesIn(text)) {
      let family = families.get(name);
      if (!family) {
        family = { head, samples: [] };
        families.set(name, family);
      }
      for (const sample of samples) family.samples.push(labelled(sample, worker));
    }
  }
  return [...families.values()].map(({ head, samples }) => `${[...head, ...samples].join('\n')}\n`).join('\n');
}

function familiesIn(text: string): (Family & { readonly name: string })[] {
  const found: { name: string; head: string[]; samples: string[] }[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, name] = /^# (?:HELP|TYPE) (\S+)/.exec(line) ?? [];
    if (name === undefined) {
      if (!line.startsWith('#')) found.at(-1)?.samples.push(line);
      continue;
    }
    const last = found.at(-1);
    if (last?.name === name && last.samples.length === 0) last.head.push(line);
    else found.push({ name, head: [line], samples: [] });
  }
  return found;
}

/** `name{a="b"} 1` and `name 1`, with the worker in front of the other labels. */
function labelled(sample: string, worker: string): string {
  const label = `worker="${worker.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
  const [, name = '', rest = ''] = /^([^{\s]+)(.*)$/s.exec(sample) ?? [];
  return rest.startsWith('{') ? `${name}{${label},${rest.slice(1)}` : `${name}{${label}}${rest}`;
}
