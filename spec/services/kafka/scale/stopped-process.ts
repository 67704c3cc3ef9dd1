import { SharingProcess } from './sharing-process.ts';

// A process of its own, so that a signal can stop it: says in lines of JSON what it hears.

const { tasks, options } = JSON.parse(process.argv[2] ?? '{}');
const member = new SharingProcess('stopped', tasks, options);
let said = 0;
setInterval(() => {
  for (; said < member.calls.length; said++) process.stdout.write(`${JSON.stringify(member.calls[said])}\n`);
}, 20);
