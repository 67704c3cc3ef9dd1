// A plain JavaScript project that has installed the package. Fails by throwing.
import assert from 'node:assert/strict';
import * as tidemark from 'tidemark';

assert.equal(typeof tidemark, 'object');
console.log('used from JavaScript');
