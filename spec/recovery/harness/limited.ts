import type { Source, SourceReader } from 'tidemark';
import { andThen } from '../../../lib/maybe-promise.ts';
import { type SourceContext, wrapSource } from '../../../lib/task/source.ts';

/**
 * Gives no more once it has given `limit` records, in the batch of the last one too, and does not end: so many processes, one
 * after another, do not come to the end of the input, however long each of them lives.
 */
export function limited<T>(source: Source<T>, limit: number): Source<T> {
  return wrapSource(source, {
    open(position, context) {
      let given = 0;
      let reader: SourceReader | undefined;
      const counting = over(context, {
        batch(...args: Parameters<SourceContext<T>['batch']>) {
          context.batch(...args);
          given += args[0].length;
          if (given >= limit) reader?.pause();
        },
      });
      return andThen(source.open(position, counting), opened => {
        reader = opened;
        return over(opened, {
          resume() {
            if (given < limit) opened.resume();
          },
        });
      });
    },
  });
}

/** The same object with other methods; its own ones keep their `this`. */
function over<O extends object>(object: O, methods: Partial<O>): O {
  return new Proxy(object, {
    get(target, name: keyof O & string) {
      const value = methods[name] ?? target[name];
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
