/** A step of a model: its name, and the world after it or, in words, the rule that it breaks. */
export type Step<W> = readonly [name: string, next: W | string];

export interface Exploration {
  readonly states: number;
  /** The first rule that is broken, and the shortest way to it. */
  readonly violation: string | undefined;
  readonly path: readonly string[];
  /** How many of the states `isDone` found to be at the end of their work. */
  readonly done: number;
}

/** Visits every world that can be reached from `start`, breadth first, so that the way to a violation is the shortest. */
export function explore<W>(
  start: W,
  steps: (world: W) => Iterable<Step<W>>,
  check: (world: W, before: W) => string | undefined,
  isDone: (world: W) => boolean,
  maxStates: number,
): Exploration {
  const worlds: W[] = [start];
  const from: (readonly [number, string] | undefined)[] = [undefined];
  const seen = new Set<string>([JSON.stringify(start)]);
  let done = 0;
  const pathTo = (index: number): string[] => {
    const path: string[] = [];
    for (let at = from[index]; at; at = from[at[0]]) path.unshift(at[1]);
    return path;
  };
  for (let index = 0; index < worlds.length; index++) {
    const world = worlds[index] as W;
    if (isDone(world)) done++;
    for (const [name, next] of steps(world)) {
      const violation = typeof next === 'string' ? next : check(next, world);
      if (violation !== undefined) {
        return { states: worlds.length, violation, path: [...pathTo(index), name], done };
      }
      const key = JSON.stringify(next);
      if (seen.has(key)) continue;
      if (worlds.length >= maxStates) throw new Error(`more than ${maxStates} states: tighten the bounds`);
      seen.add(key);
      worlds.push(next as W);
      from.push([index, name]);
    }
  }
  return { states: worlds.length, violation: undefined, path: [], done };
}
