import { describe, expect, it } from 'vitest';
import {
  keepNote,
  keepText,
  readNotes,
  refusalText,
  releaseNote,
  requestNotes,
  requestText,
} from '../../lib/checkpoint/savepoint-notes.ts';

const request = { name: 'before-v2.1_a', end: 'stop' as const, createdAt: 1, expiresAt: 2 };

describe('notes about savepoints', () => {
  it('are read back as they were written', () => {
    const names = requestNotes(request.name);
    const kept = { name: 'kept-one', createdAt: 7 };
    expect(
      readNotes([
        { name: names.request, text: requestText(request) },
        { name: names.accepted, text: '' },
        { name: names.refused, text: refusalText('it ends') },
        { name: keepNote({ id: 12, token: 3 }), text: keepText(kept) },
        { name: releaseNote({ id: 11, token: 3 }), text: '' },
      ]),
    ).toEqual({
      requests: [{ format: 1, ...request }],
      accepted: new Set([request.name]),
      refused: new Map([[request.name, 'it ends']]),
      kept: new Map([['12-3', kept]]),
      released: new Set(['11-3']),
    });
  });

  it('that are torn, of another version or of another name ask for nothing', () => {
    const { request: name } = requestNotes('a');
    for (const text of ['', '{', '{"format":2}', requestText(request)]) {
      expect(readNotes([{ name, text }]).requests, text).toEqual([]);
    }
    expect(readNotes([{ name: 'hello-a', text: '' }]).requests).toEqual([]);
  });

  it('that keep a checkpoint do so even when they are torn', () => {
    expect(readNotes([{ name: 'keep-4-2', text: '{' }]).kept.has('4-2')).toBe(true);
  });
});
