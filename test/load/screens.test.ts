import { describe, expect, test } from 'vitest';
import { coversOf } from './screens.ts';

describe('an event of a results stream', () => {
  test('gives its covers, with or without other fields around it', () => {
    const covers = { 'us-east-1': [3, 4] };
    const data = JSON.stringify({ t: 7, c: [[0, 7]], covers });
    expect(coversOf(`data: ${data}`)).toEqual(covers);
    expect(coversOf(`event: snapshot\nid: 12\ndata: ${data}`)).toEqual(covers);
    expect(coversOf(`id: 12\ndata:${data}\nretry: 100`)).toEqual(covers);
  });

  test('gives nothing for a heartbeat, a hint or an event without covers', () => {
    expect(coversOf(': still here')).toBeUndefined();
    expect(coversOf('retry: 2000')).toBeUndefined();
    expect(coversOf('data: {"t":1}')).toBeUndefined();
  });
});
