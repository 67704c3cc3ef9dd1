// Prints, as JSON, the names of the packages that importing the module named by the argument loads.
import { registerHooks } from 'node:module';

const loaded = new Set();
registerHooks({
  load(url, context, next) {
    const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
    if (name !== undefined) loaded.add(name);
    return next(url, context);
  },
});
await import(process.argv[2]);
console.log(JSON.stringify([...loaded].sort()));
