// kafkajs 2.2.4 looks at its request queue with a negative timeout (its issue #1751), and Node warns about it once per
// process. Nothing comes of it, so that one warning is not printed; whatever else warns still is.
const printers = process.listeners('warning');
process.removeAllListeners('warning');
process.on('warning', warning => {
  if (warning.name === 'TimeoutNegativeWarning' && warning.stack?.includes('kafkajs')) return;
  for (const print of printers) print(warning);
});
