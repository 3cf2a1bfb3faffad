import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  encodeEvent,
  encodeRetry,
  frameChunk,
  heartbeatText,
  parseLastEventId,
} from '../../../../regional-core/results/stream/sse.ts';
import { EventSourceParser } from '../event-source.ts';

function heard(text: string): EventSourceParser {
  const parser = new EventSourceParser();
  parser.push(text);
  return parser;
}

const anyText = fc.string({ unit: 'binary', maxLength: 200 });
const lineEnds = fc.constantFrom('\n', '\r', '\r\n', ':', 'id: 9', 'data: x', ' ');
const trickyText = fc.array(fc.oneof(anyText, lineEnds), { maxLength: 8 }).map((p) => p.join(''));

test('a client hears exactly the event that was encoded, wherever the text is cut', () => {
  const event = fc.record(
    { event: fc.constantFrom('snapshot', 'vote_update'), id: fc.maxSafeNat(), data: trickyText },
    { requiredKeys: ['data'] },
  );
  fc.assert(
    fc.property(event, fc.nat(), (wanted, cut) => {
      const text = encodeEvent(wanted);
      const parser = new EventSourceParser();
      const at = cut % (text.length + 1);
      parser.push(text.slice(0, at));
      parser.push(text.slice(at));
      // A client cannot tell one line end from another, and dispatches nothing for no data at all.
      const data = wanted.data.replaceAll(/\r\n|\r/g, '\n');
      const expected = {
        event: wanted.event ?? 'message',
        data,
        lastEventId: wanted.id === undefined ? '' : String(wanted.id),
      };
      expect(parser.events).toEqual([expected]);
    }),
  );
});

/** Attack: an option's label ends its field and begins an event of its own. */
test('line ends in data cannot begin a field or an event', () => {
  const label = 'x\r\n\r\nid: 7\nevent: vote_update\rdata: {"total_votes":9}\n\n';
  const { events } = heard(encodeEvent({ event: 'snapshot', id: 1, data: label }));
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ event: 'snapshot', lastEventId: '1' });
  const asJson = heard(encodeEvent({ data: JSON.stringify({ label }) }));
  expect(asJson.events).toHaveLength(1);
  expect(JSON.parse(asJson.events[0]!.data)).toEqual({ label });
});

test('a retry hint and a heartbeat are no events', () => {
  const parser = heard(`${encodeRetry(2345.6)}${heartbeatText}`);
  expect(parser).toMatchObject({ events: [], comments: [''], retryMs: 2346 });
});

test('an event without an id keeps the last one', () => {
  const text = encodeEvent({ id: 4, data: 'a' }) + encodeEvent({ data: 'b' });
  expect(heard(text).events.map((event) => event.lastEventId)).toEqual(['4', '4']);
});

test('a framed chunk is its size in bytes, the text and nothing else; raw is the text alone', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
      const { framed, raw } = frameChunk(text);
      const bytes = Buffer.from(text);
      const end = framed.indexOf('\r\n');
      expect(Number.parseInt(framed.subarray(0, end).toString(), 16)).toBe(bytes.length);
      expect(framed.subarray(end + 2)).toEqual(Buffer.concat([bytes, Buffer.from('\r\n')]));
      expect(raw).toEqual(bytes);
    }),
  );
});

test('no text is no chunk: it would end the body', () => {
  expect(() => frameChunk('')).toThrow(new TypeError('an empty chunk ends the body'));
});

test.each([
  ['0', 0],
  ['1099511627781', 1_099_511_627_781],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ['9007199254740993', undefined],
  ['99999999999999999', undefined],
  ['-1', undefined],
  ['1e3', undefined],
  ['0x10', undefined],
  [' 1', undefined],
  ['', undefined],
])('Last-Event-ID %j is read as %s', (header, sequence) => {
  expect(parseLastEventId(header)).toBe(sequence);
});
